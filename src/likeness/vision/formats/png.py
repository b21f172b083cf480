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
from likeness.vision.formats.header import (
    ALPHA,
    SIXTEEN_BITS,
    Decoder,
    Format,
    Header,
    begins_with,
    exif_orientation,
    refuse_animation,
)
from likeness.vision.formats.rgb import from_pillow, shift_to_8_bits

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR, _WITH_ALPHA, _OF_FOUR_BYTES = 2, (4, 6), (2, 4, 6)  # colour types of the header
_DIM = 0x80
_CHUNKS_OF_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")

# Encoders write 8 KiB or more a chunk; this bounds the time that a file of crumbs can take.
_MAX_CHUNKS = 100_000


def _header(data: bytes) -> Header:
    if data[12:16] != b"IHDR" or len(data) < 33:
        raise InvalidImage("Damaged: this PNG does not begin with its header. Fetch it again.")
    depth, colour = data[24], data[25]
    orientation, alpha = 1, colour in _WITH_ALPHA
    for kind, start, end in _chunks(data):
        if kind == b"acTL" and int.from_bytes(data[start : start + 4]) > 1:
            raise refuse_animation("PNG")
        if kind == b"eXIf":
            orientation = exif_orientation(data[start:end])
        alpha |= kind == b"tRNS"
    remarks = (*((SIXTEEN_BITS,) if depth == 16 else ()), *((ALPHA,) if alpha else ()))
    decoder_bytes = 4.0 if colour in _OF_FOUR_BYTES else 2.0 if depth == 16 else 1.0
    if depth == 16 and colour == _COLOUR:
        decoder_bytes += 3.0  # of the upper bytes, while the lower ones are read
    sides = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    return Header(*sides, orientation, remarks, decoder_bytes + 0.25)


def _pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    kept = [_SIGNATURE]
    last = b""
    for last, start, end in _chunks(data):
        if last in _CHUNKS_OF_PIXELS:
            kept.append(data[start - 8 : end + 4])
    if last != b"IEND":
        raise InvalidImage(
            f"Truncated: this PNG stops after {len(data)} bytes, before its end. Fetch it again."
        )
    content = b"".join(kept)
    pixels = _by_pillow(content, header, reduction)
    if header.remarks == (SIXTEEN_BITS,) and data[25] == _COLOUR and pixels.max() < _DIM:
        return _brightened(content, header, reduction, pixels)
    return pixels


def _by_pillow(
    content: bytes, header: Header, reduction: int, *, lower: bool = False
) -> NDArray[np.uint8]:
    """Decode; of samples of 16 bits the upper byte, or the lower one."""
    with PngImageFile(io.BytesIO(content)) as picture:
        if lower:
            # Read as if the lower byte came first, Pillow keeps that in place of the upper one.
            picture.tile = [
                tile._replace(args=str(tile.args).replace("16B", "16L")) for tile in picture.tile
            ]
        return from_pillow(picture, header.width, header.height, reduction)


def _brightened(
    content: bytes, header: Header, reduction: int, upper: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Shift 16-bit colours of which the upper bytes are dim by as much as their largest allows."""
    shift = shift_to_8_bits(int(upper.max()) << 8 | 0xFF)
    lower = _by_pillow(content, header, reduction, lower=True)
    np.left_shift(upper, np.uint8(8 - shift), out=upper)
    np.right_shift(lower, np.uint8(shift), out=lower)
    return np.bitwise_or(upper, lower, out=upper)


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


PNG = Format(begins_with(_SIGNATURE), _header, Decoder("PNG", _pixels))
