"""When a picture was taken, as its camera wrote it down (EXIF 3.0, tag 0x9003, DateTimeOriginal).

When it was changed or scanned says nothing of the person in it, so no other date counts.
"""

import struct
from datetime import date

from likeness.vision.formats.header import Directory, read_directory

_EXIF = 0x8769
_ORIGINAL = 0x9003
_LENGTH = len("2026:11:29 17:49:59")
_OLDEST_YEAR = 1826  # the oldest photograph that is left
_MOST_EXIF = 1 << 17
# What stands before EXIF's directory in JPEG and HEIC, in PNG, and in WebP with its length.
_MARKS = ((b"Exif\0\0", 6), (b"eXIf", 4), (b"EXIF", 8))


def day_taken(data: bytes) -> date | None:
    """Read the day from the bytes of a picture; None where its camera wrote none, or nonsense."""
    places = [0] + [at + skip for mark, skip in _MARKS if (at := data.find(mark)) >= 0]
    for place in places:
        try:
            return _day(data[place : place + _MOST_EXIF] if place else data)
        except (ValueError, OverflowError, struct.error):
            continue
    return None


def _day(data: bytes) -> date:
    inner = read_directory(data, read_directory(data).number(_EXIF))
    day, _, time = _text(inner, _ORIGINAL).partition(" ")
    year, month, of_month = map(int, day.split(":"))
    if not time or year < _OLDEST_YEAR:
        raise ValueError("no date")
    return date(year, month, of_month)


def _text(directory: Directory, tag: int) -> str:
    entry = directory.entries.get(tag)
    if entry is None or entry.type != 2 or not _LENGTH <= entry.count <= _LENGTH + 1:
        raise ValueError(f"tag {tag} is missing or no date")
    at = int.from_bytes(entry.field, "little" if directory.order == "<" else "big")
    return directory.data[at : at + _LENGTH].decode("ascii")
