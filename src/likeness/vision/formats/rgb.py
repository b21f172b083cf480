"""Pixels of any kind to RGB of 8 bits: the rules that all formats share.

Alpha is composited over white, as a page or a print shows a cut-out portrait. 16-bit samples keep
their upper byte. Embedded colour profiles are not applied: a conversion costs more than the rest of
the path, and recognisers were trained on pixels read the same way.
"""

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from likeness.errors import InvalidImage, UnsupportedImageFormat

# Rows are converted in bands of about this many pixels: intermediate copies stay in the processor's
# cache, and a large picture never exists three times over.
_BAND_PIXELS = 1 << 18
_WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")
_DIRECT = ("1", "L", "P", "CMYK", "YCbCr", "RGBX")


def from_pillow(picture: PIL.Image.Image, width: int, height: int) -> NDArray[np.uint8]:
    """Decode a picture that Pillow has opened to (h, w, 3) uint8 RGB.

    Raises:
        InvalidImage: it is not of the size that its header promised.
        UnsupportedImageFormat: its samples are of a kind that has no plain RGB meaning.
    """
    if picture.size != (width, height):
        raise size_differs((width, height), picture.size)
    picture.load()
    out = np.empty((height, width, 3), np.uint8)
    rows = max(1, _BAND_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        out[top:bottom] = _band(picture.crop((0, top, width, bottom)))
    return out


def over_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Composite (h, w, 4) uint8 RGBA with straight alpha over white."""
    colour, alpha = rgba[..., :3].astype(np.uint16), rgba[..., 3:].astype(np.uint16)
    return ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def size_differs(promised_wh: tuple[int, int], came_wh: tuple[int, int]) -> InvalidImage:
    """The error for a header that promised another size than the pixels have."""
    return InvalidImage(
        f"{promised_wh[0]}x{promised_wh[1]} pixels were promised by the header and"
        f" {came_wh[0]}x{came_wh[1]} came: the file is damaged, save it anew"
    )


def _band(band: PIL.Image.Image) -> NDArray[np.uint8]:
    """One band of rows, any of Pillow's modes, to (h, w, 3) uint8 RGB."""
    if band.mode == "RGB" and "transparency" not in band.info:
        return np.asarray(band)
    if band.mode.startswith("I;16"):
        upper_byte = (np.asarray(band) >> 8).astype(np.uint8)
        return np.asarray(cv2.cvtColor(upper_byte, cv2.COLOR_GRAY2RGB), np.uint8)
    if band.mode in _WITH_ALPHA or (band.mode in "1LPRGB" and "transparency" in band.info):
        return over_white(np.asarray(band.convert("RGBA")))
    if band.mode in _DIRECT:
        return np.asarray(band.convert("RGB"))
    raise UnsupportedImageFormat(
        "colour, grey or palette samples of at most 16 bits were expected and samples of the kind"
        f" {band.mode} came: save the picture as 8-bit RGB"
    )
