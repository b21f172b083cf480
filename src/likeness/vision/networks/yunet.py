"""Decode YuNet (Wu, Peng, Yu, YuNet: A Tiny Millisecond-level Face Detector, 2023)."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from likeness.vision.detections import Detections, OneAtATime, joined
from likeness.vision.networks.pyramid import Pyramid
from likeness.vision.networks.session import Session

PYRAMID = Pyramid("YuNet", anchors=1, scores=2)


class YuNet(OneAtATime):
    """Places centre, logarithmic size and points of the face from each cell's corner, in strides.

    A candidate's confidence is the geometric mean of its two scores, that it is a face and that
    it is an object; the order of the two does not matter. YuNet's points begin with the subject's
    right eye, the picture's left: the order of `terms.Landmarks`.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        """Find candidates of at least `threshold` in (h, w, 3) uint8 RGB.

        Raises:
            InvalidRequest: the network is no YuNet.
        """
        return joined(list(self._by_stride(canvas, threshold)))

    def _by_stride(self, canvas: NDArray[np.uint8], threshold: float) -> Iterator[Detections]:
        for level in PYRAMID.levels(self._session.run(canvas[None]), canvas):
            a, b = (np.clip(score, 0, 1) for score in level.scores)
            confidences = np.sqrt(a * b)
            kept = np.flatnonzero(confidences >= threshold)
            corners = level.corners_xy(kept)
            shift, log_size = np.split(level.boxes[kept], 2, axis=1)
            centre = corners + shift * level.stride
            half = np.exp(log_size) * (level.stride / 2)
            yield Detections(
                np.hstack([centre - half, centre + half]),
                level.points_xy(kept),
                confidences[kept],
            )
