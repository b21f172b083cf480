"""The first box of files made of boxes (ISO/IEC 14496-12): which kinds of file they are."""

_MAX_BRANDS = 64


def brands(data: bytes) -> tuple[bytes, ...]:
    """The major brand and then the compatible ones; none where the file is not made of boxes."""
    if data[4:8] != b"ftyp":
        return ()
    end = min(int.from_bytes(data[:4]), len(data), 16 + 4 * _MAX_BRANDS)
    return (data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4)))
