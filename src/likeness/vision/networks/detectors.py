"""What a detector's network is to the rest, and what each form of detector says about itself."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorForm:
    """All that is particular to one form of detector.

    `network` makes what reads the outputs of a loaded graph. `check` refuses a graph, by the shapes
    of its outputs (None for one unknown) for so many canvases of some height and width.
    `takes_many` says whether its graph takes several canvases at a time. `preparation` is how it
    wants its pixels, unless a card says otherwise. `likelihood` says how often what it finds with a
    score is a face; the score itself where nobody measured it.
    """

    network: Callable[[Session], FaceNetwork]
    check: Callable[[Sequence[Shape | None], int, int, int], None]
    takes_many: bool = False
    preparation: Preparation = UNPREPARED
    likelihood: Callable[[float], float] = float
