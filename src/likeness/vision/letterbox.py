"""Fit a picture into what a detector's network is shown, and bring its findings back."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.terms.image import Image
from likeness.vision.detections import Detections

_MULTIPLE = 32
# From here on interpolation, which looks at four pixels, would leave gaps; averaging is ten times
# slower.
_COARSE = 0.5
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
        coarse = width < _COARSE * image.pixels.shape[1]
        resized = cv2.resize(
            image.pixels,
            (width, height),
            interpolation=cv2.INTER_AREA if coarse else cv2.INTER_LINEAR,
        )
        shape = (_up(height + 2 * border), _up(width + 2 * border), 3)
        canvas = np.full(shape, _GREY if border else _BLACK, np.uint8)
        canvas[border : border + height, border : border + width] = resized
        return cls(canvas, (width / image.width, height / image.height), border)

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
