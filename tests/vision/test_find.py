"""Which of several faces is meant, and what finding faces holds."""

import gc
import io

import cv2
import numpy as np
import PIL.Image
import pytest

from likeness.vision.align import ARCFACE_LAYOUT
from likeness.vision.decode import DecodeLimits, inspect
from likeness.vision.detect import Detector, DetectorSettings
from likeness.vision.find import FaceLocator, largest_of
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
    assert largest_of(np.array(boxes, np.float32), 400, 200) == meant


def test_a_small_face_is_cut_from_a_larger_picture_once_the_smaller_one_is_gone() -> None:
    pixels = np.full((1200, 1600, 3), 128, np.uint8)
    cv2.circle(pixels, (800, 600), 40, RED, -1)
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "JPEG")
    whole = inspect(file.getvalue()).header.memory(1)
    sample = inspect(file.getvalue(), DecodeLimits(max_memory=whole))
    settings = DetectorSettings(longer_side=400, enlarged_side=400)
    locator = FaceLocator(Detector(DiscDetector(), settings), ARCFACE_LAYOUT, lambda score: score)
    gc.collect()  # pictures of other tests hold none of the memory
    located = locator.locate(sample)
    assert located.image.pixels.shape == (1200, 1600, 3)
    assert len(located.faces) == 1
