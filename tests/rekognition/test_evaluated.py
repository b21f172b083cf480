"""Endpoints as systems under test: Likeness's own server, and moto's."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from likeness.service.evaluate.findings import DataFacts
from likeness.service.evaluate.systems.endpoint.descriptions import FaceDescription
from likeness.service.evaluate.systems.rekognition_system import RekognitionSystem
from likeness.service.evaluate.trials import Plan, PlannedSample
from tests.rekognition.conftest import Running
from tests.rekognition.operations.discs import BLUE, GREEN, RED, disc, grey
from tests.services.moto import moto

pytestmark = pytest.mark.slow

# Red and green twice, blue once, and nobody.
PICTURES = (
    ("red", disc(RED)),
    ("red", disc(RED, side=120)),
    ("green", disc(GREEN)),
    ("green", disc(GREEN, BLUE, side=120)),
    ("blue", disc(BLUE)),
    ("nobody", grey(100, 100)),
)


def plan_of(
    folder: Path,
    pairs: Sequence[tuple[int, int]] | None,
    gallery: Sequence[int] = (),
    searches: Sequence[int] = (),
) -> Plan:
    samples = []
    for number, (person, data) in enumerate(PICTURES):
        path = folder / f"{number}.png"
        path.write_bytes(data)
        samples.append(PlannedSample(path, path.name, person))
    return Plan(
        tuple(samples),
        None if pairs is None else np.array(pairs, np.int32).reshape(-1, 2),
        np.array(gallery, np.int32),
        np.array(searches, np.int32),
        DataFacts("discs", "1", "", "", "", len(PICTURES), 4),
        tuple(hashlib.sha256(data).hexdigest() for _, data in PICTURES),
    )


@pytest.fixture
def system_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str, str], RekognitionSystem]:
    def make(url: str, access_key_id: str, secret: str) -> RekognitionSystem:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        journal = tmp_path / "journal"
        return RekognitionSystem(url, "eu-west-1", 500, journal, lambda cost: None, depth=3)

    return make


@pytest.fixture
def likeness(discs: Running, system_of: Any) -> RekognitionSystem:
    """Likeness's own server as the system under test."""
    system: RekognitionSystem = system_of(discs.url, discs.access_key_id, discs.secret)
    return system


def tell(done: int, total: int) -> None:
    pass


def test_pairs_have_the_similarities_that_a_client_of_boto3_sees(
    likeness: RekognitionSystem, rekognition: Any, tmp_path: Path
) -> None:
    pairs = [(0, 1), (0, 2), (2, 3), (4, 5)]
    scored = likeness.score(plan_of(tmp_path, pairs), tell)
    assert scored.comparisons is not None
    for score, (one, other) in zip(scored.comparisons.scores[:3], pairs, strict=False):
        answer = rekognition.compare_faces(
            SourceImage={"Bytes": PICTURES[one][1]},
            TargetImage={"Bytes": PICTURES[other][1]},
            SimilarityThreshold=0,
        )
        largest = max(
            answer["FaceMatches"],
            key=lambda match: match["Face"]["BoundingBox"]["Width"],
        )
        assert score == largest["Similarity"]
    assert np.isneginf(scored.comparisons.scores[3])
    assert scored.failures == ((5, "no face found"),)
    assert scored.system.version not in ("", "unknown")
    assert scored.problems == ()
    assert not left_behind(rekognition)


def test_all_pairs_score_by_search_as_they_do_by_comparison(
    likeness: RekognitionSystem, rekognition: Any, tmp_path: Path
) -> None:
    every = likeness.score(plan_of(tmp_path, None), tell)
    made = every.comparisons
    assert made is not None and len(made) == 15
    pairs = list(zip(made.references.tolist(), made.probes.tolist(), strict=True))
    compared = likeness.score(plan_of(tmp_path, pairs), tell).comparisons
    assert compared is not None
    # A search looks for the largest face at a glance: docs/rekognition.md.
    np.testing.assert_allclose(made.scores, compared.scores, atol=1.0)
    assert every.problems == () and [number for number, _ in every.failures] == [5]
    assert not left_behind(rekognition)


def test_a_gallery_is_searched(
    likeness: RekognitionSystem, rekognition: Any, tmp_path: Path
) -> None:
    scored = likeness.score(plan_of(tmp_path, (), [0, 2, 4], [1, 3, 5]), tell)
    found = scored.searches
    assert found is not None
    assert (found.gallery, found.subjects, found.depth) == (3, 3, 3)
    assert found.mated.tolist() == [True, True, False]
    assert found.mate_ranks.tolist() == [1, 1, 0]
    assert (found.mate_scores[:2] > found.other_scores[:2]).all()
    assert not left_behind(rekognition)


def test_likeness_says_nothing_of_sex_or_age(likeness: RekognitionSystem, tmp_path: Path) -> None:
    described = likeness.answers_of(plan_of(tmp_path, None), tell)
    nothing = FaceDescription()
    assert described.samples == (*[nothing] * 5, FaceDescription(failure="no face found"))


def test_moto_answers_every_comparison_alike(system_of: Any, tmp_path: Path) -> None:
    with moto() as endpoint:
        system = system_of(endpoint, "id", "secret")
        scored = system.score(plan_of(tmp_path, [(0, 1), (0, 2), (4, 5)]), tell)
    assert scored.comparisons is not None
    assert len(set(scored.comparisons.scores)) == 1 and scored.comparisons.scores[0] > 90
    assert scored.system.version == "unknown" and scored.failures == ()


def left_behind(rekognition: Any) -> list[str]:
    """Collections of evaluations that are still there."""
    names = rekognition.list_collections(MaxResults=1000)["CollectionIds"]
    return [name for name in names if name.startswith("likeness-evaluation")]
