"""Pixels of any kind to RGB of 8 bits: the rules that all formats share.

Alpha is composited over white, as a page or a print shows a cut-out portrait. Samples of 9 to 32
bits are shifted to 8 by as many bits as the largest of them has: scanners and cameras store 10, 12
or 14 bits in 16, and the upper byte of those would be black. Embedded colour profiles are not
applied: a conversion costs more than the rest of the path, and recognisers were trained on pixels
read the same way.
"""

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import _imaging as core
from PIL.ImageFile import ImageFile

from likeness.errors import InvalidImage, UnsupportedImageFormat

# Rows are converted in bands of about this many pixels: intermediate copies stay in the processor's
# cache, and a large picture never exists three times over.
_BAND_PIXELS = 1 << 16
# What Pillow averages by itself comes out small, and other threads go on as long as that takes.
_BAND_AVERAGED = 1 << 22
_AVERAGED = ("L", "RGB")
_WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")
_MAY_BE_CLEAR = ("1", "L", "P", "RGB")
_DIRECT = ("1", "L", "P", "CMYK", "YCbCr", "RGBX")


def from_pillow(
    picture: PIL.Image.Image, width: int, height: int, reduction: int = 1
) -> NDArray[np.uint8]:
    """Decode a picture that Pillow has opened to (h, w, 3) uint8 RGB, each side divided.

    Raises:
        InvalidImage: it is not of the size that its header promised.
        UnsupportedImageFormat: its samples are of a kind that has no plain RGB meaning.
    """
    if picture.size != (width, height):
        raise size_mismatch((width, height), picture.size)
    _load(picture)
    shift = 0
    if picture.mode.startswith("I;16"):
        (_, largest) = picture.getextrema()
        shift = shift_to_8_bits(int(largest))  # type: ignore[arg-type]  # one band: no pairs
    out = np.empty((-(-height // reduction), -(-width // reduction), 3), np.uint8)
    averages = reduction > 1 and picture.mode in _AVERAGED and "transparency" not in picture.info
    pixels = _BAND_AVERAGED if averages else _BAND_PIXELS
    rows = reduction * max(1, pixels // (width * reduction))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        box = (0, top, width, bottom)
        if averages:
            band = _band(picture.reduce(reduction, box), shift, 1)
        else:
            band = _band(picture.crop(box), shift, reduction)
        out[top // reduction : -(-bottom // reduction)] = band
    return out


def reduce_pixels(pixels: NDArray[np.uint8], reduction: int) -> NDArray[np.uint8]:
    """Divide the sides of (h, w, 3) uint8, rounded up, by averaging squares of pixels."""
    if reduction == 1:
        return pixels
    return np.asarray(PIL.Image.fromarray(pixels).reduce(reduction))


def over_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Composite (h, w, 4) uint8 RGBA with straight alpha over white."""
    if rgba[..., 3].min(initial=255) == 255:
        return np.ascontiguousarray(rgba[..., :3])
    alpha = cv2.cvtColor(rgba[..., 3], cv2.COLOR_GRAY2RGB)
    darkness = cv2.multiply(cv2.bitwise_not(rgba[..., :3]), alpha, scale=1 / 255)
    return np.asarray(cv2.bitwise_not(darkness), np.uint8)


def shift_to_8_bits(largest: int) -> int:
    """Say by how many bits samples are shifted right, given the largest of a picture."""
    return max(8, largest.bit_length()) - 8


def size_mismatch(promised_wh: tuple[int, int], came_wh: tuple[int, int]) -> InvalidImage:
    """The error for a header that promised another size than the pixels have."""
    return InvalidImage(
        f"Damaged: the header promises {promised_wh[0]}x{promised_wh[1]} pixels and"
        f" {came_wh[0]}x{came_wh[1]} came. Save the picture anew."
    )


def _load(picture: PIL.Image.Image) -> None:
    """Decode a picture into memory of its own, which the system clears where it is first used.

    Pillow clears memory that others had, and holds Python's lock for as long: 0.2 s for 100 million
    pixels, in which no other thread can do anything.
    """
    if isinstance(picture, ImageFile) and picture.tile:
        picture.im = core.new_block(picture.mode, picture.size)
    picture.load()


def _band(band: PIL.Image.Image, shift: int, reduction: int) -> NDArray[np.uint8]:
    """One band of rows, any of Pillow's modes, to (h, w, 3) uint8 RGB, each side divided."""
    if band.mode.startswith("I;16"):
        grey = (np.asarray(band) >> shift).astype(np.uint8)
        return reduce_pixels(
            np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8), reduction
        )
    if band.mode in _WITH_ALPHA or (band.mode in _MAY_BE_CLEAR and "transparency" in band.info):
        rgba = band.convert("RGBA")
        return over_white(np.asarray(rgba.reduce(reduction) if reduction > 1 else rgba))
    if band.mode == "RGB":
        return reduce_pixels(np.asarray(band), reduction)
    if band.mode in _DIRECT:
        return reduce_pixels(np.asarray(band.convert("RGB")), reduction)
    raise UnsupportedImageFormat(
        f"Unknown kind of samples ({band.mode}): colour, grey and palettes are read. Save the"
        " picture as 8-bit RGB."
    )
