"""What a picture promises before a pixel of it is decoded, and how formats find that out.

Beside what each format's module offers: the tags of a TIFF directory, which also hold EXIF's
orientation (TIFF 6.0, sections 2 and 8; BigTIFF, whose offsets have 8 bytes, is read alike), and
the boxes that other files are made of (ISO/IEC 14496-12).
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.errors import UnsupportedImageFormat

# Orientations that lie on their side: the stored width is the height of the upright picture.
_SIDEWAYS = (5, 6, 7, 8)

SIXTEEN_BITS = "its samples of more than 8 bits were reduced to 8"
INVERTED_CMYK = "its CMYK colours were taken as inverted, as Adobe writes them"
CMYK = "its CMYK colours were converted without a colour profile"
ALPHA = "its transparent parts were laid over white"

_REDUCED_FROM_PIXELS = 24_000_000
# Nanoseconds for a pixel, and for each byte of it that a decoder holds: docs/pictures.md has what
# pictures of each format took.
_PIXEL_NS, _MOVED_NS = 3.0, 3.0
_BESIDE = 4 << 20  # bytes for rows that are converted, tables, and what a heap loses to gaps

ORIENTATION = 0x0112

# Bounds on time and memory: writers put some 20 tags into a directory, and at most one offset a row
# and plane into a tag.
_MAX_ENTRIES = 4096
MAX_TAG_BYTES = 1 << 20

_SIZE_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_SIZE_OF_TYPE |= {13: 4, 16: 8, 17: 8, 18: 8}
_KIND_OF_TYPE = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "i8", 18: "i8"}  # more bits: negative

_MAX_BRANDS, _MAX_BOXES = 64, 10_000


def one_of_several(what: str, count: int | None = None) -> str:
    """Word the remark that a file holds several pictures of which the first was read."""
    return f"the first of its {'' if count is None else f'{count} '}{what} was read"


@dataclass(frozen=True, slots=True)
class Header:
    """Sides as stored, in pixels, and the EXIF orientation (1 to 8) that makes them upright.

    `remarks` say what of the picture is lost or guessed in decoding. `decoder_bytes` is what the
    decoder holds for each pixel beside the result, and `halvings` how often it can halve the sides
    before it holds any.
    """

    width: int
    height: int
    orientation: int = 1
    remarks: tuple[str, ...] = ()
    decoder_bytes: float = 4.0
    halvings: int = 0

    @property
    def upright_wh(self) -> tuple[int, int]:
        """Width and height once the orientation is applied."""
        if self.orientation in _SIDEWAYS:
            return self.height, self.width
        return self.width, self.height

    def reduced_wh(self, reduction: int) -> tuple[int, int]:
        """Width and height as stored, divided and rounded up."""
        return -(-self.width // reduction), -(-self.height // reduction)

    def by_decoder(self, reduction: int) -> int:
        """How much of a reduction (1, 2, 4 or 8) the decoder does before it holds pixels."""
        return min(reduction, 1 << self.halvings)

    def memory(self, reduction: int) -> int:
        """Bytes that decoding takes at most, beside the file.

        That is the result, and beside it what the decoder holds or, once that is gone, the result
        again: while its channels change their order, or it is turned upright. Rows on their way
        take a little more.
        """
        width, height = self.reduced_wh(reduction)
        decoded_w, decoded_h = self.reduced_wh(self.by_decoder(reduction))
        result = 3 * width * height
        return _BESIDE + result + max(round(self.decoder_bytes * decoded_w * decoded_h), result)


@dataclass(frozen=True, slots=True)
class Decoder:
    """Makes the pixels of a picture whose header is known; `name` is that of the format.

    `byte_ns` is how long it takes about for each byte of the file, beside what pixels take.

    `pixels` decodes to (h, w, 3) uint8 RGB as stored, not yet upright, with each side divided by
    the reduction (1, 2, 4 or 8), rounded up. It may raise whatever its parsing raises: `decode`
    wraps it. Only pictures of `reduced_from` pixels or more are ever reduced: where the decoder
    itself cannot, that costs more than it spares.
    """

    name: str
    pixels: Callable[[bytes, Header, int], NDArray[np.uint8]]
    reduced_from: int = _REDUCED_FROM_PIXELS
    byte_ns: float = 15.0

    def seconds(self, header: Header, size: int) -> float:
        """About how long one processor decodes a file of so many bytes, whole."""
        pixel_ns = _PIXEL_NS + _MOVED_NS * header.decoder_bytes
        return (pixel_ns * header.width * header.height + self.byte_ns * size) / 1e9


@dataclass(frozen=True, slots=True)
class Format:
    """One picture format.

    `accepts` looks at the first bytes; `header` reads sides and orientation without decoding. They
    may raise whatever their parsing raises, as the decoder may.
    """

    accepts: Callable[[bytes], bool]
    header: Callable[[bytes], Header]
    decoder: Decoder


def begins_with(*beginnings: bytes) -> Callable[[bytes], bool]:
    """Make what accepts files that begin with one of these bytes."""
    return lambda data: data.startswith(beginnings)


def refuse_animation(name: str) -> UnsupportedImageFormat:
    """The error for a picture that moves: it has no single moment in which a face is shown."""
    return UnsupportedImageFormat(
        f"Not a still picture: this {name} is an animation. Save the frame that matters as a"
        " picture of its own."
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag: its field type, how many values it has, and the field of values or their offset."""

    type: int
    count: int
    field: bytes

    @property
    def size(self) -> int:
        """Bytes that the values take; 0 for an unknown field type."""
        return self.count * _SIZE_OF_TYPE.get(self.type, 0)


@dataclass(frozen=True, slots=True)
class Directory:
    """The tags of one picture of a file; of a tag that is there twice, the first.

    `following` is where the next picture's directory begins, 0 where there is none.
    """

    data: bytes
    order: str
    entries: dict[int, Entry]
    following: int

    def numbers(self, tag: int, *default: int) -> NDArray[np.int64]:
        """The values of a tag of bytes, shorts, longs or offsets; `default` where it is missing.

        Raises:
            ValueError: they are of another type, or do not lie within the file.
        """
        if tag not in self.entries:
            return np.array(default, np.int64)
        entry = self.entries[tag]
        if entry.type not in _KIND_OF_TYPE:
            raise ValueError(f"tag {tag} has type {entry.type}")
        if entry.size > MAX_TAG_BYTES:
            raise ValueError(f"tag {tag} has {entry.size} bytes, more than {MAX_TAG_BYTES}")
        buffer, at = entry.field, 0
        if entry.size > len(entry.field):
            buffer = self.data
            at = int.from_bytes(entry.field, "little" if self.order == "<" else "big")
        kind = np.dtype(self.order + _KIND_OF_TYPE[entry.type])
        values = np.frombuffer(buffer, kind, entry.count, at).astype(np.int64)
        if len(values) and values.min() < 0:
            raise ValueError(f"tag {tag} is beyond any file")
        return values

    def number(self, tag: int, default: int | None = None) -> int:
        """The first value of a tag; raises ValueError where there is none, and no default."""
        values = self.numbers(tag, *(() if default is None else (default,)))
        if not len(values):
            raise ValueError(f"tag {tag} is missing")
        return int(values[0])


def byte_order(data: bytes) -> str:
    """The prefix for `struct`: `<` or `>`.

    Raises:
        ValueError: the bytes do not begin like a TIFF or BigTIFF.
    """
    if data[:4] in (b"II*\0", b"II+\0"):
        return "<"
    if data[:4] in (b"MM\0*", b"MM\0+"):
        return ">"
    raise ValueError("no TIFF header")


def read_directory(data: bytes, start: int | None = None) -> Directory:
    """Read the directory at an offset, the first one of the file without.

    Raises:
        struct.error: it does not lie within the file.
        ValueError: the bytes do not begin like a TIFF.
    """
    order = byte_order(data)
    big = b"+" in data[2:4]
    offset, count_of, entry_of = ("Q", "Q", "HHQ8s") if big else ("I", "H", "HHI4s")
    if start is None:
        (start,) = struct.unpack_from(order + offset, data, 8 if big else 4)
    (count,) = struct.unpack_from(order + count_of, data, start)
    at, step = start + struct.calcsize(order + count_of), struct.calcsize(order + entry_of)
    if count > _MAX_ENTRIES or at + count * step > len(data):
        raise struct.error(f"a directory of {count} tags, or beyond the end of the file")
    found: dict[int, Entry] = {}
    for tag, type_, values, field in struct.iter_unpack(
        order + entry_of, data[at : at + count * step]
    ):
        found.setdefault(tag, Entry(type_, values, field))
    try:
        (following,) = struct.unpack_from(order + offset, data, at + count * step)
    except struct.error:
        following = 0  # as many writers leave it out
    return Directory(data, order, found, following)


def exif_orientation(data: bytes) -> int:
    """EXIF's orientation, 1 to 8; 1 where it is missing or unreadable, as viewers do."""
    try:
        value = read_directory(data).number(ORIENTATION)
    except (ValueError, struct.error):
        return 1
    return value if 1 <= value <= 8 else 1


def brands(data: bytes) -> tuple[bytes, ...]:
    """The major brand and then the compatible ones; none where the file is not made of boxes."""
    if data[4:8] != b"ftyp":
        return ()
    end = min(int.from_bytes(data[:4]), len(data), 16 + 4 * _MAX_BRANDS)
    return (data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4)))


def boxes_in(data: bytes, at: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the content of each box from a place on.

    Raises:
        ValueError: a box ends before it begins, or there are too many.
    """
    for _ in range(_MAX_BOXES):
        if at + 8 > len(data):
            return
        length, kind, start = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8], at + 8
        if length == 1:
            length, start = int.from_bytes(data[start : start + 8]), at + 16
        end = at + length if length else len(data)
        if end < start:
            raise ValueError("a box ends before it begins")
        yield kind, start, end
        at = end
    raise ValueError(f"it has more than {_MAX_BOXES} boxes")
