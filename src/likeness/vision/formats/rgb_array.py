"""Pixels that a program has in memory already: an RGB array, which counts as a picture, too.

Its data begins with the sides, so that equal bytes of different shapes are different samples.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.vision.formats.header import Decoder, Header
from likeness.vision.formats.rgb import reduced

_SIDE_BYTES = 8
_BEGINNING = b"RGB\0"


def as_data(pixels: NDArray[np.uint8]) -> tuple[Callable[[], bytes], Header]:
    """Check that an array is (h, w, 3) uint8; give what copies it, and its header.

    Raises:
        InvalidRequest: it is not.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise InvalidRequest(
            f"Not an RGB picture: the array is {pixels.dtype} of shape {pixels.shape}. Give uint8"
            " of shape (height, width, 3), in the order red, green, blue."
        )
    height, width, _ = pixels.shape

    def data() -> bytes:
        sides = b"".join(side.to_bytes(_SIDE_BYTES) for side in (width, height))
        return _BEGINNING + sides + pixels.tobytes()

    return data, Header(width, height, decoder_bytes=0.0)


def _pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    pixels = np.frombuffer(data, np.uint8, offset=len(_BEGINNING) + 2 * _SIDE_BYTES)
    whole = pixels.reshape(header.height, header.width, 3)
    return whole.copy() if reduction == 1 else reduced(whole, reduction)


RGB_ARRAY = Decoder("RGB array", _pixels)
