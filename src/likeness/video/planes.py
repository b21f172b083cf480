"""A frame as video codes it: brightness, and two colours at half the resolution.

What goes from clip to clip so is not computed into other colours and back, which blurs them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

# Of samples of the narrow range: black, white, neither blue nor red, and as much as there is.
BLACK, WHITE, NO_COLOUR, MOST_COLOUR = 16, 235, 128, 240


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """One frame in YCbCr 4:2:0, in the colours of BT.709 and its narrow range (ITU-R BT.709-6).

    `luma` is (height, width) uint8; `blue` and `red` are (half the height, half the width) uint8,
    rounded up. Each may be written into.
    """

    luma: Pixels
    blue: Pixels
    red: Pixels

    @classmethod
    def of(cls, samples: Pixels, width: int, height: int) -> "Planes":
        """Take samples that follow each other, plane by plane and row by row; nothing is copied.

        `samples` may go on behind them.
        """
        half_w, half_h = halved(width), halved(height)
        colour = half_w * half_h
        ends = np.cumsum([height * width, colour, colour]).tolist()
        return cls(
            samples[: ends[0]].reshape(height, width),
            samples[ends[0] : ends[1]].reshape(half_h, half_w),
            samples[ends[1] : ends[2]].reshape(half_h, half_w),
        )

    @property
    def all(self) -> Sequence[Pixels]:
        """Brightness, blue and red."""
        return self.luma, self.blue, self.red

    def within_range(self) -> "Planes":
        """Copy what can be seen: samples beyond black and white become those.

        Pixels show nothing of what differs there, so that nobody has looked for faces in it.
        """
        luma = np.clip(self.luma, BLACK, WHITE)
        blue, red = (np.clip(one, BLACK, MOST_COLOUR) for one in (self.blue, self.red))
        return Planes(luma, blue, red)

    def each(self, turn: Callable[[Pixels], Pixels]) -> "Planes":
        """Turn, mirror or copy all planes alike."""
        return Planes(turn(self.luma), turn(self.blue), turn(self.red))


def halved(side: int) -> int:
    """Say how many samples a colour has along a side."""
    return -(-side // 2)
