"""Pixels of one decoded sample."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A decoded sample, upright, in sRGB order.

    `pixels` is (h, w, 3) uint8 RGB. It may hold fewer pixels than the picture as encoded (a large
    JPEG decoded at a reduced scale); `width` and `height` are those of the whole picture, and
    every box and landmark that Likeness reports is in that full frame: pixels, origin top left,
    x to the right, y down.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int

    @classmethod
    def of(cls, pixels: NDArray[np.uint8]) -> "Image":
        """Wrap (h, w, 3) uint8 RGB pixels that are the whole picture."""
        return cls(pixels, pixels.shape[1], pixels.shape[0])

    @property
    def scale_xy(self) -> tuple[float, float]:
        """Pixels held per pixel of the full frame, along x and y; 1.0 when nothing was reduced."""
        return self.pixels.shape[1] / self.width, self.pixels.shape[0] / self.height
