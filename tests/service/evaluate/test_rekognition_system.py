"""Any Rekognition endpoint as the system under test, however it behaves."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from botocore.loaders import create_loader
from botocore.session import Session

from likeness.errors import Fault, InvalidRequest
from likeness.service.evaluate.findings import DataFacts
from likeness.service.evaluate.measure import failures_of
from likeness.service.evaluate.systems.endpoint import asking as asking_module
from likeness.service.evaluate.systems.endpoint import client as client_module
from likeness.service.evaluate.systems.endpoint import trial as trial_module
from likeness.service.evaluate.systems.endpoint.client import Pace
from likeness.service.evaluate.systems.endpoint.descriptions import FaceDescription
from likeness.service.evaluate.systems.endpoint.prices import Cost
from likeness.service.evaluate.systems.rekognition_system import RekognitionSystem
from likeness.service.evaluate.trials import Plan, PlannedSample, Scored
from tests.service.evaluate.fake_endpoint import (
    BOX,
    FakeEndpoint,
    Refusal,
    person_in,
    picture,
    serving,
    similarity,
)

pytestmark = pytest.mark.slow


# To read what operations there are takes half a second.
_LOADER = create_loader()


class _QuickSession(Session):
    def __init__(self) -> None:
        super().__init__()
        self.register_component("data_loader", _LOADER)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEndpoint]:
    monkeypatch.setattr(client_module, "Session", _QuickSession)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(client_module, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(client_module, "_LONGEST_PAUSE_S", 0.01)
    with serving(FakeEndpoint()) as served:
        yield served


def plan_of(
    folder: Path,
    people: Sequence[str],
    pairs: Sequence[tuple[int, int]] | None = (),
    gallery: Sequence[int] = (),
    searches: Sequence[int] = (),
) -> Plan:
    """A plan of one picture for each name; a name that comes again is the same person."""
    folder.mkdir(exist_ok=True)
    samples, digests = [], []
    for number, person in enumerate(people):
        data = picture(person, number)
        path = folder / f"{number}.jpg"
        path.write_bytes(data)
        digests.append(hashlib.sha256(data).hexdigest())
        samples.append(PlannedSample(path, f"{number}.jpg", person, {"sex": "f"}))
    return Plan(
        tuple(samples),
        None if pairs is None else np.array(pairs, np.int32).reshape(-1, 2),
        np.array(gallery, np.int32),
        np.array(searches, np.int32),
        DataFacts("d", "1", "", "", "", len(people), len(set(people))),
        tuple(digests),
    )


class Agreed:
    """Agrees to every cost, and remembers it."""

    def __init__(self) -> None:
        self.costs: list[Cost] = []

    def __call__(self, cost: Cost) -> None:
        self.costs.append(cost)


def score(endpoint: FakeEndpoint, plan: Plan, folder: Path, **chosen: Any) -> Scored:
    chosen = {"confirm": Agreed(), **chosen}
    system = RekognitionSystem(endpoint.url, "us-east-1", 1000, folder / "journal", **chosen)
    return system.score(plan, lambda done, total: None)


PEOPLE = ("anna", "anna", "berta", "carla")
PAIRS = ((0, 1), (0, 2), (2, 3))


def test_pairs_have_the_similarities_of_the_endpoint(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    plan = plan_of(tmp_path / "d", PEOPLE, PAIRS)
    told: list[tuple[int, int]] = []
    agreed = Agreed()
    system = RekognitionSystem(endpoint.url, "us-east-1", 1000, tmp_path / "journal", agreed)
    scored = system.score(plan, lambda done, total: told.append((done, total)))
    assert scored.comparisons is not None
    expected = [similarity(*(picture(PEOPLE[n], n) for n in pair)) for pair in PAIRS]
    assert scored.comparisons.scores.tolist() == expected
    assert scored.comparisons.mated.tolist() == [True, False, False]
    assert scored.failures == () and not scored.samples.failed.any()
    assert scored.samples.axis("sex").labels == ("f",)
    assert scored.system.version == "7.0" and scored.system.name == endpoint.url
    assert np.isfinite(scored.seconds[[1, 2, 3]]).all() and np.isnan(scored.seconds[0])
    assert told[-1] == (3, 3)
    assert endpoint.collections == {}
    (cost,) = agreed.costs
    assert dict(cost.calls) == {"CompareFaces": 3} and cost.dollars is None


def test_a_second_run_asks_nothing(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "d", (*PEOPLE, "nobody"), (*PAIRS, (0, 4)))
    first = score(endpoint, plan, tmp_path)
    asked = endpoint.asked.copy()
    agreed = Agreed()
    second = score(endpoint, plan, tmp_path, confirm=agreed)
    assert endpoint.asked == asked and agreed.costs == []
    assert first.comparisons is not None and second.comparisons is not None
    assert first.comparisons.scores.tolist() == second.comparisons.scores.tolist()
    assert first.failures == second.failures
    assert first.system == second.system


def test_of_a_pair_that_fails_the_picture_without_a_face_is_found_and_not_sent_again(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    people = ("anna", "nobody", "berta", "carla")
    plan = plan_of(tmp_path / "d", people, [(0, 1), (1, 2), (3, 1), (0, 2)])
    scored = score(endpoint, plan, tmp_path, workers=1)
    assert scored.failures == ((1, "no face found"),)
    assert scored.samples.failed.tolist() == [False, True, False, False]
    assert scored.comparisons is not None
    assert np.isneginf(scored.comparisons.scores).tolist() == [True, True, True, False]
    assert endpoint.count("CompareFaces") == 2
    assert endpoint.count("DetectFaces") == 2


def test_a_third_of_pictures_that_make_the_endpoint_fail_are_failures(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    people = [f"bad{n}" if n % 3 == 0 else f"p{n}" for n in range(12)]

    def trouble(operation: str, pictures: list[bytes]) -> None:
        if any(person_in(one).startswith("bad") for one in pictures):
            raise Refusal("InternalServerError", 500)

    endpoint.trouble = trouble
    pairs = [(a, b) for a in range(12) for b in range(a + 1, 12)]
    scored = score(endpoint, plan_of(tmp_path / "d", people, pairs), tmp_path)
    assert [number for number, _ in scored.failures] == [0, 3, 6, 9]
    assert "InternalServerError" in scored.failures[0][1]
    assert scored.comparisons is not None
    assert int(np.isneginf(scored.comparisons.scores).sum()) == 66 - 28


def test_an_endpoint_that_is_down_ends_the_run_which_goes_on_later(
    endpoint: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_module, "MOST_FAULTS", 10)
    people = [f"p{n}" for n in range(40)]
    plan = plan_of(tmp_path / "d", people, [(n, n + 1) for n in range(39)])

    def trouble(operation: str, pictures: list[bytes]) -> None:
        if endpoint.count("CompareFaces") > 10:
            raise Refusal("InternalServerError", 500)

    endpoint.trouble = trouble
    with pytest.raises(Fault, match="Run the same command again"):
        score(endpoint, plan, tmp_path, workers=1)
    endpoint.trouble = lambda operation, pictures: None
    asked = endpoint.asked.copy()
    scored = score(endpoint, plan, tmp_path, workers=1)
    assert scored.failures == () and scored.comparisons is not None
    assert np.isfinite(scored.comparisons.scores).all()
    again = endpoint.asked - asked
    assert sum(count for key, count in again.items() if key[0] == "CompareFaces") == 29


def test_many_pictures_in_a_row_that_make_the_endpoint_fail_do_not_end_the_run(
    endpoint: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_module, "MOST_FAULTS", 5)

    def trouble(operation: str, pictures: list[bytes]) -> None:
        if any(person_in(one).startswith("bad") for one in pictures):
            raise Refusal("InternalServerError", 500)

    endpoint.trouble = trouble
    people = ["anna", "anna", *(f"bad{n}" for n in range(20)), "carla"]
    plan = plan_of(tmp_path / "d", people, None)
    scored = score(endpoint, plan, tmp_path)
    assert [number for number, _ in scored.failures] == list(range(2, 22))
    asked = endpoint.asked.copy()
    assert score(endpoint, plan, tmp_path).failures == scored.failures
    assert endpoint.asked == asked


def test_throttling_is_waited_out(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    refused: list[int] = []

    def trouble(operation: str, pictures: list[bytes]) -> None:
        if operation == "CompareFaces" and len(refused) < 8:
            refused.append(1)
            raise Refusal("ProvisionedThroughputExceededException")

    endpoint.trouble = trouble
    scored = score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS), tmp_path)
    assert scored.failures == () and scored.comparisons is not None
    assert np.isfinite(scored.comparisons.scores).all()


def test_throttling_without_end_ends_the_run(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    def trouble(operation: str, pictures: list[bytes]) -> None:
        raise Refusal("ThrottlingException")

    endpoint.trouble = trouble
    with pytest.raises(Fault, match="throttles"):
        score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS), tmp_path)


@pytest.mark.parametrize(
    "code",
    ["AccessDeniedException", "UnrecognizedClientException", "UnknownOperationException"],
)
def test_credentials_that_are_refused_end_the_run(
    endpoint: FakeEndpoint, tmp_path: Path, code: str
) -> None:
    def trouble(operation: str, pictures: list[bytes]) -> None:
        raise Refusal(code)

    endpoint.trouble = trouble
    with pytest.raises(InvalidRequest, match=code) as error:
        score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS), tmp_path)
    assert "\n" not in str(error.value)


def test_what_an_endpoint_says_is_made_fit_for_a_terminal(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    def trouble(operation: str, pictures: list[bytes]) -> Any:
        if operation == "CreateCollection":
            return {"FaceModelVersion": "7\x1b[31m.0\ud800\n"}
        if operation == "DeleteCollection":
            return {}
        raise Refusal("Odd\x1b[2J\ud800" + "x" * 10_000)

    endpoint.trouble = trouble
    scored = score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS[:1]), tmp_path)
    assert scored.system.version == "7 [31m.0"
    for _, reason in scored.failures:
        assert reason.isprintable() and len(reason) <= 200
    assert len(scored.failures) == 2


FACE = {"BoundingBox": BOX}


@pytest.mark.parametrize(
    "lie",
    [
        {"FaceMatches": [{"Similarity": float("nan"), "Face": FACE}]},
        {"FaceMatches": [{"Similarity": float("inf"), "Face": FACE}]},
        {"FaceMatches": [{"Similarity": 10**400, "Face": FACE}]},
        {"FaceMatches": [{"Similarity": 170.0, "Face": FACE}]},
        {"FaceMatches": [{"Similarity": "99", "Face": FACE}]},
        {"FaceMatches": [{"Similarity": True, "Face": FACE}]},
        {"FaceMatches": [{"Face": FACE}]},
        {"FaceMatches": [{"Similarity": 99.0}]},
        {"FaceMatches": [{"Similarity": 99.0, "Face": {}}]},
        {"FaceMatches": [None]},
        {"FaceMatches": {"Similarity": 3}},
        {},
        [],
        b"",
        b"<html>",
        b"\xff\xfe{",
        b'{"FaceMatches": ' + b"[" * 100_000,
    ],
    ids=range(17),
)
def test_an_answer_that_makes_no_sense_is_a_failure_in_one_line(
    endpoint: FakeEndpoint, tmp_path: Path, lie: Any
) -> None:
    endpoint.trouble = lambda operation, pictures: lie if operation == "CompareFaces" else None
    scored = score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS), tmp_path)
    assert scored.comparisons is not None
    assert np.isneginf(scored.comparisons.scores).all()
    assert scored.failures == ()
    says = [problem.says for problem in scored.problems]
    assert len(says) == 3
    assert all("\n" not in one and len(one) < 300 for one in says)


def test_an_answer_without_end_is_cut_off(
    endpoint: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "_MOST_BYTES", 10_000)
    endpoint.trouble = lambda operation, pictures: b" " * 20_000
    scored = score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS[:1]), tmp_path)
    assert [number for number, _ in scored.failures] == [0, 1]


def test_a_model_that_changes_half_way_is_said(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    def trouble(operation: str, pictures: list[bytes]) -> None:
        if endpoint.count("CompareFaces") == 2:
            endpoint.version = "8.0"

    endpoint.trouble = trouble
    scored = score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS), tmp_path)
    assert scored.system.version == "7.0, 8.0"
    assert any("model changed" in problem.says for problem in scored.problems)


def test_a_model_that_changes_between_searches_is_said_with_counts(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    def trouble(operation: str, pictures: list[bytes]) -> None:
        if endpoint.count("SearchFacesByImage") == 3:
            endpoint.version = "8.0"

    endpoint.trouble = trouble
    scored = score(endpoint, plan_of(tmp_path / "d", PEOPLE, None), tmp_path, workers=1)
    (problem,) = scored.problems
    assert "6 answers of 7.0, 2 answers of 8.0" in problem.says


def test_of_very_many_versions_and_reasons_the_first_are_said(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    def trouble(operation: str, pictures: list[bytes]) -> None:
        endpoint.version = f"{len(endpoint.asked)}.0"
        if operation == "SearchFacesByImage" and endpoint.count(operation) % 2:
            raise Refusal(f"Reason{len(endpoint.asked)}")

    endpoint.trouble = trouble
    plan = plan_of(tmp_path / "d", [f"p{n}" for n in range(120)], None)
    scored = score(endpoint, plan, tmp_path, workers=1)
    assert scored.system.version.endswith("more") and len(scored.system.version) < 60
    reasons = failures_of(scored).reasons
    assert len(reasons) == 51 and reasons[-1] == ("other reasons", 10)


def test_an_endpoint_without_collections_compares_all_the_same(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    def trouble(operation: str, pictures: list[bytes]) -> None:
        if operation == "CreateCollection":
            raise Refusal("UnknownOperationException")

    endpoint.trouble = trouble
    scored = score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS), tmp_path)
    assert scored.system.version == "unknown" and scored.problems == ()


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


def test_pictures_that_are_the_same_are_sent_once(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "d", PEOPLE, None)
    plan.samples[1].path.write_bytes(plan.samples[0].path.read_bytes())
    plan = replace(plan, digests=(plan.digests[0], plan.digests[0], *plan.digests[2:]))
    scored = score(endpoint, plan, tmp_path)
    assert endpoint.count("IndexFaces") == 3
    assert scored.comparisons is not None
    assert scored.comparisons.scores[0] == 99


def test_pairs_that_are_not_in_a_list_are_said(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    def trouble(operation: str, pictures: list[bytes]) -> Any:
        return {"FaceMatches": []} if operation == "SearchFacesByImage" else None

    endpoint.trouble = trouble
    scored = score(endpoint, plan_of(tmp_path / "d", PEOPLE, None), tmp_path)
    assert scored.comparisons is not None and not scored.comparisons.scores.any()
    assert any("6 pairs were not in the lists" in problem.says for problem in scored.problems)


def test_a_picture_that_had_to_be_changed_is_said_in_every_run(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    plan = plan_of(tmp_path / "d", PEOPLE, PAIRS)
    data = cv2.imencode(".webp", np.zeros((40, 50, 3), np.uint8))[1].tobytes()
    plan.samples[3].path.write_bytes(data)
    plan = replace(plan, digests=(*plan.digests[:3], hashlib.sha256(data).hexdigest()))
    for _ in range(2):
        scored = score(endpoint, plan, tmp_path)
        (problem,) = scored.problems
        assert problem.where == "3.jpg" and "Sent as a JPEG" in problem.says


def test_an_endpoint_that_only_the_environment_names_is_not_taken_for_aws(
    tmp_path: Path, endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_REKOGNITION", endpoint.url)
    system = RekognitionSystem(None, "us-east-1", 5, tmp_path / "journal", Agreed())
    with pytest.raises(InvalidRequest, match="in place of AWS"):
        system.score(plan_of(tmp_path / "d", PEOPLE, PAIRS), lambda done, total: None)


@pytest.mark.parametrize(
    ("url", "region", "pace", "match"),
    [
        ("ftp://x", "us-east-1", 5, "not the address"),
        ("http://user:pass@x", "us-east-1", 5, "not the address"),
        ("http://[", "us-east-1", 5, "not the address"),
        (None, "no region", 5, "cannot be used"),
        (None, "us-east-1", 0, "calls a second"),
        (None, "us-east-1", float("nan"), "calls a second"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is(
    tmp_path: Path, endpoint: FakeEndpoint, url: str | None, region: str, pace: float, match: str
) -> None:
    with pytest.raises(InvalidRequest, match=match) as error:
        system = RekognitionSystem(url, region, pace, tmp_path / "journal", Agreed())
        system.score(plan_of(tmp_path / "d", PEOPLE, PAIRS), lambda done, total: None)
    assert "pass" not in str(error.value)


def test_an_endpoint_that_is_not_there_is_said(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    system = RekognitionSystem("http://127.0.0.1:1", "us-east-1", 99, tmp_path / "j", Agreed())
    with pytest.raises(Fault, match="cannot be reached"):
        system.score(plan_of(tmp_path / "d", PEOPLE, PAIRS), lambda done, total: None)


def test_without_credentials_it_says_which_to_set(
    tmp_path: Path, endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(InvalidRequest, match="AWS_ACCESS_KEY_ID"):
        score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS), tmp_path)


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


def test_what_was_agreed_to_before_is_not_brought_up_again(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    agreed = Agreed()
    system = RekognitionSystem(endpoint.url, "us-east-1", 1000, tmp_path / "journal", agreed)
    plan = plan_of(tmp_path / "d", PEOPLE, PAIRS)
    system.agree(plan)
    assert len(agreed.costs) == 1 and not endpoint.asked
    system.score(plan, lambda done, total: None)
    assert len(agreed.costs) == 1
    # Something else was not agreed to.
    system.score(plan_of(tmp_path / "d", PEOPLE, None), lambda done, total: None)
    assert len(agreed.costs) == 2


def test_what_is_not_agreed_to_is_not_asked(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    class Declined(Exception):
        pass

    def decline(cost: Cost) -> None:
        raise Declined

    for pairs in (PAIRS, None):
        with pytest.raises(Declined):
            score(endpoint, plan_of(tmp_path / "d", PEOPLE, pairs), tmp_path, confirm=decline)
    assert not endpoint.asked


def test_a_file_that_changed_or_went_is_a_failure(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "d", PEOPLE, [(0, 1), (1, 2), (2, 3)])
    plan.samples[0].path.unlink()
    plan.samples[3].path.write_bytes(picture("other"))
    scored = score(endpoint, plan, tmp_path)
    assert [number for number, _ in scored.failures] == [0, 3]
    assert "changed" in scored.failures[1][1]
    assert scored.comparisons is not None
    assert np.isfinite(scored.comparisons.scores).tolist() == [False, True, False]


def test_each_endpoint_has_a_journal_of_its_own(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "d", PEOPLE, PAIRS)
    score(endpoint, plan, tmp_path)
    with serving(FakeEndpoint()) as other:
        score(other, plan, tmp_path)
        assert other.count("CompareFaces") == 3
    assert endpoint.count("CompareFaces") == 3
    folders = sorted(folder.name for folder in (tmp_path / "journal").iterdir())
    assert len(folders) == 2
    assert all(name.startswith("rekognition-127.0.0.1-") for name in folders)


def test_faces_are_described_in_the_words_of_the_endpoint(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    plan = plan_of(tmp_path / "d", ["anna", "nobody", "berta"], None)
    agreed = Agreed()
    system = RekognitionSystem(endpoint.url, "us-east-1", 1000, tmp_path / "journal", agreed)
    for _ in range(2):
        described = system.answers_of(plan, lambda done, total: None)
        anna, nobody, _berta = described.samples
        assert anna == FaceDescription("Female", 97.5, 20, 30)
        assert nobody == FaceDescription(failure="no face found")
    assert endpoint.count("DetectFaces") == 3 and len(agreed.costs) == 1


@pytest.mark.parametrize(
    "face",
    [
        {"BoundingBox": BOX, "Gender": {"Value": "Female"}},
        {"BoundingBox": BOX, "Gender": {"Value": "Female", "Confidence": 1e9}},
        {"BoundingBox": BOX, "AgeRange": {"Low": 50, "High": 30}},
        {"BoundingBox": BOX, "AgeRange": {"Low": -5, "High": 30}},
        {"BoundingBox": BOX, "AgeRange": {"Low": 5}},
        {"Gender": {"Value": "Female", "Confidence": 90.0}},
    ],
    ids=range(6),
)
def test_a_description_that_makes_no_sense_is_a_failure(
    endpoint: FakeEndpoint, tmp_path: Path, face: Any
) -> None:
    endpoint.trouble = lambda operation, pictures: {"FaceDetails": [face]}
    system = RekognitionSystem(endpoint.url, "us-east-1", 1000, tmp_path / "journal", Agreed())
    described = system.answers_of(plan_of(tmp_path / "d", ["anna"]), lambda done, total: None)
    assert "makes no sense" in described.samples[0].failure


def test_a_face_of_which_nothing_is_said_has_no_description(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    endpoint.trouble = lambda operation, pictures: {"FaceDetails": [{"BoundingBox": BOX}]}
    system = RekognitionSystem(endpoint.url, "us-east-1", 1000, tmp_path / "journal", Agreed())
    described = system.answers_of(plan_of(tmp_path / "d", ["anna"]), lambda done, total: None)
    assert described.samples == (FaceDescription(),)


def test_an_endpoint_that_says_nothing_of_anybody_is_not_asked_about_all(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    endpoint.trouble = lambda operation, pictures: {"FaceDetails": [{"BoundingBox": BOX}]}
    system = RekognitionSystem(endpoint.url, "us-east-1", 1000, tmp_path / "journal", Agreed())
    plan = plan_of(tmp_path / "d", [f"p{n}" for n in range(60)], None)
    with pytest.raises(InvalidRequest, match="said nothing of anybody's sex or age"):
        system.answers_of(plan, lambda done, total: None)
    assert endpoint.count("DetectFaces") == 20


def test_ctrl_c_ends_a_run_soon_and_what_was_answered_stays(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    plan = plan_of(tmp_path / "d", [f"p{n}" for n in range(60)], [(n, n + 1) for n in range(59)])
    endpoint.delay_s = 0.01

    def interrupt(done: int, total: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    system = RekognitionSystem(endpoint.url, "us-east-1", 1000, tmp_path / "journal", Agreed())
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        system.score(plan, interrupt)
    assert time.monotonic() - began < 5
    scored = system.score(plan, lambda done, total: None)
    assert scored.comparisons is not None and np.isfinite(scored.comparisons.scores).all()
    assert endpoint.count("CompareFaces") == 59


def test_calls_keep_their_pace() -> None:
    now = [100.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pace = Pace(4.0, lambda: now[0], sleep)
    for _ in range(9):
        pace.wait()
    assert now[0] - 100 == pytest.approx(8 / 4)
    pace.slow_down()
    pace.wait()
    before = now[0]
    for _ in range(4):
        pace.wait()
    assert now[0] - before == pytest.approx(4 / 2)
    for _ in range(100):
        pace.speed_up()
    pace.wait()
    before = now[0]
    for _ in range(4):
        pace.wait()
    assert now[0] - before == pytest.approx(4 / 4)
    # Nothing is saved up while nobody calls.
    now[0] += 100
    slept.clear()
    for _ in range(3):
        pace.wait()
    assert slept == [pytest.approx(0.25)] * 2
