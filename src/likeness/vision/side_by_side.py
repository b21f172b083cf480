"""Lays faces out alike for people to compare: upright, of one size, eyes at the same places."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.terms import Image
from likeness.vision.embed import ChipLayout, onto_chip

WIDTH, HEIGHT = 440, 550
_EYES_Y = 0.42 * HEIGHT
_EYE_LEFT, _EYE_RIGHT = complex(0.36 * WIDTH, _EYES_Y), complex(0.64 * WIDTH, _EYES_Y)
_HALF_PIXEL = 0.5
_GREY = (128, 128, 128)

Transform = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """A face with its eyes level and at the places that all have: `WIDTH` by `HEIGHT` pixels.

    `pixels` is (h, w, 3) uint8 RGB. `transform` is (2, 3), from pixels of the full frame to these;
    `zoom` is how much larger these are.
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    transform: Transform = field(repr=False)
    zoom: float


def level_eyes(image: Image, landmarks_xy: NDArray[np.float32]) -> Level:
    """Turn, size and move a picture until the eyes of (5, 2) landmarks are where all have them."""
    left, right = (complex(x, y) for x, y in landmarks_xy[:2].tolist())
    apart = right - left
    # A similarity of the plane is one complex product and one sum.
    a = (_EYE_RIGHT - _EYE_LEFT) / apart if abs(apart) > 1e-6 else complex(1)
    b = _EYE_LEFT - a * left
    transform = np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])
    scale_x, scale_y = image.scale_xy
    held = np.array([[1 / scale_x, 0, 0], [0, 1 / scale_y, 0], [0, 0, 1]])
    pixels = cv2.warpAffine(
        image.pixels,
        _between_centres(transform @ held),
        (WIDTH, HEIGHT),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=_GREY,
    )
    return Level(np.asarray(pixels, np.uint8), transform, abs(a))


def chip_to_level(
    image: Image, landmarks_xy: NDArray[np.float32], layout: ChipLayout, level: Level
) -> Transform:
    """Give the (2, 3) transform from a face's chip to its level picture, both from their edges."""
    scale_x, scale_y = image.scale_xy
    held = np.array([[scale_x, 0, 0], [0, scale_y, 0], [0, 0, 1]])
    onto = _between_edges(onto_chip(image, landmarks_xy, layout)) @ held
    back = np.linalg.inv(np.vstack([onto, [0, 0, 1]]))
    return np.asarray(level.transform @ back, np.float64)


def _between_centres(transform: Transform) -> Transform:
    """Take a transform of places from edges to one from centres of pixels, as warps need it."""
    moved = transform.copy()
    moved[:, 2] += transform[:, :2].sum(axis=1) * _HALF_PIXEL - _HALF_PIXEL
    return moved


def _between_edges(transform: Transform) -> Transform:
    moved = transform.copy()
    moved[:, 2] += _HALF_PIXEL - transform[:, :2].sum(axis=1) * _HALF_PIXEL
    return moved
