"""What a picture promises before a pixel of it is decoded, and what each format's module offers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.errors import UnsupportedImageFormat

# Orientations that lie on their side: the stored width is the height of the upright picture.
_SIDEWAYS = (5, 6, 7, 8)


@dataclass(frozen=True, slots=True)
class Header:
    """Sides as stored, in pixels, and the EXIF orientation (1 to 8) that makes them upright."""

    width: int
    height: int
    orientation: int = 1

    @property
    def upright_wh(self) -> tuple[int, int]:
        """Width and height once the orientation is applied."""
        if self.orientation in _SIDEWAYS:
            return self.height, self.width
        return self.width, self.height


@dataclass(frozen=True, slots=True)
class Format:
    """One picture format.

    `accepts` looks at the first bytes; `header` reads sides and orientation without decoding;
    `pixels` decodes to (h, w, 3) uint8 RGB as stored, not yet upright, with each side divided by
    the reduction (1, 2, 4 or 8) where the format can and whole where it cannot. All three may raise
    whatever their parsing raises: `decode` wraps it. `memory_factor` says how many times the
    usual memory a pixel needs while it is decoded.
    """

    name: str
    accepts: Callable[[bytes], bool]
    header: Callable[[bytes], Header]
    pixels: Callable[[bytes, Header, int], NDArray[np.uint8]]
    memory_factor: int = 1


def refuse_animation(name: str) -> UnsupportedImageFormat:
    """The error for a picture that moves: it has no single moment in which a face is shown."""
    return UnsupportedImageFormat(
        f"a still picture was expected; this {name} is an animation:"
        " save the frame that matters as a picture of its own"
    )
