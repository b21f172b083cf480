"""What a detector's network is to the rest, and what each form of detector says about itself."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from likeness.vision.detections import Detections
from likeness.vision.networks.session import UNPREPARED, Preparation, Session

Shape = tuple[int, ...]


class FaceNetwork(Protocol):
    """A network that finds candidates for faces; one class for each kind of output maps."""

    def find(self, canvas: NDArray[np.uint8], threshold: float) -> Detections:
        """Find every candidate of at least `threshold`, overlapping ones too.

        `canvas` is (h, w, 3) uint8 RGB, sides multiples of 32; findings are in its pixels.
        """
        ...

    def find_each(self, canvases: NDArray[np.uint8], threshold: float) -> list[Detections]:
        """Find the candidates of each of (n, h, w, 3) canvases, one after the other."""
        return [self.find(canvas, threshold) for canvas in canvases]


@dataclass(frozen=True, slots=True)
class Curve:
    """A logistic curve over a score.

    A detector's score orders what it finds and means nothing by itself: at 0.8 a network may be
    wrong once in 500 times. The curve says how often such a find was a face (J. Platt,
    Probabilistic Outputs for Support Vector Machines, 1999). It is fitted to the pictures of crowds
    that `make bench ONLY=face-likelihood` reads, where faces nobody labelled count as mistakes.
    """

    offset: float
    slope: float

    def at(self, score: float) -> float:
        """Give the share of finds of this score that are faces, 0 to 1."""
        return 1 / (1 + math.exp(-(self.offset + self.slope * score)))


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorForm:
    """All that is particular to one form of detector.

    `network` makes what reads the outputs of a loaded graph. `check` refuses a graph, by the shapes
    of its outputs (None for one unknown) for so many canvases of some height and width.
    `takes_many` says whether its graph takes several canvases at a time. `preparation` is how it
    wants its pixels, unless a card says otherwise. `curve` is None where nobody measured it.
    """

    network: Callable[[Session], FaceNetwork]
    check: Callable[[Sequence[Shape | None], int, int, int], None]
    takes_many: bool = False
    preparation: Preparation = UNPREPARED
    curve: Curve | None = None

    def likelihood(self, score: float) -> float:
        """Give the share of finds of this score that are faces; the score itself if unmeasured."""
        return score if self.curve is None else self.curve.at(score)
