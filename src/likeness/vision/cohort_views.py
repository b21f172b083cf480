"""Harder pictures of the same faces, for a cohort to know crowds as poor cameras show them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.terms.image import Image

Pixels = NDArray[np.uint8]

_FEW_PIXELS = 48


def harder_views(image: Image, face_height: float) -> list[Image]:
    """Show a picture three more ways: without colour, with few pixels, with hard pale contrast.

    Boxes and landmarks stay where they are. `face_height` is in pixels of the full frame.
    """
    views = (
        _without_colour(image.pixels),
        _with_few_pixels(image.pixels, _FEW_PIXELS / (face_height * image.scale_xy[1])),
        _hard_and_pale(image.pixels),
    )
    return [Image(view, image.width, image.height) for view in views]


def _without_colour(pixels: Pixels) -> Pixels:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)


def _with_few_pixels(pixels: Pixels, scale: float) -> Pixels:
    """Shrink a picture and enlarge it again; one that is small already stays as it is."""
    if scale >= 1:
        return pixels
    height, width = pixels.shape[:2]
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _hard_and_pale(pixels: Pixels) -> Pixels:
    """Brighten the shadows, raise the contrast by 1.4 and keep 0.6 of the colour."""
    brighter = 255 * (np.arange(256) / 255) ** 0.7
    curve = np.clip((brighter - 128) * 1.4 + 128, 0, 255)
    toned = curve[pixels]
    grey = toned.mean(axis=2, keepdims=True)
    return np.asarray(np.clip(grey + 0.6 * (toned - grey), 0, 255), np.uint8)
