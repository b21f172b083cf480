"""What runs a network: pictures in, numbers out, whatever the engine."""

from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Precision(StrEnum):
    """In what numbers a network is computed; `AUTO` is bf16 where the processor has it."""

    AUTO = "auto"
    F32 = "f32"
    BF16 = "bf16"


class Session(Protocol):
    """One network, loaded; safe to call from many threads at a time."""

    @property
    def precision(self) -> Precision:
        """What the network is computed in, never `AUTO`."""

    def run(self, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
        """Compute every output for (n, h, w, 3) uint8 RGB pictures; the arrays are the caller's."""


class Engine(Protocol):
    """Loads networks that take `pictures` as `picture_input` makes them."""

    @property
    def name(self) -> str:
        """What to call the engine in reports, with its version."""

    @property
    def precision(self) -> Precision:
        """What networks are computed in, never `AUTO`."""

    def load(self, network: Path) -> Session:
        """Load an ONNX file.

        Raises:
            EngineUnavailable: the engine cannot run it.
        """
