"""What a picture promises before a pixel of it is decoded, and what each format's module offers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.errors import UnsupportedImageFormat

# Orientations that lie on their side: the stored width is the height of the upright picture.
_SIDEWAYS = (5, 6, 7, 8)

SIXTEEN_BITS = "its samples of more than 8 bits were reduced to 8"
INVERTED_CMYK = "its CMYK colours were taken as inverted, as Adobe writes them"
CMYK = "its CMYK colours were converted without a colour profile"
ALPHA = "its transparent parts were laid over white"

_REDUCED_FROM_PIXELS = 24_000_000
_BESIDE = 4 << 20  # bytes for rows that are converted, tables, and what a heap loses to gaps


def one_of_several(what: str, count: int | None = None) -> str:
    """Word the remark that a file holds several pictures of which the first was read."""
    return f"the first of its {'' if count is None else f'{count} '}{what} was read"


@dataclass(frozen=True, slots=True)
class Header:
    """Sides as stored, in pixels, and the EXIF orientation (1 to 8) that makes them upright.

    `remarks` say what of the picture is lost or guessed in decoding. `decoder_bytes` is what the
    decoder holds for each pixel beside the result, and `halvings` how often it can halve the sides
    before it holds any.
    """

    width: int
    height: int
    orientation: int = 1
    remarks: tuple[str, ...] = ()
    decoder_bytes: float = 4.0
    halvings: int = 0

    @property
    def upright_wh(self) -> tuple[int, int]:
        """Width and height once the orientation is applied."""
        if self.orientation in _SIDEWAYS:
            return self.height, self.width
        return self.width, self.height

    def reduced_wh(self, reduction: int) -> tuple[int, int]:
        """Width and height as stored, divided and rounded up."""
        return -(-self.width // reduction), -(-self.height // reduction)

    def by_decoder(self, reduction: int) -> int:
        """How much of a reduction (1, 2, 4 or 8) the decoder does before it holds pixels."""
        return min(reduction, 1 << self.halvings)

    def memory(self, reduction: int) -> int:
        """Bytes that decoding takes at most, beside the file.

        That is the result, and beside it what the decoder holds or, once that is gone, the result
        again: while its channels change their order, or it is turned upright. Rows on their way
        take a little more.
        """
        width, height = self.reduced_wh(reduction)
        decoded_w, decoded_h = self.reduced_wh(self.by_decoder(reduction))
        result = 3 * width * height
        return _BESIDE + result + max(round(self.decoder_bytes * decoded_w * decoded_h), result)


@dataclass(frozen=True, slots=True)
class Decoder:
    """Makes the pixels of a picture whose header is known; `name` is that of the format.

    `pixels` decodes to (h, w, 3) uint8 RGB as stored, not yet upright, with each side divided by
    the reduction (1, 2, 4 or 8), rounded up. It may raise whatever its parsing raises: `decode`
    wraps it. Only pictures of `reduced_from` pixels or more are ever reduced: where the decoder
    itself cannot, that costs more than it spares.
    """

    name: str
    pixels: Callable[[bytes, Header, int], NDArray[np.uint8]]
    reduced_from: int = _REDUCED_FROM_PIXELS


@dataclass(frozen=True, slots=True)
class Format:
    """One picture format.

    `accepts` looks at the first bytes; `header` reads sides and orientation without decoding. They
    may raise whatever their parsing raises, as the decoder may.
    """

    accepts: Callable[[bytes], bool]
    header: Callable[[bytes], Header]
    decoder: Decoder


def begins_with(*beginnings: bytes) -> Callable[[bytes], bool]:
    """Make what accepts files that begin with one of these bytes."""
    return lambda data: data.startswith(beginnings)


def refuse_animation(name: str) -> UnsupportedImageFormat:
    """The error for a picture that moves: it has no single moment in which a face is shown."""
    return UnsupportedImageFormat(
        f"Not a still picture: this {name} is an animation. Save the frame that matters as a"
        " picture of its own."
    )
