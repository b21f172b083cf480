"""AVIF (AOMedia's AV1 Image File Format), decoded by the libavif inside Pillow."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import features
from PIL.AvifImagePlugin import AvifImageFile

from likeness.errors import UnsupportedImageFormat
from likeness.vision.formats import ifd
from likeness.vision.formats.boxes import brands
from likeness.vision.formats.header import ALPHA, Format, Header, refuse_animation
from likeness.vision.formats.rgb import from_pillow

_BRANDS = (b"avif", b"avis")
_GENERAL = (b"mif1", b"miaf", b"mif2", b"msf1")


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
        if picture.n_frames > 1:
            raise refuse_animation("AVIF")
        exif = picture.info.get("exif", b"")
        return Header(
            *picture.size,
            ifd.orientation(exif.removeprefix(b"Exif\0\0")),
            remarks=(ALPHA,) if picture.mode == "RGBA" else (),
            held=16.0,
        )


def _pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    with AvifImageFile(io.BytesIO(data)) as picture:
        return from_pillow(picture, header.width, header.height, reduction)


AVIF = Format("AVIF", _accepts, _header, _pixels)
