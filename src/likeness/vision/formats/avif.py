"""AVIF (AOMedia's AV1 Image File Format), decoded by the libavif inside Pillow."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import features
from PIL.AvifImagePlugin import AvifImageFile

from likeness.errors import UnsupportedImageFormat
from likeness.vision.formats import ifd
from likeness.vision.formats.av1 import frame_sides, sample_bits
from likeness.vision.formats.boxes import brands
from likeness.vision.formats.header import (
    ALPHA,
    SIXTEEN_BITS,
    Decoder,
    Format,
    Header,
    refuse_animation,
)
from likeness.vision.formats.rgb import from_pillow

_SEQUENCE = b"avis"
_BRANDS = (b"avif", _SEQUENCE)
_GENERAL = (b"mif1", b"miaf", b"mif2", b"msf1")
_DECODER_BYTES = 16.0  # bytes for each pixel of the largest frame


def _accepts(data: bytes) -> bool:
    major, *others = brands(data) or (b"",)
    return major in _BRANDS or (major in _GENERAL and any(one in _BRANDS for one in others))


def _header(data: bytes) -> Header:
    if not features.check("avif"):
        raise UnsupportedImageFormat(
            "AVIF pictures are not read here: this Pillow was built without their decoder."
            " Save the picture as a JPEG or a PNG."
        )
    with AvifImageFile(io.BytesIO(data)) as picture:
        # The frames of a sequence lie elsewhere than those of a picture, even where there is one.
        if picture.n_frames > 1 or data[8:12] == _SEQUENCE:
            raise refuse_animation("AVIF")
        sides = picture.size
        largest = max((width * height for width, height in frame_sides(data)), default=0)
        exif = picture.info.get("exif", b"")
        return Header(
            *sides,
            ifd.orientation(exif.removeprefix(b"Exif\0\0")),
            remarks=(
                *((SIXTEEN_BITS,) if sample_bits(data) > 8 else ()),
                *((ALPHA,) if picture.mode == "RGBA" else ()),
            ),
            decoder_bytes=_DECODER_BYTES * max(1.0, largest / max(1, sides[0] * sides[1])),
        )


def _pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    with AvifImageFile(io.BytesIO(data)) as picture:
        return from_pillow(picture, header.width, header.height, reduction)


AVIF = Format(_accepts, _header, Decoder("AVIF", _pixels))
