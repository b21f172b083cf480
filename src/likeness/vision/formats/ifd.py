"""The tags of a TIFF directory, which also hold EXIF's orientation (TIFF 6.0, sections 2 and 8)."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ORIENTATION = 0x0112

_SIZE_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_KIND_OF_TYPE = {1: "u1", 3: "u2", 4: "u4"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag: its field type, how many values it has, and its 12 bytes as stored."""

    type: int
    count: int
    raw: bytes

    @property
    def size(self) -> int:
        """Bytes that the values take; 0 for an unknown field type."""
        return self.count * _SIZE_OF_TYPE.get(self.type, 0)


def byte_order(data: bytes) -> str:
    """The prefix for `struct`: `<` or `>`.

    Raises:
        ValueError: the bytes do not begin like a TIFF.
    """
    if data[:4] == b"II*\0":
        return "<"
    if data[:4] == b"MM\0*":
        return ">"
    raise ValueError("no TIFF header")


def entries(data: bytes) -> dict[int, Entry]:
    """The tags of the first directory; of a tag that is there twice, the first."""
    order = byte_order(data)
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, start)
    found: dict[int, Entry] = {}
    for at in range(start + 2, start + 2 + 12 * count, 12):
        tag, type_, values = struct.unpack_from(f"{order}HHI", data, at)
        found.setdefault(tag, Entry(type_, values, data[at : at + 12]))
    return found


def numbers(data: bytes, entry: Entry) -> NDArray[np.int64]:
    """The values of a tag of bytes, shorts or longs."""
    order = byte_order(data)
    buffer, at = entry.raw, 8
    if entry.size > 4:
        buffer, at = data, struct.unpack_from(f"{order}I", entry.raw, 8)[0]
    kind = np.dtype(order + _KIND_OF_TYPE[entry.type])
    return np.frombuffer(buffer, kind, entry.count, at).astype(np.int64)


def number(data: bytes, entry: Entry) -> int:
    """The value of a tag that has one."""
    return int(numbers(data, entry).item())


def orientation(data: bytes) -> int:
    """EXIF's orientation, 1 to 8; 1 where it is missing or unreadable, as viewers do."""
    try:
        value = number(data, entries(data)[ORIENTATION])
    except (KeyError, ValueError, struct.error):
        return 1
    return value if 1 <= value <= 8 else 1
