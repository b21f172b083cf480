"""Files made of boxes (ISO/IEC 14496-12): which kinds of file they are, and where a box lies."""

from collections.abc import Iterator

_MAX_BRANDS, _MAX_BOXES = 64, 10_000


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
