"""Fit a picture into what a detector's network is shown, and bring its findings back."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.terms import Image
from likeness.vision.detections import Detections

_MULTIPLE = 32
_BLACK, _GREY = 0, 128


@dataclass(frozen=True, slots=True, eq=False)
class Letterbox:
    """A picture, resized, at the top left of a canvas whose sides are multiples of 32.

    `canvas` is (h, w, 3) uint8 RGB; `zoom_xy` is canvas pixels per pixel of the full frame, and
    `border` the canvas pixels to the left of the picture and above it.
    """

    canvas: NDArray[np.uint8]
    zoom_xy: tuple[float, float]
    border: int = 0

    @classmethod
    def fit(cls, image: Image, longer_side: int, border: int = 0) -> "Letterbox":
        """Resize so that the picture's longer side has `longer_side` pixels.

        A border of at least so many pixels is put around it, grey; without one, what the canvas has
        beyond the picture is black.
        """
        zoom = longer_side / max(image.width, image.height)
        width = max(1, round(image.width * zoom))
        height = max(1, round(image.height * zoom))
        factor = max(1, int(image.pixels.shape[1] / width))
        near = _averaged(image.pixels, factor)
        resized = cv2.resize(near, (width, height), interpolation=cv2.INTER_LINEAR)
        shape = (_up(height + 2 * border), _up(width + 2 * border), 3)
        canvas = np.full(shape, _GREY if border else _BLACK, np.uint8)
        canvas[border : border + height, border : border + width] = resized
        # What did not fill a square at the right and the bottom is not shown.
        held_h, held_w = (
            min(n * factor, m) for n, m in zip(near.shape[:2], image.pixels.shape[:2], strict=True)
        )
        scale_x, scale_y = image.scale_xy
        return cls(canvas, (width * scale_x / held_w, height * scale_y / held_h), border)

    def restore(self, found: Detections) -> Detections:
        """Take findings on the canvas to the full frame."""
        zoom = np.array(self.zoom_xy, np.float32)
        return Detections(
            (found.boxes_xyxy - self.border) / np.concatenate([zoom, zoom]),
            (found.landmarks_xy - self.border) / zoom,
            found.confidences,
        )


def _up(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE


def _averaged(pixels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Average squares of so many pixels a side: interpolation looks at two, and would leave gaps.

    Averaging whole squares takes a tenth of the time that averaging parts of pixels does.
    """
    if factor == 1:
        return pixels
    height, width = (max(1, side // factor) for side in pixels.shape[:2])
    whole = pixels[: height * factor, : width * factor]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
