"""Pictures that are stored as they are: BMP, and RGB arrays that a program has in memory.

Headers and pixels of BMP (Microsoft's device-independent bitmaps) are read by Pillow. The data of
an array begins with its sides, so that equal bytes of different shapes are different samples.
"""

import io
from collections.abc import Callable

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL.BmpImagePlugin import BmpImageFile

from likeness.errors import InvalidRequest
from likeness.vision.formats.header import Decoder, Format, Header, begins_with
from likeness.vision.formats.rgb import from_pillow, reduce_pixels

# Kinds of compression, of pictures of a byte a pixel; Pillow unpacks them whole, and copies that.
_RUN_LENGTH, _UNPACKED = (1, 2), 2.0
_SIDE_BYTES = 8
_BEGINNING = b"RGB\0"


def _header(data: bytes) -> Header:
    with BmpImageFile(io.BytesIO(data)) as picture:
        decoder_bytes = 1.0 if picture.mode in "1LP" else 4.0
        if int.from_bytes(data[30:34], "little") in _RUN_LENGTH:
            decoder_bytes += _UNPACKED
        return Header(*picture.size, decoder_bytes=decoder_bytes + 0.25)


def _bmp_pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    picture: PIL.Image.Image
    with BmpImageFile(io.BytesIO(data)) as picture:
        if picture.mode == "RGBA":
            # Many writers leave the fourth byte zero, so viewers take it for padding, not alpha.
            picture.load()
            picture.putalpha(255)
        return from_pillow(picture, header.width, header.height, reduction)


BMP = Format(begins_with(b"BM"), _header, Decoder("BMP", _bmp_pixels))


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


def _array_pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    pixels = np.frombuffer(data, np.uint8, offset=len(_BEGINNING) + 2 * _SIDE_BYTES)
    whole = pixels.reshape(header.height, header.width, 3)
    return whole.copy() if reduction == 1 else reduce_pixels(whole, reduction)


RGB_ARRAY = Decoder("RGB array", _array_pixels)
