"""What the figures of finding faces are measured on, made without any data."""

import subprocess

import numpy as np
import pytest

from bench import false_faces
from bench.close_ups import reaches_in
from bench.drawings import KINDS
from bench.figure import NotMeasured
from bench.turned import turned


@pytest.mark.parametrize("kind", KINDS)
def test_drawings_of_a_kind_are_pictures_that_differ_and_are_drawn_alike_from_one_seed(kind):
    one, again, other = (
        KINDS[kind](np.random.default_rng(seed), 120, 90) for seed in ((0, 1), (0, 1), (0, 2))
    )
    np.testing.assert_array_equal(one, again)
    assert (one.dtype, one.shape) == (np.uint8, (90, 120, 3))
    assert one.flags.c_contiguous
    assert (one != other).any()


def test_a_turned_picture_holds_all_of_it_and_its_place_is_turned_with_it():
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[10:14, 60:64] = 255
    for degrees in range(0, 360, 15):
        canvas, place = turned(pixels, np.array([62, 12], np.float32), degrees)
        x, y = place.round().astype(int)
        assert canvas[y - 1 : y + 1, x - 1 : x + 1].max() > 200, degrees
        assert float(canvas.sum()) == pytest.approx(float(pixels.sum()), rel=0.1)
    canvas, place = turned(pixels, np.array([62, 12], np.float32), 90)
    assert canvas.shape[:2] == (80, 40)
    assert place == pytest.approx([28, 62])


@pytest.mark.parametrize(
    ("other", "reaches"),
    [([90, 0, 130, 40], True), ([120, 0, 160, 40], False), ([20, 20, 60, 60], False)],
    ids=["in part", "beside", "the same face"],
)
def test_another_face_reaches_into_a_crop_and_a_second_finding_of_the_same_does_not(other, reaches):
    boxes = np.array([[10, 10, 90, 90], other], np.float32)
    assert reaches_in(boxes, np.array([0, 0, 100, 100], np.float32)) is reaches


def test_missing_photographs_are_named_with_the_remedy(monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "")
    monkeypatch.setattr(false_faces, "python", lambda: "python")
    monkeypatch.setattr(false_faces.subprocess, "run", lambda *args, **kwargs: failed)
    false_faces._folder.cache_clear()
    with pytest.raises(NotMeasured, match=r"scikit-image.*remove \.venv-bench"):
        false_faces._folder()
