"""PNG (ISO/IEC 15948), decoded by Pillow from nothing but the chunks that make pixels.

Text, colour profiles and animation control never reach the decoder, and so cannot unpack to more
memory than the picture itself.
"""

import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from likeness.errors import InvalidImage
from likeness.vision.formats import ifd
from likeness.vision.formats.header import Format, Header, refuse_animation
from likeness.vision.formats.rgb import from_pillow

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNKS_OF_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")

# Encoders write 8 KiB or more a chunk; this bounds the time that a file of crumbs can take.
_MAX_CHUNKS = 100_000


def _accepts(data: bytes) -> bool:
    return data.startswith(_SIGNATURE)


def _header(data: bytes) -> Header:
    if data[12:16] != b"IHDR" or len(data) < 24:
        raise InvalidImage(
            "a PNG that begins with its header chunk was expected: the file is damaged"
        )
    orientation = 1
    for kind, start, end in _chunks(data):
        if kind == b"acTL" and int.from_bytes(data[start : start + 4]) > 1:
            raise refuse_animation("PNG")
        if kind == b"eXIf":
            orientation = ifd.orientation(data[start:end])
    return Header(int.from_bytes(data[16:20]), int.from_bytes(data[20:24]), orientation)


def _pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    kept = [_SIGNATURE]
    last = b""
    for last, start, end in _chunks(data):
        if last in _CHUNKS_OF_PIXELS:
            kept.append(data[start - 8 : end + 4])
    if last != b"IEND":
        raise InvalidImage(
            f"a PNG that ends with its end chunk was expected and this one stops after"
            f" {len(data)} bytes: it is truncated, fetch it again"
        )
    with PngImageFile(io.BytesIO(b"".join(kept))) as picture:
        return from_pillow(picture, header.width, header.height)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of the content of each whole chunk, up to and with the end chunk."""
    at = len(_SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        kind, start = data[at + 4 : at + 8], at + 8
        end = start + int.from_bytes(data[at : at + 4])
        at = end + 4
        if at > len(data):
            return
        yield kind, start, end
        if kind == b"IEND":
            return


PNG = Format("PNG", _accepts, _header, _pixels)
