"""What an endpoint says of faces: their sex and age, in its own words."""

from pathlib import Path
from typing import Any

import pytest

from likeness.errors import InvalidRequest
from likeness.service.evaluate.systems.endpoint.descriptions import FaceDescription
from likeness.service.evaluate.systems.rekognition_system import RekognitionSystem
from tests.service.evaluate.endpoint_trials import Agreed, plan_of
from tests.service.evaluate.fake_endpoint import (
    BOX,
    FakeEndpoint,
)

pytestmark = pytest.mark.slow


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
