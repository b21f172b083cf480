"""Faces of loose pictures are found and compared alike at every door.

The command line and the library open no home: that is a library's work, which nothing records.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from likeness.app import Workload
from likeness.config import read_settings
from likeness.library import Likeness
from tests.cli.conftest import InstallationWithDiscs

from .conftest import BLUE, GREEN, PINK, RED, Doors

Detect = Callable[[Doors, Path], list[list[float]]]


def detect_faces(doors: Doors, picture: Path) -> list[list[float]]:
    with doors.wire() as client:
        found = client.detect_faces(Image={"Bytes": picture.read_bytes()})["FaceDetails"]
    width, height = 96 * 2, 96
    return [
        [
            one["BoundingBox"]["Left"] * width,
            one["BoundingBox"]["Top"] * height,
            one["BoundingBox"]["Width"] * width,
            one["BoundingBox"]["Height"] * height,
            one["Confidence"] / 100,
            one["Pose"]["Yaw"],
            one["Quality"]["Sharpness"],
        ]
        for one in found
    ]


def detect(doors: Doors, picture: Path) -> list[list[float]]:
    (said,) = doors.json("detect", picture)["pictures"]
    return [
        [
            one["box"]["left"],
            one["box"]["top"],
            one["box"]["right"] - one["box"]["left"],
            one["box"]["bottom"] - one["box"]["top"],
            one["confidence"],
            one["pose"]["yaw"],
            one["quality"]["sharpness"],
        ]
        for one in said["faces"]
    ]


def library_detect(doors: Doors, picture: Path) -> list[list[float]]:
    faces = _library().detect(picture)
    return [
        [
            one.box.left,
            one.box.top,
            one.box.width,
            one.box.height,
            one.confidence,
            one.pose.yaw,
            one.quality.sharpness,
        ]
        for one in faces
    ]


@pytest.mark.parametrize("door", [detect, library_detect])
def test_every_door_finds_the_same_faces_largest_first(doors: Doors, door: Detect) -> None:
    picture = doors.picture("two.png", RED, BLUE)
    expected = detect_faces(doors, picture)
    assert len(expected) == 2
    assert np.allclose(door(doors, picture), expected, atol=0.1)


Compare = Callable[[Doors, Path, Path], list[float]]


def compare_faces(doors: Doors, source: Path, target: Path) -> list[float]:
    with doors.wire() as client:
        answer = client.compare_faces(
            SourceImage={"Bytes": source.read_bytes()},
            TargetImage={"Bytes": target.read_bytes()},
            SimilarityThreshold=0,
        )
    return [one["Similarity"] for one in answer["FaceMatches"]]


def compare(doors: Doors, source: Path, target: Path) -> list[float]:
    said = doors.json("compare", source, target)
    return [said["similarity"], *(one["similarity"] for one in said["others"])]


def library_compare(doors: Doors, source: Path, target: Path) -> list[float]:
    verified = _library().compare(source, target)
    return [verified.similarity, *(one.similarity for one in verified.others)]


@pytest.mark.parametrize("door", [compare, library_compare])
def test_every_door_compares_the_same_faces_most_alike_first(doors: Doors, door: Compare) -> None:
    source, target = doors.picture("red.png", RED), doors.picture("two.png", PINK, GREEN)
    expected = compare_faces(doors, source, target)
    assert len(expected) == 2
    assert door(doors, source, target) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("door", [compare_faces, compare, library_compare])
def test_the_same_face_of_the_same_picture_is_identical_at_every_door(
    doors: Doors, door: Compare
) -> None:
    picture = doors.picture("red.png", RED)
    assert door(doors, picture, picture) == [100]


@pytest.mark.parametrize(
    ("act", "kinds"),
    [
        (detect_faces, ["intent", "done"]),
        (detect, []),
        (library_detect, []),
        (lambda doors, picture: compare_faces(doors, picture, picture), ["intent", "done"]),
        (lambda doors, picture: compare(doors, picture, picture), []),
    ],
    ids=["DetectFaces", "detect", "library detect", "CompareFaces", "compare"],
)
def test_what_opens_a_home_is_on_record_and_nothing_else(
    doors: Doors, act: Callable[[Doors, Path], Any], kinds: list[str]
) -> None:
    picture, entries = doors.picture("red.png", RED), []  # type: ignore[var-annotated]
    with doors.noted(entries):
        act(doors, picture)
    assert [entry["kind"] for entry in entries] == kinds


def _library() -> Likeness:
    return Likeness(InstallationWithDiscs(read_settings()), Workload.ONE, None)
