"""JPEG (ITU-T T.81), decoded by the libjpeg-turbo inside OpenCV.

OpenCV decodes in two thirds of Pillow's time and gives the same pixels, CMYK (taken to be inverted,
as Adobe writes it) included. It does not always say when data ends early, so the end of image
marker is looked for here. Of damage inside a whole file what libjpeg can make of it is the picture,
as with every viewer.

A file without that marker is decoded twice by Pillow, which says nothing of damage either, with
different bytes in place of what is missing. What is the same in both is what came.
"""

import io
import re
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from likeness.errors import InvalidImage, UnsupportedImageFormat
from likeness.vision.formats.header import (
    INVERTED_CMYK,
    Decoder,
    Format,
    Header,
    begins_with,
    exif_orientation,
    one_of_several,
)
from likeness.vision.formats.rgb import from_pillow, size_mismatch

_SOF, _SOF_PROGRESSIVE, _EOI, _SOS = (0xC0, 0xC1, 0xC2), 0xC2, 0xD9, 0xDA
_APP1, _APP2 = 0xE1, 0xE2
_KINDS_UNREAD = {
    **dict.fromkeys((0xC3, 0xC7, 0xCB, 0xCF), "a lossless one"),
    **dict.fromkeys((0xC9, 0xCA, 0xCD, 0xCE), "an arithmetic-coded one"),
    **dict.fromkeys((0xC5, 0xC6), "a hierarchical one"),
    0xF7: "a JPEG-LS",
}
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD9))

# Bounds on time, not memory: every scan visits every block again, and encoders write about ten.
_MAX_SCANS, _MAX_SCANNED_PIXELS = 100, 2_000_000_000
_MAX_SEGMENTS = 4096

# Of a picture that is cut so near to its end, what came is the picture.
_NEARLY_WHOLE = 0.98
_END = bytes((0xFF, _EOI))
_NO_PADDING = re.compile(rb"[^\xff]")  # any number of 0xFF may stand before a marker
_PIXELS_TO_SEE_BY = 4_000_000
_OTHER_REST = bytes(range(1, 255)) * 8  # decodes to anything but what a decoder fills in

# OpenCV: the "greyscale" reductions choose only the scale once RGB is asked for beside them.
_RGB = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
_FLAGS = {
    1: _RGB,
    2: _RGB | cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: _RGB | cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: _RGB | cv2.IMREAD_REDUCED_GRAYSCALE_8,
}


def _header(data: bytes) -> Header:
    size_wh: tuple[int, int] | None = None
    orientation, remarks, components, decoder_bytes = 1, [], 0, 0.0
    for marker, start, end in _segments(data):
        if marker in _SOF:
            if (precision := data[start]) != 8:
                raise _unsupported(f"one of {precision} bits a sample")
            height = int.from_bytes(data[start + 1 : start + 3])
            size_wh = int.from_bytes(data[start + 3 : start + 5]), height
            components = data[start + 5]
            if components == 4:
                remarks.append(INVERTED_CMYK)
            if marker == _SOF_PROGRESSIVE:
                decoder_bytes = _coefficients(data[start + 6 : end])
        elif marker in _KINDS_UNREAD:
            raise _unsupported(_KINDS_UNREAD[marker])
        elif marker == _APP1 and data.startswith(b"Exif\0\0", start):
            orientation = exif_orientation(data[start + 6 : end])
        elif marker == _APP2 and data.startswith(b"MPF\0", start):
            remarks.append(one_of_several("pictures"))
        elif marker == _SOS and data[start] < components and size_wh and not decoder_bytes:
            # A scan for each component: coefficients are held as well.
            decoder_bytes = 2.0 * components
    if size_wh is None:
        raise InvalidImage(
            f"Truncated: this JPEG stops after {len(data)} bytes, before it says its size. Fetch it"
            " again."
        )
    return Header(*size_wh, orientation, tuple(remarks), decoder_bytes + 0.25)


def _pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    if not _ends(data, header):
        data = _completed(data, header)
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS[reduction])
    if pixels is None:
        raise InvalidImage("Damaged: the pixels of this JPEG cannot be decoded. Save it anew.")
    if pixels.shape[1::-1] != header.reduced_wh(reduction):
        raise size_mismatch(header.reduced_wh(reduction), (pixels.shape[1], pixels.shape[0]))
    return np.asarray(pixels, np.uint8)


def _ends(data: bytes, header: Header) -> bool:
    """Say whether there is an end of image marker; refuse a picture whose scans never end.

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
    if several_scans:
        scans = 1 + data.count(bytes((0xFF, _SOS)), scan)
        pixels = max(1, header.width * header.height)
        most = max(10, min(_MAX_SCANS, _MAX_SCANNED_PIXELS // pixels))
        if scans > most:
            raise InvalidImage(
                f"Too costly: this JPEG has {scans} scans, at most {most} are read at its size."
                " Save it anew."
            )
    return data.rfind(_END, scan) >= 0


def _completed(data: bytes, header: Header) -> bytes:
    """Give a picture without an end its end, where nothing else is missing or hardly anything.

    Raises:
        InvalidImage: it was cut before.
    """
    if not any(marker == _SOS for marker, _, _ in _segments(data)):
        raise InvalidImage(
            f"Truncated: this JPEG stops after {len(data)} bytes, before its pixels. Fetch it"
            " again."
        )
    # Zeros are what was set aside for a file and never written.
    came = data.rstrip(b"\0").removesuffix(b"\xff")
    if not _has_all_detail(came):
        raise InvalidImage(
            f"Truncated: this progressive JPEG stops after {len(data)} bytes, before its finer"
            " detail. Fetch it again."
        )
    share = _share_that_came(came, header)
    if share < _NEARLY_WHOLE:
        raise InvalidImage(
            f"Truncated: about {share:.0%} of the picture came ({len(data)} bytes). Fetch it again."
        )
    return came + _END


def _has_all_detail(data: bytes) -> bool:
    """Say whether the scans that came hold every bit of every coefficient (T.81, G.1.1.1)."""
    coarse: dict[int, set[int]] = {}  # of each component, the coefficients that lack bits
    at = 0
    for marker, start, end in _segments(data):
        if marker in _SOF and marker != _SOF_PROGRESSIVE:
            return True
        if marker == _SOF_PROGRESSIVE:
            coarse = {number: set(range(64)) for number in data[start + 6 : end : 3]}
        at = start - 4
    while at >= 0:
        count = int.from_bytes(data[at + 4 : at + 5])
        scan = data[at + 5 : at + 8 + 2 * count]
        if len(scan) == 3 + 2 * count and not scan[-1] & 15:
            for number in scan[: 2 * count : 2]:
                coarse.get(number, set()).difference_update(range(scan[-3], scan[-2] + 1))
        at = data.find(bytes((0xFF, _SOS)), at + 2)
    return not any(coarse.values())


def _share_that_came(data: bytes, header: Header) -> float:
    """How much of a picture, from the top, does not depend on what follows the data, 0 to 1."""
    whole, other = (_silently(data + rest + _END, header) for rest in (b"", _OTHER_REST))
    differing = np.flatnonzero((whole != other).any(axis=(1, 2)))
    return float(differing[0]) / len(whole) if len(differing) else 1.0


def _silently(data: bytes, header: Header) -> NDArray[np.uint8]:
    """Decode with Pillow, to no more pixels than show where data ends."""
    reduction = next(
        (n for n in (1, 2, 4) if header.width * header.height <= n * n * _PIXELS_TO_SEE_BY), 8
    )
    with JpegImageFile(io.BytesIO(data)) as picture:
        picture.draft(None, header.reduced_wh(reduction))
        return from_pillow(picture, *picture.size)


def _coefficients(components: bytes) -> float:
    """Bytes that a progressive picture's coefficients take for each pixel, two a sample."""
    factors = [(byte >> 4, byte & 15) for byte in components[1::3]]
    most = max((h for h, _ in factors), default=1) * max((v for _, v in factors), default=1)
    return 2.0 * sum(h * v for h, v in factors) / max(1, most)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment's content, up to and with the first start of scan."""
    at = 2
    for _ in range(_MAX_SEGMENTS):
        at = data.find(b"\xff", at)
        found = _NO_PADDING.search(data, at) if at >= 0 else None
        if found is None:
            return
        marker, at = data[found.start()], found.end()
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
        f"Not read: this JPEG is {came}; baseline and progressive ones of 8 bits are read. Save it"
        " as an ordinary JPEG or a PNG."
    )


JPEG = Format(begins_with(b"\xff\xd8\xff"), _header, Decoder("JPEG", _pixels, reduced_from=0))
