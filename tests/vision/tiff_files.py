"""TIFF files as nobody's library writes them: any depth, layout, byte order and predictor."""

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NONE, LZW, DEFLATE, PACKBITS = 1, 5, 8, 32773
_KINDS = {3: "H", 4: "I", 16: "Q"}


def tiff(
    samples: NDArray[np.generic],
    photometric: int,
    bits: int,
    *,
    order: str = "<",
    big: bool = False,
    planar: bool = False,
    tile: tuple[int, int] | None = None,
    rows_per_strip: int = 7,
    compression: int = NONE,
    predictor: int = 1,
    sample_format: int = 1,
    extra: Sequence[int] = (),
    more: Sequence[tuple[int, int, Sequence[int]]] = (),
) -> bytes:
    """Write (h, w, n) samples; `more` are further tags, each its number, type and values."""
    height, width, count = samples.shape
    planes = [samples[..., n : n + 1] for n in range(count)] if planar else [samples]
    pieces = [piece for plane in planes for piece in _pieces(plane, tile, rows_per_strip)]
    blobs = [_packed(_raw(piece, bits, order, predictor), compression) for piece in pieces]
    head = 16 if big else 8
    starts = (head + np.cumsum([0, *map(len, blobs)])).tolist()
    body = b"".join(blobs) + b"\0" * (sum(map(len, blobs)) % 2)
    offset = 16 if big else 4
    sizes = [len(blob) for blob in blobs]
    tags: list[tuple[int, int, Sequence[int]]] = [
        (256, 4, [width]),
        (257, 4, [height]),
        (258, 3, [bits] * count),
        (259, 3, [compression]),
        (262, 3, [photometric]),
        (277, 3, [count]),
        (284, 3, [2 if planar else 1]),
        (317, 3, [predictor]),
        (339, 3, [sample_format] * count),
        *([(338, 3, extra)] if extra else []),
        *more,
    ]
    if tile:
        tags += [(322, 4, [tile[0]]), (323, 4, [tile[1]])]
        tags += [(324, offset, starts[:-1]), (325, 4, sizes)]
    else:
        tags += [(278, 4, [rows_per_strip]), (273, offset, starts[:-1]), (279, 4, sizes)]
    start = head + len(body)
    magic = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    first = struct.pack(order + "HHQ", 8, 0, start) if big else struct.pack(order + "I", start)
    return magic + first + body + _directory(sorted(tags), order, big, start)


def _pieces(
    plane: NDArray[np.generic], tile: tuple[int, int] | None, rows: int
) -> list[NDArray[np.generic]]:
    height, width, count = plane.shape
    if tile is None:
        return [plane[top : top + rows] for top in range(0, height, rows)]
    pieces = []
    for top in range(0, height, tile[1]):
        for left in range(0, width, tile[0]):
            part = plane[top : top + tile[1], left : left + tile[0]]
            piece = np.zeros((tile[1], tile[0], count), plane.dtype)
            piece[: part.shape[0], : part.shape[1]] = part
            pieces.append(piece)
    return pieces


def _raw(piece: NDArray[np.generic], bits: int, order: str, predictor: int) -> bytes:
    if predictor == 2:
        whole = piece.astype(f"u{bits // 8}")
        piece = whole.copy()
        piece[:, 1:] = whole[:, 1:] - whole[:, :-1]
    rows = piece.reshape(len(piece), -1)
    if predictor == 3:
        size, step = bits // 8, piece.shape[2]
        values = rows.astype(f">f{size}").view(np.uint8).reshape(len(rows), -1, size)
        planes = values.transpose(0, 2, 1).reshape(len(rows), -1)
        differences = planes.copy()
        differences[:, step:] = planes[:, step:] - planes[:, :-step]
        return differences.tobytes()
    if bits in (8, 16, 32, 64):
        return rows.astype(f"{order}{piece.dtype.kind}{bits // 8}").tobytes()
    alone = (rows[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(alone.astype(np.uint8).reshape(len(rows), -1), axis=1).tobytes()


def _packed(raw: bytes, compression: int) -> bytes:
    if compression == DEFLATE:
        return zlib.compress(raw)
    if compression == PACKBITS:
        runs = (raw[at : at + 128] for at in range(0, len(raw), 128))
        return b"".join(bytes([len(run) - 1]) + run for run in runs)
    if compression == LZW:  # codes of 9 bits alone: the table is cleared before it grows
        codes = [256]
        for n, byte in enumerate(raw, start=1):
            codes += [byte] if n % 200 else [byte, 256]
        bits = "".join(f"{code:09b}" for code in [*codes, 257])
        bits += "0" * (-len(bits) % 8)
        return int(bits, 2).to_bytes(len(bits) // 8, "big")
    return raw


def _directory(
    tags: Sequence[tuple[int, int, Sequence[int]]], order: str, big: bool, start: int
) -> bytes:
    count, entry, offset, field = ("Q", "HHQ", "Q", 8) if big else ("H", "HHI", "I", 4)
    sizes = struct.calcsize(order + count), struct.calcsize(order + entry) + field
    beyond_at = start + sizes[0] + len(tags) * sizes[1] + field
    out, beyond = struct.pack(order + count, len(tags)), b""
    for tag, kind, values in tags:
        content = struct.pack(order + _KINDS[kind] * len(values), *values)
        if len(content) > field:
            place = struct.pack(order + offset, beyond_at + len(beyond))
            beyond += content + b"\0" * (len(content) % 2)
            content = place
        out += struct.pack(order + entry, tag, kind, len(values)) + content.ljust(field, b"\0")
    return out + struct.pack(order + offset, 0) + beyond
