"""TIFF 6.0, first page, decoded by Pillow and libtiff from nothing but the tags that make pixels.

A directory of only those tags is written behind the file's own bytes and the header is pointed at
it: other pages, profiles and descriptions never reach the decoder.
"""

import io
import struct

import numpy as np
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile

from likeness.errors import InvalidImage, UnsupportedImageFormat
from likeness.vision.formats import ifd
from likeness.vision.formats.header import Format, Header
from likeness.vision.formats.rgb import from_pillow

_WIDTH, _HEIGHT, _COMPRESSION, _TILE_WIDTH, _TILE_HEIGHT = 256, 257, 259, 322, 323
_STRIPS, _TILES = (273, 279), (324, 325)  # where the parts begin and how many bytes each has
_TAGS_OF_PIXELS = (
    *(_WIDTH, _HEIGHT, 258, _COMPRESSION, 262, 266),  # sides, bits, compression, photometry, order
    *(*_STRIPS, 277, 278, 284),  # samples per pixel, rows per strip, planes
    *(292, 293, 317, 320),  # fax options, predictor, palette
    *(_TILE_WIDTH, _TILE_HEIGHT, *_TILES),
    *(338, 339, 347, 530, 532),  # extra samples, sample format, JPEG tables, chroma
)
# None, fax (2 to 4), LZW, JPEG, Deflate (two numbers), PackBits.
_COMPRESSIONS = (1, 2, 3, 4, 5, 7, 8, 32773, 32946)

# A tag of pixels is at most one offset a row and plane; a tile may be larger than a small picture.
_MAX_TAG_BYTES = 1 << 20
_MAX_TILE_PIXELS = 1 << 20


def _accepts(data: bytes) -> bool:
    return data.startswith((b"II*\0", b"MM\0*"))


def _header(data: bytes) -> Header:
    tags = ifd.entries(data)
    width, height = ifd.number(data, tags[_WIDTH]), ifd.number(data, tags[_HEIGHT])
    compression = ifd.number(data, tags[_COMPRESSION]) if _COMPRESSION in tags else 1
    if compression not in _COMPRESSIONS:
        raise UnsupportedImageFormat(
            "a TIFF without compression, or with fax, LZW, JPEG, Deflate or PackBits, was expected"
            f" and compression {compression} came: save it as a PNG"
        )
    return Header(width, height, ifd.orientation(data))


def _pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    with TiffImageFile(io.BytesIO(_tags_of_pixels_only(data, header))) as picture:
        return from_pillow(picture, header.width, header.height)


def _tags_of_pixels_only(data: bytes, header: Header) -> bytes:
    """The file with one directory, of tags that make pixels and promise no more than the header."""
    found = ifd.entries(data)
    tags = {tag: found[tag] for tag in sorted(found) if tag in _TAGS_OF_PIXELS}
    for tag, entry in tags.items():
        if entry.size > _MAX_TAG_BYTES:
            raise InvalidImage(
                f"a TIFF tag of at most {_MAX_TAG_BYTES} bytes was expected and tag {tag} has"
                f" {entry.size}: save the picture anew"
            )
    if _TILE_WIDTH in tags and _TILE_HEIGHT in tags:
        tile_w = ifd.number(data, tags[_TILE_WIDTH])
        tile_h = ifd.number(data, tags[_TILE_HEIGHT])
        if tile_w * tile_h > max(_MAX_TILE_PIXELS, header.width * header.height):
            raise InvalidImage(
                f"tiles no larger than the picture of {header.width}x{header.height} were expected"
                f" and tiles of {tile_w}x{tile_h} came: save the picture anew"
            )
    for offsets, sizes in (_STRIPS, _TILES):
        if offsets in tags and sizes in tags:
            ends = ifd.numbers(data, tags[offsets]) + ifd.numbers(data, tags[sizes])
            if ends.max() > len(data):
                raise InvalidImage(
                    f"a TIFF of {ends.max()} bytes was expected and {len(data)} came:"
                    " it is truncated, fetch it again"
                )
    order = ifd.byte_order(data)
    body = data + b"\0" * (len(data) % 2)  # a directory begins on an even byte
    return b"".join(
        (
            body[:4],
            struct.pack(f"{order}I", len(body)),
            body[8:],
            struct.pack(f"{order}H", len(tags)),
            *(entry.raw for entry in tags.values()),
            struct.pack(f"{order}I", 0),  # no further page
        )
    )


TIFF = Format("TIFF", _accepts, _header, _pixels)
