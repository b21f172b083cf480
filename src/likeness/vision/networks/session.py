"""What runs a network: pictures in, numbers out, whatever the engine."""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Preparation:
    """How a network wants its pixels: (value - mean) / scale, channels in the order given.

    `mean` is in the network's own channel order, `channels` is "RGB" or "BGR".
    """

    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1.0
    channels: str = "RGB"


UNPREPARED = Preparation()
"""Pixels as they are, for a network that prepares them by itself."""


class Session(Protocol):
    """One network, loaded; safe to call from many threads at a time."""

    @property
    def precision(self) -> Precision:
        """What the network is computed in, never `AUTO`."""

    def run(self, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
        """Compute every output for (n, h, w, 3) uint8 RGB pictures; the arrays are the caller's."""


class Engine(Protocol):
    """Loads networks that take `pictures` as `conversion` makes them."""

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
