"""Galleries at an endpoint: every pair, searches, and the collections that they leave."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from likeness.errors import InvalidRequest
from likeness.service.evaluate.systems.endpoint import trial as trial_module
from tests.service.evaluate.endpoint_trials import PAIRS, PEOPLE, Agreed, plan_of, score
from tests.service.evaluate.fake_endpoint import (
    FakeEndpoint,
    Refusal,
    person_in,
    picture,
    similarity,
)

pytestmark = pytest.mark.slow


def test_all_pairs_are_two_calls_a_picture(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    people = ("anna", "anna", "berta", "nobody", "carla")
    plan = plan_of(tmp_path / "d", people, None)
    agreed = Agreed()
    scored = score(endpoint, plan, tmp_path, confirm=agreed)
    made = scored.comparisons
    assert made is not None and len(made) == 10
    for one, reference, probe in zip(made.scores, made.references, made.probes, strict=True):
        assert reference < probe
        if 3 in (reference, probe):
            assert np.isneginf(one)
        else:
            names = (people[reference], people[probe])
            assert one == similarity(*map(picture, names))
    assert scored.failures == ((3, "no face found"),)
    assert endpoint.count("IndexFaces") == 5
    assert endpoint.count("SearchFacesByImage") == 5
    assert endpoint.count("CompareFaces") == 0
    assert endpoint.collections == {} and len(endpoint.made) == 1
    assert dict(agreed.costs[0].calls) == {"IndexFaces": 5, "SearchFacesByImage": 5}
    assert scored.system.version == "7.0"


def test_a_gallery_is_searched_for_mates(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    people = ("anna", "berta", "carla", "anna", "dora", "nobody", "emma", "nobody")
    plan = plan_of(tmp_path / "d", people, (), gallery=[0, 1, 2, 7], searches=[3, 4, 5, 6])
    scored = score(endpoint, plan, tmp_path, depth=2)
    found = scored.searches
    assert found is not None and scored.comparisons is not None and not len(scored.comparisons)
    assert (found.gallery, found.subjects, found.depth) == (3, 3, 2)
    assert found.probes.tolist() == [3, 4, 5, 6]
    # Two pictures of one who is called nobody: she is to be enrolled, and has no face.
    assert found.mated.tolist() == [True, False, True, False]
    assert found.mate_scores[0] == 99 and found.mate_ranks.tolist() == [1, 0, 0, 0]
    best = max(similarity(picture("dora"), picture(one)) for one in ("anna", "berta", "carla"))
    assert found.other_scores[1] == best
    assert np.isneginf(found.mate_scores[2]) and np.isneginf(found.other_scores[2])
    assert [number for number, _ in scored.failures] == [5, 7]
    assert endpoint.collections == {}


def test_pairs_and_a_gallery_are_agreed_to_together(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    agreed = Agreed()
    plan = plan_of(tmp_path / "d", PEOPLE, None, gallery=[0, 2], searches=[1, 3])
    scored = score(endpoint, plan, tmp_path, confirm=agreed)
    (cost,) = agreed.costs
    assert dict(cost.calls) == {"IndexFaces": 6, "SearchFacesByImage": 6}
    assert scored.comparisons is not None and len(scored.comparisons) == 6
    assert scored.searches is not None
    assert scored.searches.mate_ranks.tolist() == [1, 0]
    assert endpoint.collections == {}


def test_people_are_ranked_by_their_best_picture(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    # Her own picture is less alike than all three of another person, who counts once.
    people = ("anna", "berta", "berta", "berta", "anna")
    plan = plan_of(tmp_path / "d", people, (), gallery=[0, 1, 2, 3], searches=[4])

    def trouble(operation: str, pictures: list[bytes]) -> Any:
        if operation != "SearchFacesByImage":
            return None
        (faces,) = endpoint.collections.values()
        return {
            "FaceMatches": [
                {
                    "Similarity": 20.0 if person_in(data) == "anna" else 30.0,
                    "Face": {"ExternalImageId": one},
                }
                for one, data in faces.items()
            ],
            "FaceModelVersion": "7.0",
        }

    endpoint.trouble = trouble
    found = score(endpoint, plan, tmp_path).searches
    assert found is not None
    assert (found.mate_ranks[0], found.mate_scores[0], found.other_scores[0]) == (2, 20, 30)
    assert (found.gallery, found.subjects) == (4, 2)


def test_more_pictures_than_a_list_can_hold_are_several_galleries(
    endpoint: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_module, "MOST_CANDIDATES", 3)
    people = [f"p{n // 2}" for n in range(7)]
    scored = score(endpoint, plan_of(tmp_path / "d", people, None), tmp_path, depth=3)
    made = scored.comparisons
    assert made is not None and len(made) == 21
    for one, reference, probe in zip(made.scores, made.references, made.probes, strict=True):
        assert one == similarity(picture(people[reference]), picture(people[probe]))
    assert endpoint.count("IndexFaces") == 7
    assert endpoint.count("SearchFacesByImage") == 7 + 4 + 1
    assert len(endpoint.made) == 3 and endpoint.collections == {}


def test_a_run_that_ended_in_the_middle_of_a_gallery_goes_on_in_its_collection(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    plan = plan_of(tmp_path / "d", [f"p{n}" for n in range(8)], None)

    def trouble(operation: str, pictures: list[bytes]) -> None:
        if endpoint.count("SearchFacesByImage") > 3:
            raise Refusal("AccessDeniedException")

    endpoint.trouble = trouble
    with pytest.raises(InvalidRequest) as error:
        score(endpoint, plan, tmp_path, workers=1)
    assert len(endpoint.collections) == 1
    assert f"faces stay there, in collection {endpoint.made[0]}" in str(error.value)
    endpoint.trouble = lambda operation, pictures: None
    scored = score(endpoint, plan, tmp_path, workers=1)
    assert scored.comparisons is not None and np.isfinite(scored.comparisons.scores).all()
    assert endpoint.count("IndexFaces") == 8
    assert endpoint.count("SearchFacesByImage") == 9  # one was refused
    assert len(endpoint.made) == 1 and endpoint.collections == {}


def test_a_collection_that_somebody_deleted_is_made_anew(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    plan = plan_of(tmp_path / "d", [f"p{n}" for n in range(6)], None)

    def trouble(operation: str, pictures: list[bytes]) -> None:
        if endpoint.count("SearchFacesByImage") > 2:
            raise Refusal("AccessDeniedException")

    endpoint.trouble = trouble
    with pytest.raises(InvalidRequest):
        score(endpoint, plan, tmp_path, workers=1)
    endpoint.trouble = lambda operation, pictures: None
    endpoint.collections.clear()
    agreed = Agreed()
    scored = score(endpoint, plan, tmp_path, workers=1, confirm=agreed)
    assert dict(agreed.costs[0].calls) == {"IndexFaces": 6, "SearchFacesByImage": 4}
    assert scored.comparisons is not None and np.isfinite(scored.comparisons.scores).all()
    assert endpoint.collections == {}


def test_a_journal_that_somebody_wrote_has_no_other_collection_deleted(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    plan = plan_of(tmp_path / "d", PEOPLE, PAIRS)
    score(endpoint, plan, tmp_path)
    (journal,) = (tmp_path / "journal").rglob("calls.jsonl")
    with journal.open("a") as file:
        file.write('{"key":["collection","staff"],"state":"made","gallery":"x"}\n')
    endpoint.collections["staff"] = {}
    score(endpoint, plan_of(tmp_path / "d", PEOPLE, None), tmp_path)
    assert list(endpoint.collections) == ["staff"]
