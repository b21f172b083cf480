"""BMP (Microsoft's device-independent bitmaps, headers of 12 to 124 bytes), decoded by Pillow."""

import io
import struct

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL.BmpImagePlugin import BmpImageFile

from likeness.vision.formats.header import Format, Header
from likeness.vision.formats.rgb import from_pillow

_CORE_HEADER = 12


def _accepts(data: bytes) -> bool:
    return data.startswith(b"BM")


def _header(data: bytes) -> Header:
    (size,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if size == _CORE_HEADER else "<ii", data, 18)
    return Header(width, abs(height))  # a negative height means rows from top to bottom


def _pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    picture: PIL.Image.Image
    with BmpImageFile(io.BytesIO(data)) as picture:
        if picture.mode == "RGBA":
            # Many writers leave the fourth byte zero, so viewers take it for padding, not alpha.
            picture = picture.convert("RGB")
        return from_pillow(picture, header.width, header.height)


BMP = Format("BMP", _accepts, _header, _pixels)
