"""Decode SCRFD and YuNet, which give a row for each anchor of each cell at strides 8, 16 and 32.

SCRFD: Guo et al., Sample and Computation Redistribution for Face Detection, 2021. YuNet: Wu, Peng,
Yu, YuNet: A Tiny Millisecond-level Face Detector, 2023. Both give scores, boxes and five points, in
the order of `terms.Landmarks` (YuNet's begin with the subject's right eye, the picture's left).
Exporters name and order these outputs as they like, so they are recognised by their shapes, which
tell apart all but the scores of one anchor.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.vision.detections import Detections, DetectorForm, FaceNetwork, Floats, Shape, join
from likeness.vision.networks.session import Preparation, Session

STRIDES = (8, 16, 32)
_SCORE, _BOX, _POINTS = 1, 4, 10


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """What was said at one stride, m rows: by row of cells, then cell, then anchor.

    `scores` are one or more (m,), `boxes` (m, 4), `points` (m, 5, 2), all float32 and as the
    network gave them.
    """

    stride: int
    columns: int
    anchors: int
    scores: tuple[Floats, ...]
    boxes: Floats
    points: Floats

    def corners_xy(self, rows: NDArray[np.intp]) -> Floats:
        """Say where the cells of some rows begin: (m, 2) float32, pixels of the canvas."""
        cells = rows // self.anchors
        corners = np.stack([cells % self.columns, cells // self.columns], axis=1) * self.stride
        return corners.astype(np.float32)

    def points_xy(self, rows: NDArray[np.intp]) -> Floats:
        """Say where the points of some rows are: (m, 5, 2) float32, pixels of the canvas."""
        pixels = self.corners_xy(rows)[:, None] + self.points[rows] * self.stride
        # They name pixels, whose centres recognisers were taught to align by.
        return np.asarray(pixels + 0.5, np.float32)


@dataclass(frozen=True, slots=True)
class Pyramid:
    """How a family of detectors lays its outputs out: anchors to a cell, scores to an anchor.

    `read` gives the candidates of at least a threshold at one stride.
    """

    family: str
    anchors: int
    scores: int
    read: Callable[[Level, float], Detections]

    def levels(self, outputs: Sequence[Floats], canvas: NDArray[np.uint8]) -> Iterator[Level]:
        """Go through the strides, finest first; `canvas` is the (h, w, 3) that was shown.

        Outputs are (m, c), or (1, m, c) where the graph keeps a batch axis.

        Raises:
            InvalidRequest: the outputs are not this family's.
        """
        height, width = canvas.shape[:2]
        self.check([values.shape for values in outputs], 1, height, width)
        by_shape = defaultdict(list)
        for values in outputs:
            rows = values.reshape(-1, values.shape[-1])
            by_shape[rows.shape].append(rows)
        for stride in STRIDES:
            count = self._count(stride, height, width)
            yield Level(
                stride,
                width // stride,
                self.anchors,
                tuple(score[:, 0] for score in by_shape[count, _SCORE]),
                by_shape[count, _BOX][0],
                by_shape[count, _POINTS][0].reshape(-1, 5, 2),
            )

    def check(self, shapes: Sequence[Shape | None], count: int, height: int, width: int) -> None:
        """Check the shapes of the outputs for one canvas of some size; None for one unknown.

        Raises:
            InvalidRequest: they are not this family's.
        """
        expected = Counter(
            (self._count(stride, height, width), channels)
            for stride in STRIDES
            for channels in (*[_SCORE] * self.scores, _BOX, _POINTS)
        )
        rows = Counter((math.prod(s[:-1]), *s[-1:]) for s in shapes if s is not None)
        if len(shapes) != expected.total() or not rows <= expected:
            raise InvalidRequest(
                f"Not {self.family} with five landmarks, which has {expected.total()} outputs of"
                f" 1, 4 and 10 channels at strides 8, 16 and 32 of {width}x{height}: this graph has"
                f" {len(shapes)}, {', '.join(map(str, shapes))}. Give one with landmarks"
                " (keypoints) and free sides."
            )

    def _count(self, stride: int, height: int, width: int) -> int:
        return (height // stride) * (width // stride) * self.anchors


class PyramidNetwork(FaceNetwork):
    """A detector of one family."""

    def __init__(self, pyramid: Pyramid, session: Session) -> None:
        self._pyramid = pyramid
        self._session = session

    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        """Find candidates of at least `threshold` in (h, w, 3) uint8 RGB.

        Raises:
            InvalidRequest: the network is none of its family with five landmarks.
        """
        levels = self._pyramid.levels(self._session.run(canvas[None]), canvas)
        return join([self._pyramid.read(level, threshold) for level in levels])


def _scrfd(level: Level, threshold: float) -> Detections:
    """Measure from each cell's corner to the sides of the face, in strides."""
    (confidences,) = level.scores
    kept = np.flatnonzero(confidences >= threshold)
    corners = level.corners_xy(kept)
    before, after = np.split(level.boxes[kept] * level.stride, 2, axis=1)
    boxes = np.hstack([corners - before, corners + after])
    return Detections(boxes, level.points_xy(kept), confidences[kept])


def _yunet(level: Level, threshold: float) -> Detections:
    """Measure from each cell's corner to the middle of the face, in strides; sizes are logarithmic.

    A confidence is the geometric mean of two scores, that it is a face and that it is an object;
    the order of the two does not matter.
    """
    a, b = (np.clip(score, 0, 1) for score in level.scores)
    confidences = np.sqrt(a * b)
    kept = np.flatnonzero(confidences >= threshold)
    shift, log_size = np.split(level.boxes[kept], 2, axis=1)
    centre = level.corners_xy(kept) + shift * level.stride
    half = np.exp(log_size) * (level.stride / 2)
    boxes: Floats = np.hstack([centre - half, centre + half])
    return Detections(boxes, level.points_xy(kept), confidences[kept])


_SCRFD = Pyramid("SCRFD", anchors=2, scores=1, read=_scrfd)
_YUNET = Pyramid("YuNet", anchors=1, scores=2, read=_yunet)

SCRFD = DetectorForm(
    network=partial(PyramidNetwork, _SCRFD),
    check=_SCRFD.check,
    preparation=Preparation(mean=(127.5, 127.5, 127.5), scale=128.0),
)
YUNET = DetectorForm(
    network=partial(PyramidNetwork, _YUNET),
    check=_YUNET.check,
    preparation=Preparation(channels="BGR"),
)
