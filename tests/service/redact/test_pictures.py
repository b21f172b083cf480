"""What of a picture stays visible beside somebody who is kept."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.service.redact.asked import Manner, Whom
from likeness.service.redact.pictures import PictureRedactor
from likeness.service.search.identify import Identification, Identified
from likeness.terms import Box, Face, Landmarks, Point, Pose, Quality
from likeness.video import Style
from likeness.vision.decode import read_sample
from likeness.vision.every_face import PossibleFace

_ANNA, _BESIDE = Box(100, 100, 300, 340), Box(240, 200, 320, 300)
_MARKS = Landmarks(*(Point(150, 150) for _ in range(5)))


class Found:
    """Finds what it is told."""

    def __init__(self, *found: tuple[Box, float]) -> None:
        self._found = [PossibleFace(box, _MARKS, likely) for box, likely in found]

    def find(self, image: object) -> list[PossibleFace]:
        return self._found


def face_at(box: Box, name: str | None) -> Identification:
    face = Face(box, _MARKS, 0.95, Pose(0, 0, 0), Quality(100, 50, 80))
    match: Any = SimpleNamespace(match=True, name=name, fmr=1e-6)
    return Identification(face, None, (match,) if name else ())  # type: ignore[arg-type]


def hidden_beside(
    tmp_path: Path, likely: float, *, is_named: bool = False, whom: Whom = Whom.ALL_BUT
) -> NDArray[np.bool_]:
    """Whether pixels are hidden that are of Anna's face and of what is found beside it."""
    path = tmp_path / "picture.png"
    cv2.imwrite(str(path), np.full((400, 400, 3), 200, np.uint8))
    sample = read_sample(path)
    faces = [face_at(_ANNA, "Anna")] if whom is Whom.ALL_BUT else []
    faces += [face_at(_BESIDE, None)] if is_named else []
    redactor = PictureRedactor(
        Found((_ANNA, 0.99), (_BESIDE, likely)),  # type: ignore[arg-type]
        Manner(Style.BLACK),
    )
    pixels = redactor.redact(sample, whom, Identified(sample, tuple(faces))).pixels
    return np.asarray(pixels[230:270, 250:270].max(axis=2) == 0)


def test_what_was_never_surely_a_face_hides_nothing_of_who_is_kept(tmp_path: Path) -> None:
    assert not hidden_beside(tmp_path, 0.85).any()


def test_whom_somebody_else_found_is_a_face_however_likely(tmp_path: Path) -> None:
    assert hidden_beside(tmp_path, 0.85, is_named=True).all()


@pytest.mark.parametrize("likely", [0.92, 0.99])
def test_a_face_hides_whoever_is_behind_it(tmp_path: Path, likely: float) -> None:
    assert hidden_beside(tmp_path, likely).all()


def test_where_some_people_alone_are_hidden_nothing_gives_way(tmp_path: Path) -> None:
    assert hidden_beside(tmp_path, 0.85, whom=Whom.ONLY).all()
