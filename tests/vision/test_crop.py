"""What reviewers look at."""

import cv2
import numpy as np
import pytest

from likeness.terms import Box, Image
from likeness.vision.draw import box_in_crop, face_crop_jpeg


def opened(jpeg: bytes) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def with_red_square(size: tuple[int, int], box: Box) -> Image:
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[int(box.top) : int(box.bottom), int(box.left) : int(box.right)] = (255, 0, 0)
    return Image.of(pixels)


def test_crop_holds_the_face_and_a_margin_around_it():
    box = Box(400, 300, 500, 400)
    crop = opened(face_crop_jpeg(with_red_square((1000, 800), box), box))
    assert crop.shape == (170, 170, 3)
    red = crop[:, :, 0] > 128
    assert abs(red.mean() - (1 / 1.7) ** 2) < 0.02
    assert abs(np.argwhere(red).mean(axis=0) - 84.5).max() < 1


def test_crop_of_a_large_face_is_reduced():
    box = Box(100, 100, 900, 900)
    crop = opened(face_crop_jpeg(with_red_square((1000, 1000), box), box))
    assert crop.shape == (256, 256, 3)
    assert abs((crop[:, :, 0] > 128).mean() - (1 / 1.7) ** 2) < 0.02


def test_crop_at_the_edge_is_grey_beyond_the_picture():
    box = Box(-20, -20, 80, 80)
    crop = opened(face_crop_jpeg(with_red_square((200, 200), Box(0, 0, 80, 80)), box))
    assert abs(int(crop[2, 2, 1]) - 128) < 8
    assert crop[100, 100, 0] > 200


def test_crop_of_a_picture_decoded_smaller_is_of_the_same_place():
    box = Box(400, 300, 500, 400)
    whole = with_red_square((1000, 800), box)
    half = Image(np.ascontiguousarray(whole.pixels[::2, ::2]), 1000, 800)
    crop = opened(face_crop_jpeg(half, box))
    assert abs(crop.shape[0] - 85) <= 1
    assert abs((crop[:, :, 0] > 128).mean() - (1 / 1.7) ** 2) < 0.04


@pytest.mark.parametrize("box", [Box(400, 300, 500, 400), Box(400, 200, 500, 500)])
def test_a_crop_tells_where_the_face_is(box: Box) -> None:
    crop = opened(face_crop_jpeg(with_red_square((1000, 800), box), box))
    red = np.argwhere(crop[:, :, 0] > 128)
    found = box_in_crop(box, crop.shape[1], crop.shape[0])
    assert red.min(axis=0) == pytest.approx((found.top, found.left), abs=1.5)
    assert red.max(axis=0) == pytest.approx((found.bottom - 1, found.right - 1), abs=1.5)
