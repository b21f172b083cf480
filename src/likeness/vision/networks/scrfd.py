"""Decode SCRFD (Guo et al., Sample and Computation Redistribution for Face Detection, 2021)."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from likeness.vision.detections import Detections, OneAtATime, joined
from likeness.vision.networks.pyramid import Pyramid
from likeness.vision.networks.session import Session

PYRAMID = Pyramid("SCRFD", anchors=2, scores=1)


class Scrfd(OneAtATime):
    """Measures from each cell's corner to the sides of the face and its points, in strides.

    The points come in the order of `terms.Landmarks`.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        """Find candidates of at least `threshold` in (h, w, 3) uint8 RGB.

        Raises:
            InvalidRequest: the network is no SCRFD with five landmarks.
        """
        return joined(list(self._by_stride(canvas, threshold)))

    def _by_stride(self, canvas: NDArray[np.uint8], threshold: float) -> Iterator[Detections]:
        for level in PYRAMID.levels(self._session.run(canvas[None]), canvas):
            (confidences,) = level.scores
            kept = np.flatnonzero(confidences >= threshold)
            corners = level.corners_xy(kept)
            before, after = np.split(level.boxes[kept] * level.stride, 2, axis=1)
            yield Detections(
                np.hstack([corners - before, corners + after]),
                level.points_xy(kept),
                confidences[kept],
            )
