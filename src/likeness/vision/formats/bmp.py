"""BMP (Microsoft's device-independent bitmaps), headers and pixels read by Pillow."""

import io

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL.BmpImagePlugin import BmpImageFile

from likeness.vision.formats.header import Decoder, Format, Header
from likeness.vision.formats.rgb import from_pillow

# Kinds of compression, of pictures of a byte a pixel; Pillow unpacks them whole, and copies that.
_RUN_LENGTH, _UNPACKED = (1, 2), 2.0


def _accepts(data: bytes) -> bool:
    return data.startswith(b"BM")


def _header(data: bytes) -> Header:
    with BmpImageFile(io.BytesIO(data)) as picture:
        decoder_bytes = 1.0 if picture.mode in "1LP" else 4.0
        if int.from_bytes(data[30:34], "little") in _RUN_LENGTH:
            decoder_bytes += _UNPACKED
        return Header(*picture.size, decoder_bytes=decoder_bytes + 0.25)


def _pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    picture: PIL.Image.Image
    with BmpImageFile(io.BytesIO(data)) as picture:
        if picture.mode == "RGBA":
            # Many writers leave the fourth byte zero, so viewers take it for padding, not alpha.
            picture.load()
            picture.putalpha(255)
        return from_pillow(picture, header.width, header.height, reduction)


BMP = Format(_accepts, _header, Decoder("BMP", _pixels))
