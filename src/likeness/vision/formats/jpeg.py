"""JPEG (ITU-T T.81), decoded by the libjpeg-turbo inside OpenCV.

OpenCV decodes a full frame in half of Pillow's time and gives the same pixels, CMYK (taken to be
inverted, as Adobe writes it) included. It does not always say when data ends early, so the end of
image marker is looked for here. Of damage inside a whole file libjpeg itself writes a line to the
standard error stream, and what it can make of the rest is the picture, as with every viewer.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidImage, UnsupportedImageFormat
from likeness.vision.formats import ifd
from likeness.vision.formats.header import Format, Header
from likeness.vision.formats.rgb import size_differs

_SOF, _SOF_PROGRESSIVE, _EOI, _SOS, _APP1 = (0xC0, 0xC1, 0xC2), 0xC2, 0xD9, 0xDA, 0xE1
_SOF_OTHERS = (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD9))

# Bounds on time, not memory: every scan visits every block again, and encoders write about ten.
_MAX_SCANS = 100
_MAX_SEGMENTS = 4096

# OpenCV: the "greyscale" reductions choose only the scale once RGB is asked for beside them.
_RGB = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
_FLAGS = {
    1: _RGB,
    2: _RGB | cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: _RGB | cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: _RGB | cv2.IMREAD_REDUCED_GRAYSCALE_8,
}


def _accepts(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8\xff")


def _header(data: bytes) -> Header:
    size_wh: tuple[int, int] | None = None
    orientation = 1
    for marker, start, end in _segments(data):
        if marker in _SOF:
            precision = data[start]
            if precision != 8:
                raise _unsupported(f"one of {precision} bits per sample")
            height = int.from_bytes(data[start + 1 : start + 3])
            size_wh = int.from_bytes(data[start + 3 : start + 5]), height
        elif marker in _SOF_OTHERS:
            raise _unsupported("a lossless, hierarchical or arithmetic-coded one")
        elif marker == _APP1 and data.startswith(b"Exif\0\0", start):
            orientation = ifd.orientation(data[start + 6 : end])
    if size_wh is None:
        raise InvalidImage(
            f"a JPEG that says its size was expected and this one stops after {len(data)} bytes"
            " without: it is truncated, fetch it again"
        )
    return Header(*size_wh, orientation)


def _pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    _check_complete(data)
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS[reduction])
    if pixels is None:
        raise InvalidImage("a complete JPEG was expected and this one is damaged: save it anew")
    promised_wh = -(-header.width // reduction), -(-header.height // reduction)
    if pixels.shape[1::-1] != promised_wh:
        raise size_differs(promised_wh, (pixels.shape[1], pixels.shape[0]))
    return np.asarray(pixels, np.uint8)


def _check_complete(data: bytes) -> None:
    """Refuse a picture whose scans do not end, or never end.

    Inside a scan 0xFF is stuffed, so the marker's bytes cannot be part of it: where there is no end
    of image after the first scan begins, the file was cut.
    """
    components, several_scans, scan = 0, False, len(data)
    for marker, start, end in _segments(data):
        if marker in _SOF:
            components, several_scans = data[start + 5], marker == _SOF_PROGRESSIVE
        elif marker == _SOS:
            several_scans |= data[start] < components
            scan = end
    if data.rfind(bytes((0xFF, _EOI)), scan) < 0:
        raise InvalidImage(
            f"a JPEG that ends with its end marker was expected and this one stops after"
            f" {len(data)} bytes: it is truncated, fetch it again"
        )
    if several_scans and (scans := 1 + data.count(bytes((0xFF, _SOS)), scan)) > _MAX_SCANS:
        raise InvalidImage(
            f"a JPEG of at most {_MAX_SCANS} scans was expected and this one has {scans}:"
            " save it anew"
        )


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment's content, up to and with the first start of scan."""
    at = 2
    for _ in range(_MAX_SEGMENTS):
        at = data.find(b"\xff", at)
        while at >= 0 and data[at : at + 1] == b"\xff":
            at += 1
        if at < 0 or at >= len(data):
            return
        marker, at = data[at], at + 1
        if marker == 0 or marker in _WITHOUT_LENGTH:
            continue
        if marker == _EOI:
            return
        end = at + int.from_bytes(data[at : at + 2])
        yield marker, at + 2, end
        if marker == _SOS:
            return
        at = max(end, at + 2)


def _unsupported(came: str) -> UnsupportedImageFormat:
    return UnsupportedImageFormat(
        f"a baseline or progressive JPEG of 8 bits was expected and {came} came:"
        " save it as an ordinary JPEG or a PNG"
    )


JPEG = Format("JPEG", _accepts, _header, _pixels)
