"""HEIC (ISO/IEC 23008-12), decoded by libheif through the optional pillow-heif.

The primary picture is read; libheif turns it upright itself. What its header promises is checked
against our limits, while decoding stays within libheif's own security limits.
"""

import importlib
import io

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from likeness.errors import UnsupportedImageFormat
from likeness.vision.formats.header import Format, Header
from likeness.vision.formats.rgb import from_pillow

_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1")


def _accepts(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in _BRANDS


def _header(data: bytes) -> Header:
    with _open(data) as picture:
        return Header(*picture.size)


def _pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    with _open(data) as picture:
        return from_pillow(picture, header.width, header.height)


def _open(data: bytes) -> PIL.Image.Image:
    try:
        pillow_heif = importlib.import_module("pillow_heif")  # optional: only when one is met
    except ImportError as error:
        raise UnsupportedImageFormat(
            "a HEIC picture came and its decoder is not installed: pip install pillow-heif"
        ) from error
    picture: PIL.Image.Image = pillow_heif.HeifImageFile(io.BytesIO(data))
    return picture


HEIC = Format("HEIC", _accepts, _header, _pixels)
