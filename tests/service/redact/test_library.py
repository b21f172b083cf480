"""`likeness.redact` and `redact_clip`, with networks that see discs."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.app import Workload
from likeness.config import Settings
from likeness.errors import InvalidRequest
from likeness.library import Likeness
from likeness.video import Style, reading
from tests.cli.conftest import BLUE, RED, InstallationWithDiscs
from tests.cli.disc_clips import WIDTH, clip_of


@pytest.fixture
def faces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, standards: Path) -> Likeness:
    monkeypatch.setattr(InstallationWithDiscs, "shipped", standards, raising=False)
    settings = Settings(home=tmp_path, cache=tmp_path, recogniser="dlib-resnet-v1")
    return Likeness(InstallationWithDiscs(settings), Workload.ONE, None)


def discs(*colours: tuple[int, int, int]) -> NDArray[np.uint8]:
    pixels = np.full((160, 160 * len(colours), 3), 128, np.uint8)
    for place, colour in enumerate(colours):
        cv2.circle(pixels, (80 + 160 * place, 80), 50, colour, -1)
    return pixels


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    folder = tmp_path / "gallery" / "Rosa"
    folder.mkdir(parents=True)
    for name in ("one.png", "two.png"):
        cv2.imwrite(str(folder / name), discs(RED)[..., ::-1])
    return tmp_path / "gallery"


def strong(pixels: NDArray[np.uint8]) -> float:
    return float((np.ptp(pixels.astype(int), axis=2) > 60).mean())


def test_every_face_of_a_picture_is_hidden_and_what_was_given_stays(faces: Likeness) -> None:
    given = discs(RED, BLUE)
    before = given.copy()
    redacted = faces.redact(given, style=Style.BLACK)
    assert len(redacted.hidden) == 2
    assert strong(redacted.pixels) == 0
    assert (given == before).all()


def test_somebody_who_is_known_stays_visible_or_is_hidden_alone(
    faces: Likeness, gallery: Path
) -> None:
    people, given = faces.gallery(gallery), discs(RED, BLUE)
    kept = faces.redact(given, keep=people, style=Style.BLACK)
    assert [one.called for one in kept.shown] == ["Rosa"]
    assert strong(kept.pixels[:, :160]) > 0.1 > strong(kept.pixels[:, 160:])
    only = faces.redact(given, only=people, style=Style.BLACK, careful=False)
    assert strong(only.pixels[:, :160]) < 0.1 < strong(only.pixels[:, 160:])


def test_a_clip_is_written_with_one_person_visible(
    faces: Likeness, gallery: Path, tmp_path: Path
) -> None:
    clip = clip_of(tmp_path / "clip.mp4", [(RED, 0, 3, 100), (BLUE, 0, 3, 330)], 3.0)
    out = tmp_path / "out.mp4"
    redacted = faces.redact_clip(clip, out, keep=faces.gallery(gallery), style=Style.BLACK)
    assert redacted.written.frames == 30
    with out.open("rb") as file, reading(file) as reader:
        frame = list(reader)[15]
    assert frame.image is not None
    pixels = frame.image.pixels
    assert strong(pixels[:, : WIDTH // 2]) > 0.05 > strong(pixels[:, WIDTH // 2 :])


def test_people_to_keep_and_to_hide_are_not_given_together(faces: Likeness, gallery: Path) -> None:
    people = faces.gallery(gallery)
    with pytest.raises(InvalidRequest, match="both given"):
        faces.redact(discs(RED), keep=people, only=people)
