"""TIFF 6.0 and BigTIFF, the first page.

Pages without compression, or with Deflate, LZW or PackBits, are unpacked piece by piece and their
samples, of any depth, are read here (`tiff_samples`). Fax and JPEG, whose pixels only libtiff
knows, are decoded by Pillow from nothing but the tags that make pixels: a directory of only those
is written behind the file's own bytes, so that other pages, profiles and descriptions never reach
the decoder.
"""

import io
import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile

from likeness.errors import InvalidImage, UnsupportedImageFormat
from likeness.vision.formats import tiff_samples
from likeness.vision.formats.header import (
    ALPHA,
    CMYK,
    MAX_TAG_BYTES,
    SIXTEEN_BITS,
    Decoder,
    Directory,
    Format,
    Header,
    begins_with,
    exif_orientation,
    one_of_several,
    read_directory,
)
from likeness.vision.formats.rgb import from_pillow
from likeness.vision.formats.tiff_layout import (
    FAX,
    JPEG,
    Layout,
    Photometric,
    layout_of,
)
from likeness.vision.formats.unread import CAMERA_RAW

_SUB_PICTURES, _KIND_OF_PICTURE, _DNG_VERSION = 330, 254, 50706
_COMPRESSION, _PHOTOMETRIC = 259, 262
_OF_A_SENSOR = (32803, 34892)  # photometric: a colour filter's array, or linear raw
_RAW_COMPRESSIONS = (32767, 32769, 32770, 34713, 34892, 65000, 65535)  # ARW, Epson, SRW, NEF, ...
_MAX_DIRECTORIES = 32

_STRIPS, _TILES = (273, 279), (324, 325)
_BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_TAGS_OF_PIXELS = (
    *(256, 257, 258, _COMPRESSION, _PHOTOMETRIC, 266),  # sides, bits, ..., fill order
    *(*_STRIPS, 277, 278, 284),  # samples per pixel, rows per strip, planes
    *(292, 293, 317, 322, 323, *_TILES),  # fax options, predictor, tiles
    *(338, 339, 347, 530, 532),  # extra samples, sample format, JPEG tables, chroma
)


def _header(data: bytes) -> Header:
    directory = read_directory(data)
    if _is_camera_raw(directory):
        raise UnsupportedImageFormat(CAMERA_RAW.format(kind=" (DNG, NEF, ARW or another)"))
    layout = layout_of(directory)
    decoder_bytes = 4.25 if _is_for_pillow(layout) else tiff_samples.decoder_bytes(layout)
    remarks = (
        *((one_of_several("pages"),) if _has_another_page(directory) else ()),
        *((SIXTEEN_BITS,) if layout.bits > 8 else ()),
        *((CMYK,) if layout.photometric == Photometric.CMYK else ()),
        *((ALPHA,) if layout.alpha is not None else ()),
    )
    return Header(layout.width, layout.height, exif_orientation(data), remarks, decoder_bytes)


def _pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    directory = read_directory(data)
    for tag, entry in directory.entries.items():
        if tag in _TAGS_OF_PIXELS and entry.size > MAX_TAG_BYTES:
            raise InvalidImage(
                f"Damaged: tag {tag} of this TIFF has {entry.size} bytes, at most"
                f" {MAX_TAG_BYTES}"
                " are read. Save the picture anew."
            )
    layout = layout_of(directory)
    layout.check_pieces(len(data))
    if not _is_for_pillow(layout):
        return tiff_samples.pixels(data, layout, reduction)
    with TiffImageFile(io.BytesIO(_tags_of_pixels_only(directory))) as picture:
        return from_pillow(picture, header.width, header.height, reduction)


def _is_for_pillow(layout: Layout) -> bool:
    return layout.compression in (*FAX, JPEG) or layout.photometric == Photometric.YCBCR


def _is_camera_raw(first: Directory) -> bool:
    """Say whether a file holds what a sensor saw: its first picture is then a preview or that."""
    if _DNG_VERSION in first.entries:
        return True
    has_others = _SUB_PICTURES in first.entries
    if has_others and _number(first, _KIND_OF_PICTURE) & 1:
        return True  # a preview of a picture that lies deeper
    return any(
        _number(each, _PHOTOMETRIC) in _OF_A_SENSOR
        or _number(each, _COMPRESSION) in _RAW_COMPRESSIONS
        for each in _directories(first)
    )


def _directories(first: Directory) -> Iterator[Directory]:
    """The first directory, those below it and those that follow, as far as they can be read."""
    waiting, seen = [first], 0
    while waiting and seen < _MAX_DIRECTORIES:
        each = waiting.pop(0)
        seen += 1
        yield each
        try:
            places = [int(at) for at in each.numbers(_SUB_PICTURES)[:_MAX_DIRECTORIES]]
        except ValueError:
            places = []
        for at in (*places, each.following):
            try:
                if at and len(waiting) < _MAX_DIRECTORIES:
                    waiting.append(read_directory(first.data, at))
            except (struct.error, ValueError):
                continue


def _number(directory: Directory, tag: int) -> int:
    try:
        return directory.number(tag, 0)
    except ValueError:
        return 0


def _has_another_page(first: Directory) -> bool:
    try:
        return bool(first.following) and bool(read_directory(first.data, first.following).entries)
    except (struct.error, ValueError):
        return False


def _tags_of_pixels_only(directory: Directory) -> bytes:
    """The file with one directory, of tags that make pixels."""
    data, order = directory.data, directory.order
    big = b"+" in data[2:4]
    tags = {
        tag: directory.entries[tag] for tag in sorted(directory.entries) if tag in _TAGS_OF_PIXELS
    }
    body = data + b"\0" * (len(data) % 2)  # a directory begins on an even byte
    count_of, entry_of, offset = ("Q", "HHQ", "Q") if big else ("H", "HHI", "I")
    first = 8 if big else 4
    return b"".join(
        (
            body[:first],
            struct.pack(order + offset, len(body)),
            body[first + struct.calcsize(order + offset) :],
            struct.pack(order + count_of, len(tags)),
            *(
                struct.pack(order + entry_of, tag, entry.type, entry.count) + entry.field
                for tag, entry in tags.items()
            ),
            struct.pack(order + offset, 0),  # no further page
        )
    )


TIFF = Format(
    begins_with(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _header, Decoder("TIFF", _pixels)
)
