"""Finding faces in the frames of a clip, with what finds them in photographs."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from likeness.app import Workload
from likeness.config import Settings
from likeness.errors import Fault
from likeness.service.video.finding import FramesFinder
from likeness.terms import Image
from likeness.video import FrameFinder
from likeness.vision.decode import sample_of_array
from likeness.vision.find import FaceFinder
from tests.cli.conftest import BLUE, GREEN, RED, InstallationWithDiscs


@pytest.fixture
def installation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, standards: Path
) -> InstallationWithDiscs:
    monkeypatch.setattr(InstallationWithDiscs, "shipped", standards, raising=False)
    return InstallationWithDiscs(
        Settings(home=tmp_path, cache=tmp_path, recogniser="dlib-resnet-v1")
    )


@pytest.fixture
def finder(installation: InstallationWithDiscs) -> FaceFinder:
    return installation.finder(installation.engine(Workload.ONE))


def frame_of(*colours: tuple[int, int, int]) -> Image:
    """A frame with a disc of each colour, each smaller than the one before."""
    pixels = np.full((360, 640, 3), 128, np.uint8)
    for place, colour in enumerate(colours):
        cv2.circle(pixels, (100 + 200 * place, 180), 60 - 10 * place, colour, -1)
    return Image.of(pixels)


def test_a_frame_shows_the_faces_that_a_photograph_of_it_shows(finder: FaceFinder) -> None:
    frame = frame_of(RED, GREEN, BLUE)
    frames = FramesFinder(finder)
    photograph = finder.locate(sample_of_array(frame.pixels)).faces
    assert tuple(frames.locate(frame, least=None)) == photograph
    faces = frames.locate(frame)
    assert len(faces) == 3
    for face, photographed in zip(faces, photograph, strict=True):
        assert face.box.overlap(photographed.box) > 0.95


def test_templates_are_of_the_faces_that_are_asked_for_in_their_order(finder: FaceFinder) -> None:
    frame = frame_of(RED, GREEN, BLUE)
    frames: FrameFinder = FramesFinder(finder)
    red, _, blue = frames.locate(frame)
    all_of_them = finder.templates(finder.locate(sample_of_array(frame.pixels)))
    templates = frames.templates(frame, [blue, red])
    assert [each.model for each in templates] == [finder.model] * 2
    for template, photographed in zip(templates, (all_of_them[2], all_of_them[0]), strict=True):
        assert template.vector @ photographed.vector > 0.999
    assert list(frames.templates(frame, [])) == []


def test_a_face_is_cut_out_as_a_small_jpeg(finder: FaceFinder) -> None:
    frame = frame_of(RED)
    frames = FramesFinder(finder)
    crop = cv2.imdecode(
        np.frombuffer(frames.crop_jpeg(frame, frames.locate(frame)[0].box), "u1"), 1
    )
    assert crop is not None
    assert max(crop.shape) <= 256


def test_what_only_locates_faces_finds_them_and_makes_no_templates(
    installation: InstallationWithDiscs,
) -> None:
    frames = FramesFinder(installation.locator(installation.engine(Workload.ONE)))
    frame = frame_of(RED, GREEN)
    faces = frames.locate(frame)
    assert len(faces) == 2
    with pytest.raises(Fault, match="only locates"):
        frames.templates(frame, faces)


def test_a_frame_without_faces_has_none(finder: FaceFinder) -> None:
    assert list(FramesFinder(finder).locate(frame_of())) == []
