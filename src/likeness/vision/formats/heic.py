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
from likeness.vision.formats.header import ALPHA, SIXTEEN_BITS, Decoder, Format, Header, brands
from likeness.vision.formats.rgb import from_pillow

_BRANDS = (b"heic", b"heix", b"heim", b"heis")
_GENERAL = (b"mif1", b"miaf", b"mif2")  # says what the file is made of, not how it is coded


def _accepts(data: bytes) -> bool:
    major, *others = brands(data) or (b"",)
    return major in _BRANDS or (major in _GENERAL and b"avif" not in others)


def _header(data: bytes) -> Header:
    with _open(data) as picture:
        count = getattr(picture, "n_frames", 1)
        remarks = (
            *((f"the main one of its {count} pictures was read",) if count > 1 else ()),
            *((SIXTEEN_BITS,) if picture.info.get("bit_depth", 8) > 8 else ()),
            *((ALPHA,) if picture.mode == "RGBA" else ()),
        )
        return Header(*picture.size, remarks=remarks, decoder_bytes=14.0)


def _pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    with _open(data) as picture:
        return from_pillow(picture, header.width, header.height, reduction)


def _open(data: bytes) -> PIL.Image.Image:
    try:
        pillow_heif = importlib.import_module("pillow_heif")  # optional: only when one is met
    except ImportError as error:
        raise UnsupportedImageFormat(
            "HEIC pictures are not read here: their decoder is not installed."
            " `pip install 'likeness[heic]'` adds it."
        ) from error
    picture: PIL.Image.Image = pillow_heif.HeifImageFile(io.BytesIO(data))
    return picture


HEIC = Format(_accepts, _header, Decoder("HEIC", _pixels))
