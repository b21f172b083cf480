"""Sort out what a detector says at strides 8, 16 and 32: one row for each anchor of each cell.

SCRFD and YuNet both give scores, boxes and five points this way. Exporters name and order these
outputs as they like, so they are recognised by their shapes, which tell apart all but the scores
of one anchor.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.vision.detections import Floats

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
    """How a family of detectors lays its outputs out: anchors to a cell, scores to an anchor."""

    family: str
    anchors: int
    scores: int

    def levels(self, outputs: Sequence[Floats], canvas: NDArray[np.uint8]) -> Iterator[Level]:
        """Go through the strides, finest first; `canvas` is the (h, w, 3) that was shown.

        Outputs are (m, c), or (1, m, c) where the graph keeps a batch axis.

        Raises:
            InvalidRequest: the outputs are not this family's.
        """
        height, width = canvas.shape[:2]
        self.check([values.shape for values in outputs], height, width)
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

    def check(self, shapes: Sequence[tuple[int, ...] | None], height: int, width: int) -> None:
        """Check the shapes of the outputs for a canvas of one size; None for one unknown.

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
                f"{self.family} with five landmarks was expected, {expected.total()} outputs of"
                f" 1, 4 and 10 channels at strides 8, 16 and 32 of {width}x{height}; this graph has"
                f" {len(shapes)}: {', '.join(map(str, shapes))}; give one with landmarks"
                " (keypoints) and free sides"
            )

    def _count(self, stride: int, height: int, width: int) -> int:
        return (height // stride) * (width // stride) * self.anchors
