"""Finds faces that lie on their side or stand on their head.

Detectors learn from upright faces and find those turned by up to 60 degrees or so. A picture that
is turned by 90, 180 and 270 degrees brings every other face within that.
"""

import numpy as np
from numpy.typing import NDArray

from likeness.vision.detections import Detections, FaceNetwork, Floats, joined, suppressed

_QUARTER_TURNS = (1, 2, 3)


def found_turned(
    network: FaceNetwork, canvas: NDArray[np.uint8], threshold: float, overlap: float
) -> Detections:
    """Find faces that are upright once the canvas is turned by 90, 180 or 270 degrees.

    Args:
        network: what finds faces; it is asked three times.
        canvas: (h, w, 3) uint8 RGB, sides multiples of 32.
        threshold: the least confidence, 0 to 1.
        overlap: boxes of a higher intersection over union are one face.

    Returns:
        Findings in pixels of the canvas as given, most confident first.
    """
    found = []
    for turns in _QUARTER_TURNS:
        turned = np.ascontiguousarray(np.rot90(canvas, turns))
        found.append(_turned_back(network.find(turned, threshold), turns, turned.shape[:2]))
    return suppressed(joined(found), overlap)


def _turned_back(found: Detections, turns: int, shown_hw: tuple[int, ...]) -> Detections:
    """Take findings from a canvas that was turned anticlockwise so many times to how it was."""
    height, width = shown_hw
    boxes, points = found.boxes_xyxy, found.landmarks_xy
    for _ in range(turns):
        points = _clockwise(points, height)
        corners = _clockwise(boxes.reshape(-1, 2, 2), height)
        boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
        height, width = width, height
    return Detections(boxes, points, found.confidences)


def _clockwise(places_xy: Floats, height: int) -> Floats:
    """Turn places in a picture of some height by 90 degrees, clockwise: (..., 2)."""
    turned = np.stack([height - places_xy[..., 1], places_xy[..., 0]], axis=-1)
    return np.asarray(turned, np.float32)
