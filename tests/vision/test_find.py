"""Which of several faces is meant, and what finding faces holds."""

import gc
import io

import cv2
import numpy as np
import PIL.Image
import pytest

from likeness.terms import Image
from likeness.vision.decode import DecodeLimits, inspect
from likeness.vision.detect import Detector, DetectorSettings, SearchDetail
from likeness.vision.detections import Detections
from likeness.vision.embed import ARCFACE_LAYOUT
from likeness.vision.find import FaceLocator, Located, foremost_of
from tests.cli.conftest import RED, DiscDetector


@pytest.mark.parametrize(
    ("boxes", "meant"),
    [
        ([(0, 0, 60, 60), (180, 80, 220, 120)], 0),
        ([(0, 0, 60, 60), (170, 70, 228, 128)], 1),
        ([(0, 0, 60, 60), (172, 72, 228, 128)], 0),
        ([(340, 0, 400, 60), (0, 0, 60, 60), (90, 70, 148, 128)], 2),
        ([(0, 0, 60, 60)], 0),
    ],
    ids=["small in the middle", "within a tenth", "just beyond a tenth", "of three", "alone"],
)
def test_the_largest_face_is_meant_and_of_nearly_equal_ones_the_nearer_to_the_middle(
    boxes: list[tuple[int, ...]], meant: int
) -> None:
    assert foremost_of(np.array(boxes, np.float32), 400, 200) == meant


def test_a_small_face_is_cut_from_a_larger_picture_once_the_smaller_one_is_gone() -> None:
    pixels = np.full((1200, 1600, 3), 128, np.uint8)
    cv2.circle(pixels, (800, 600), 40, RED, -1)
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "JPEG")
    whole = inspect(file.getvalue()).header.memory(1)
    sample = inspect(file.getvalue(), DecodeLimits(max_memory=whole))
    settings = DetectorSettings(longer_side=400)
    locator = FaceLocator(Detector(DiscDetector(), settings), ARCFACE_LAYOUT, lambda score: score)
    gc.collect()  # pictures of other tests hold none of the memory
    located = locator.locate(sample)
    assert located.image.pixels.shape == (1200, 1600, 3)
    assert len(located.faces) == 1


@pytest.mark.parametrize(
    ("boxes", "stands_out"),
    [
        ([], False),
        ([(0, 0, 60, 60)], True),
        ([(0, 0, 60, 60), (90, 0, 120, 30)], True),
        ([(0, 0, 60, 60), (90, 0, 121, 30), (200, 0, 210, 10)], False),
    ],
    ids=["none", "alone", "four times", "less"],
)
def test_a_face_stands_out_where_it_is_alone_or_four_times_as_large_as_the_next(
    boxes: list[tuple[int, ...]], stands_out: bool
) -> None:
    boxes_xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    count = len(boxes)
    found = Detections(boxes_xyxy, np.zeros((count, 5, 2), np.float32), np.ones(count, np.float32))
    image = Image(np.zeros((200, 400, 3), np.uint8), 400, 200)
    assert Located((), image, found, SearchDetail(400, 200, 24)).stands_out is stands_out


def test_of_a_crowd_the_largest_are_found_as_many_as_asked() -> None:
    pixels = np.full((900, 900, 3), 128, np.uint8)
    for number, radius in enumerate((20, 60, 30, 50, 12, 40)):
        cv2.circle(pixels, (150 + 300 * (number % 3), 200 + 400 * (number // 3)), radius, RED, -1)
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "PNG")
    settings = DetectorSettings(longer_side=832)
    locator = FaceLocator(Detector(DiscDetector(), settings), ARCFACE_LAYOUT, lambda score: score)
    every, some = (locator.locate(inspect(file.getvalue()), most) for most in (None, 3))
    assert len(every.faces) > 3
    assert [one.box for one in some.faces] == [one.box for one in every.faces[:3]]
