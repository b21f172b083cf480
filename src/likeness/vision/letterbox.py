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


@dataclass(frozen=True, slots=True, eq=False)
class Letterbox:
    """A picture, resized, at the top left of a canvas whose sides are multiples of 32.

    `canvas` is (h, w, 3) uint8 RGB; `zoom_xy` is canvas pixels per pixel of the full frame.
    """

    canvas: NDArray[np.uint8]
    zoom_xy: tuple[float, float]

    @classmethod
    def fit(cls, image: Image, longer_side: int) -> "Letterbox":
        """Resize so that the picture's longer side has `longer_side` pixels."""
        zoom = longer_side / max(image.width, image.height)
        width = max(1, round(image.width * zoom))
        height = max(1, round(image.height * zoom))
        coarse = width < _COARSE * image.pixels.shape[1]
        resized = cv2.resize(
            image.pixels,
            (width, height),
            interpolation=cv2.INTER_AREA if coarse else cv2.INTER_LINEAR,
        )
        canvas = np.zeros((_up(height), _up(width), 3), np.uint8)
        canvas[:height, :width] = resized
        return cls(canvas, (width / image.width, height / image.height))

    def restore(self, found: Detections) -> Detections:
        """Take findings on the canvas to the full frame."""
        zoom = np.array(self.zoom_xy, np.float32)
        return Detections(
            found.boxes_xyxy / np.concatenate([zoom, zoom]),
            found.landmarks_xy / zoom,
            found.confidences,
        )


def _up(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE
