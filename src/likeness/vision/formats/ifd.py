"""The tags of a TIFF directory, which also hold EXIF's orientation (TIFF 6.0, sections 2 and 8).

BigTIFF, whose offsets have 8 bytes, is read alike.
"""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ORIENTATION = 0x0112

# Bounds on time and memory: writers put some 20 tags into a directory, and at most one offset a row
# and plane into a tag.
_MAX_ENTRIES = 4096
MAX_TAG_BYTES = 1 << 20

_SIZE_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_SIZE_OF_TYPE |= {13: 4, 16: 8, 17: 8, 18: 8}
_KIND_OF_TYPE = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "i8", 18: "i8"}  # more bits: negative


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


def directory(data: bytes, start: int | None = None) -> Directory:
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


def orientation(data: bytes) -> int:
    """EXIF's orientation, 1 to 8; 1 where it is missing or unreadable, as viewers do."""
    try:
        value = directory(data).number(ORIENTATION)
    except (ValueError, struct.error):
        return 1
    return value if 1 <= value <= 8 else 1
