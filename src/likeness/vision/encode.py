"""Writes pixels as a picture file: nothing but the pixels is in it."""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.errors import Fault
from likeness.terms import Image

_QUALITY = 92
_MOST_SHOWN = 1280
_LOSSLESS = 101  # as OpenCV counts for WebP

SUFFIXES: Mapping[str, tuple[int, ...]] = {
    ".jpg": (cv2.IMWRITE_JPEG_QUALITY, _QUALITY),
    ".jpeg": (cv2.IMWRITE_JPEG_QUALITY, _QUALITY),
    ".png": (),
    ".webp": (cv2.IMWRITE_WEBP_QUALITY, _LOSSLESS),
}
"""What names of files that can be written end in, and how OpenCV is to write them."""


def picture_bytes(pixels: NDArray[np.uint8], suffix: str) -> bytes:
    """Encode (h, w, 3) RGB pixels as a file of that suffix holds them.

    Raises:
        Fault: they cannot be encoded.
    """
    suffix = suffix.lower()
    done, content = cv2.imencode(suffix, pixels[..., ::-1], list(SUFFIXES[suffix]))
    if not done:
        raise Fault(f"OpenCV could not write a picture as {suffix}. Please report this.")
    return bytes(content)


def shown_jpeg(image: Image, longer_side: int = _MOST_SHOWN) -> bytes:
    """Encode a picture for people to look at: a JPEG of so many pixels along a side at most."""
    height, width = image.pixels.shape[:2]
    zoom = min(1.0, longer_side / max(height, width))
    size = max(1, round(width * zoom)), max(1, round(height * zoom))
    pixels = cv2.resize(image.pixels, size, interpolation=cv2.INTER_AREA)
    return picture_bytes(np.asarray(pixels, np.uint8), ".jpg")
