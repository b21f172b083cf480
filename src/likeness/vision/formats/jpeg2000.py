"""JPEG 2000 (ISO/IEC 15444-1), as JP2 file or bare codestream, decoded by Pillow and OpenJPEG.

A codestream of a hundred bytes can promise millions of tiles, precincts and code-blocks, for each
of which OpenJPEG allocates before it reads a single one. Their number is therefore worked out here
and bounded first. Passport chips carry this format.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from likeness.errors import InvalidImage
from likeness.vision.formats.apart import answer, decode_apart
from likeness.vision.formats.header import (
    ALPHA,
    CMYK,
    SIXTEEN_BITS,
    Decoder,
    Format,
    Header,
    begins_with,
    boxes_in,
)
from likeness.vision.formats.rgb import from_pillow, size_mismatch

_SIGNATURE_BOX = b"\0\0\0\x0cjP  \r\n\x87\n"
_SOC_SIZ = b"\xff\x4f\xff\x51"
_COD, _COC, _SOT, _SOD, _EOC = b"\xff\x52", b"\xff\x53", b"\xff\x90", b"\xff\x93", b"\xff\xd9"

_ENUMERATED, _CMYK_COLOURS = 1, (12).to_bytes(4)

_MAX_MARKERS = 100_000
_MAX_COMPONENTS = 4
_MAX_TILES = 2048
_MAX_LAYERS = 256
# Precincts and code-blocks together: one for 256 pixels, or this many in a small picture. Encoders
# write one for about 1000 to 4000.
_PIXELS_PER_PART = 256
_MIN_PARTS = 1 << 16
# Others wait no longer than this for a picture: those of passports take a tenth of it.
_HELD_S = 0.05
# Samples and their wavelet coefficients are four bytes each in OpenJPEG, then Pillow has a copy.
_DECODER_BYTES, _BYTES_PER_COMPONENT = 5.0, 5.5


@dataclass(frozen=True, slots=True)
class _Size:
    """The SIZ segment: sides in pixels, number of tiles and components, bits of the first."""

    width: int
    height: int
    tiles: int
    components: int
    bits: int


def _header(data: bytes) -> Header:
    start = _codestream(data)
    size = _size(data, start)
    remarks = (
        *((SIXTEEN_BITS,) if size.bits > 8 else ()),
        *_remarks_on_colours(data, size.components),
    )
    return Header(
        size.width,
        size.height,
        remarks=remarks,
        decoder_bytes=_DECODER_BYTES + _BYTES_PER_COMPONENT * size.components,
        halvings=_halvings(size, _levels(data, start)),
    )


def _pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    start = _codestream(data)
    size = _size(data, start)
    _expect("components", size.components, _MAX_COMPONENTS)
    _expect("tiles", size.tiles, _MAX_TILES)
    for marker, at, end in _segments(data, start + 2):
        if marker == _COD:
            _expect("quality layers", int.from_bytes(data[at + 2 : at + 4]), _MAX_LAYERS)
            _check_parts(data[at] & 1, data[at + 5 : end], size)
        elif marker == _COC:
            _check_parts(data[at + 1] & 1, data[at + 2 : end], size)
    ours = header.by_decoder(reduction)
    with Jpeg2KImageFile(io.BytesIO(data)) as picture:
        if picture.size != (header.width, header.height):
            raise size_mismatch((header.width, header.height), picture.size)
        picture.reduce = ours.bit_length() - 1
        picture.load()
        return from_pillow(picture, *header.reduced_wh(ours), reduction // ours)


def _pixels_or_apart(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    """Decode; what takes long in a process of its own: Pillow holds Python's lock meanwhile."""
    # What the decoder cannot divide itself it decodes whole.
    if _DECODER.seconds(header, len(data)) / header.by_decoder(reduction) < _HELD_S:
        return _pixels(data, header, reduction)
    return decode_apart(__name__, data, header, reduction)


def _remarks_on_colours(data: bytes, components: int) -> tuple[str, ...]:
    """Remark on what the last of two or four components is taken for: an ink, or alpha."""
    if components not in (2, 4):
        return ()
    return (CMYK,) if components == 4 and _has_inks(data) else (ALPHA,)


def _has_inks(data: bytes) -> bool:
    """Say whether a JP2's header names CMYK as its colours (ISO/IEC 15444-1, I.5.3.3)."""
    if data.startswith(_SOC_SIZ):
        return False
    header = next((data[at:end] for kind, at, end in boxes_in(data, 0) if kind == b"jp2h"), b"")
    return any(
        kind == b"colr" and header[at] == _ENUMERATED and header[at + 3 : at + 7] == _CMYK_COLOURS
        for kind, at, _ in boxes_in(header, 0)
    )


def _levels(data: bytes, start: int) -> int:
    """How often every component was halved, as the main header says; 0 where it is damaged."""
    try:
        return min(
            data[at + 5 if marker == _COD else at + 2]
            for marker, at, _ in _segments(data, start + 2, main_only=True)
            if marker in (_COD, _COC)
        )
    except (InvalidImage, ValueError, IndexError):
        return 0


def _halvings(size: _Size, levels: int) -> int:
    """How often OpenJPEG can halve, as Pillow, which rounds to the nearest, understands it."""
    for halvings in range(min(levels, 3), 0, -1):
        sides = size.width, size.height
        if all((side + (1 << halvings >> 1)) >> halvings == -(-side >> halvings) for side in sides):
            return halvings
    return 0


def _codestream(data: bytes) -> int:
    """Where the codestream begins."""
    if data.startswith(_SOC_SIZ):
        return 0
    for kind, start, _ in boxes_in(data, 0):
        if kind == b"jp2c" and data.startswith(_SOC_SIZ, start):
            return start
    raise InvalidImage("Damaged: this JP2 file holds no codestream. Fetch it again.")


def _size(data: bytes, start: int) -> _Size:
    right, bottom, left, top, tile_w, tile_h, tile_left, tile_top, components = struct.unpack_from(
        ">8IH", data, start + 8
    )
    if min(tile_w, tile_h) == 0 or left < tile_left or top < tile_top:
        raise InvalidImage("Damaged: the tiles of this JPEG 2000 do not cover it. Fetch it again.")
    tiles = -(-(right - tile_left) // tile_w) * -(-(bottom - tile_top) // tile_h)
    bits = 1 + (data[start + 42] & 0x7F)
    return _Size(right - left, bottom - top, tiles, components, bits)


def _segments(data: bytes, at: int, main_only: bool = False) -> Iterator[tuple[bytes, int, int]]:
    """Marker, start and end of each segment of the main header and of all tile-parts' headers.

    `main_only` stops before the first tile-part.

    Raises:
        InvalidImage: the tile-parts do not lead to the end of codestream.
    """
    tile_part_end = 0
    for _ in range(_MAX_MARKERS):
        marker = data[at : at + 2]
        if marker == _EOC or (main_only and marker == _SOT):
            return
        if marker == _SOD:
            at = tile_part_end
            continue
        start, end = at + 4, at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if end < start or end > len(data):
            break
        if marker == _SOT:
            length = int.from_bytes(data[at + 6 : at + 10])
            # A length of 0 says: up to the end of codestream.
            tile_part_end = at + length if length else data.rfind(_EOC)
            if tile_part_end <= at:
                break
        yield marker, start, end
        at = end
    raise InvalidImage(
        f"Truncated: this JPEG 2000 stops after {len(data)} bytes, before its end. Fetch it again."
    )


def _check_parts(own_precincts: int, coding: bytes, size: _Size) -> None:
    """Bound the precincts and code-blocks of one component (SPcod and SPcoc, table A.20)."""
    levels, block_w, block_h = coding[0], coding[1] + 2, coding[2] + 2
    parts = 0
    for resolution in range(levels + 1):
        precinct = coding[5 + resolution] if own_precincts else 0xFF
        precinct_w, precinct_h = precinct & 15, precinct >> 4
        halvings = levels - resolution
        width, height = size.width >> halvings, size.height >> halvings
        in_band = resolution > 0  # a precinct spans two code-blocks' bands there
        parts += ((width >> precinct_w) + 1) * ((height >> precinct_h) + 1)
        parts += ((width >> min(block_w, max(0, precinct_w - in_band))) + 1) * (
            (height >> min(block_h, max(0, precinct_h - in_band))) + 1
        )
    most = max(_MIN_PARTS, size.width * size.height // _PIXELS_PER_PART)
    _expect("precincts and code-blocks", parts, most)


def _expect(what: str, came: int, most: int) -> None:
    if came > most:
        raise InvalidImage(
            f"Too costly: this JPEG 2000 has {came} {what}, at most {most} are read. Save it as a"
            " PNG."
        )


# Its arithmetic decoder goes bit by bit.
_DECODER = Decoder("JPEG 2000", _pixels_or_apart, byte_ns=110.0)
JPEG2000 = Format(begins_with(_SIGNATURE_BOX, _SOC_SIZ), _header, _DECODER)

if __name__ == "__main__":
    answer(_header, _pixels)
