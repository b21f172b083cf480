"""The samples of a TIFF page, of any depth and layout, to RGB of 8 bits.

Whole numbers of more than 8 bits are shifted by the rule of `rgb`. Of float samples 0 and below is
black. White is 1, or the largest sample where that is up to 16, since light may exceed white; else
255 or 65535, the least that no sample exceeds; else the largest sample. To know the largest, such a
page is unpacked twice.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile

from likeness.errors import InvalidImage, UnsupportedImageFormat
from likeness.vision.formats.rgb import over_white, reduce_pixels, shift_to_8_bits
from likeness.vision.formats.tiff_layout import (
    DEFLATE,
    FLOAT,
    LZW,
    NONE,
    PACKBITS,
    Layout,
    Photometric,
    Predictor,
)

# Of rows that are converted together; samples that do not fill bytes are spread out, bit by bit.
_BLOCK_BITS = 1 << 22
_SMALL_PIECES_PIXELS = 1 << 16
_LIGHTEST, _WHITES = 16.0, (255.0, 65535.0)
# Bytes of unpacked data that each way of unpacking holds at once, for one that comes out.
_COPIES = {NONE: 0.0, **dict.fromkeys(DEFLATE, 2.0), LZW: 3.0, PACKBITS: 3.0}

Samples = NDArray[Any]


def decoder_bytes(layout: Layout) -> float:
    """Bytes that unpacking holds for each pixel of the page."""
    rows = layout.piece_h * _pieces_at_once(layout)
    if not layout.tiled:
        rows = min(rows, layout.height)
    unpacked = layout.planes * layout.across * layout.row_bytes * rows
    pixels = max(1, layout.width * layout.height)
    return _COPIES.get(layout.compression, 3.0) * unpacked / pixels


def pixels(data: bytes, layout: Layout, reduction: int) -> NDArray[np.uint8]:
    """Read a page to (h, w, 3) uint8 RGB, each side divided and rounded up.

    Raises:
        InvalidImage: data is missing or damaged.
        UnsupportedImageFormat: float samples are not all numbers.
    """
    largest = _largest(data, layout) if layout.bits > 8 else 0.0
    out = np.empty((-(-layout.height // reduction), -(-layout.width // reduction), 3), np.uint8)
    for top, samples in _blocks(data, layout, reduction):
        rgb = _rgb(_of_8_bits(samples, layout, largest), layout)
        bottom = top + len(samples)
        out[top // reduction : -(-bottom // reduction)] = reduce_pixels(rgb, reduction)
    return out


def _largest(data: bytes, layout: Layout) -> float:
    largest = max(float(samples.max()) for _, samples in _blocks(data, layout, 1))
    if not np.isfinite(largest):
        raise UnsupportedImageFormat(
            "Not read: this TIFF has float samples that are no numbers. Save it as a PNG."
        )
    return largest


def _blocks(data: bytes, layout: Layout, multiple: int) -> Iterator[tuple[int, Samples]]:
    """The page from top to bottom, some rows at a time: their first, and (rows, width, samples).

    All but the last have a multiple of so many rows.
    """
    bits = layout.width * layout.samples * layout.bits * (1 if layout.bits % 8 == 0 else 8)
    rows_at_once = multiple * max(1, _BLOCK_BITS // (bits * multiple))
    kept: list[Samples] = []
    top, waiting = 0, 0
    for rows in _rows(data, layout, rows_at_once):
        kept.append(rows)
        waiting += len(rows)
        if waiting >= rows_at_once:
            joined = np.concatenate(kept) if len(kept) > 1 else rows
            whole = waiting - waiting % multiple
            yield top, joined[:whole]
            kept, top, waiting = [joined[whole:]], top + whole, waiting - whole
    if waiting:
        yield top, np.concatenate(kept)


def _rows(data: bytes, layout: Layout, at_once: int) -> Iterator[Samples]:
    """The rows of the page, at most so many at a time, as the pieces give them."""
    step = _pieces_at_once(layout)
    for first in range(0, layout.down, step):
        unpacked = [
            _unpacked(data, layout, plane, first, min(first + step, layout.down))
            for plane in range(layout.planes)
        ]
        rows_here = min(layout.height - first * layout.piece_h, len(unpacked[0][0]))
        for top in range(0, rows_here, at_once):
            bottom = min(top + at_once, rows_here)
            yield np.concatenate(
                [
                    np.concatenate([_samples(piece[top:bottom], layout) for piece in plane], 1)
                    for plane in unpacked
                ],
                axis=2,
            )[:, : layout.width]


def _pieces_at_once(layout: Layout) -> int:
    """How many pieces, one below the other, are unpacked together: small strips cost time alone."""
    if layout.tiled:
        return 1
    return max(1, _SMALL_PIECES_PIXELS // (layout.width * layout.piece_h or 1))


def _unpacked(
    data: bytes, layout: Layout, plane: int, first: int, last: int
) -> list[NDArray[np.uint8]]:
    """Bytes of the pieces of some rows of pieces: for each column of them (rows, row_bytes)."""
    columns = []
    for column in range(layout.across):
        indices = [
            (plane * layout.down + row) * layout.across + column for row in range(first, last)
        ]
        rows = (last - first) * layout.piece_h
        if not layout.tiled:
            rows = min(rows, layout.height - first * layout.piece_h)
        content = _unpacked_pieces(data, layout, indices, rows)
        if len(content) < rows * layout.row_bytes:
            raise InvalidImage(
                f"Truncated: {len(content)} of {rows * layout.row_bytes} bytes of a strip or tile"
                " of this TIFF came. Fetch it again."
            )
        columns.append(np.frombuffer(content, np.uint8, rows * layout.row_bytes).reshape(rows, -1))
    return columns


def _unpacked_pieces(
    data: bytes, layout: Layout, indices: list[int], rows: int
) -> bytes | memoryview:
    """The bytes of pieces that lie one below the other and have so many rows together."""
    whole = layout.piece_h * layout.row_bytes
    starts = layout.offsets[indices].tolist()
    unpacked = layout.compression == NONE
    sizes = [whole] * len(starts) if unpacked else layout.sizes[indices].tolist()
    view = memoryview(data)
    parts: list[bytes | memoryview] = [
        view[at : at + size] for at, size in zip(starts, sizes, strict=True)
    ]
    if layout.bits_reversed:
        parts = [bytes(part).translate(_REVERSED) for part in parts]
    if unpacked:
        return parts[0] if len(parts) == 1 else b"".join(parts)
    if layout.compression in DEFLATE:
        return b"".join(zlib.decompressobj().decompress(part, whole) for part in parts)
    return _by_pillow(parts, layout, rows)


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _by_pillow(packed: list[bytes | memoryview], layout: Layout, rows: int) -> bytes:
    """Unpack pieces with libtiff, as the strips of a grey picture of as many bytes a row."""
    content = b"".join(packed)
    sizes = [len(part) for part in packed]
    ends = np.cumsum([8, *sizes])
    lists = struct.pack(f"<{len(packed)}I", *ends[:-1]) + struct.pack(f"<{len(packed)}I", *sizes)
    at_lists = int(ends[-1]) + int(ends[-1]) % 2
    one = len(packed) == 1
    tags = (
        (256, layout.row_bytes),
        (257, rows),
        (258, 8),
        (259, layout.compression),
        (262, Photometric.BLACK_IS_ZERO),
        (273, int(ends[0]) if one else at_lists),
        (277, 1),
        (278, layout.piece_h),
        (279, sizes[0] if one else at_lists + 4 * len(packed)),
    )
    directory = b"".join(
        struct.pack("<HHII", tag, 4, len(packed) if tag in (273, 279) else 1, value)
        for tag, value in tags
    )
    at = at_lists + len(lists)
    file = b"".join(
        (
            b"II*\0" + struct.pack("<I", at) + content + b"\0" * (at_lists - int(ends[-1])),
            lists + struct.pack("<H", len(tags)) + directory + bytes(4),
        )
    )
    with TiffImageFile(io.BytesIO(file)) as picture:
        return picture.tobytes()


def _samples(rows: NDArray[np.uint8], layout: Layout) -> Samples:
    """The samples of (rows, row_bytes) of a piece: (rows, piece_w, samples of the plane)."""
    bits, order = layout.bits, layout.order
    each = layout.samples // layout.planes
    count = layout.piece_w * each
    shape = (len(rows), layout.piece_w, each)
    if layout.predictor == Predictor.FLOAT_DIFFERENCES:
        size = bits // 8
        summed = np.cumsum(rows.reshape(len(rows), -1, each), axis=1, dtype=np.uint8)
        planes = summed.reshape(len(rows), size, count).transpose(0, 2, 1)
        return np.ascontiguousarray(planes).view(f">f{size}").reshape(shape)
    if bits in (8, 16, 32, 64):
        kind = "f" if layout.sample_format == FLOAT else "u"
        values: Samples = rows.view(f"{order}{kind}{bits // 8}").reshape(shape)
    else:
        alone = np.unpackbits(rows, axis=1)[:, : count * bits].reshape(len(rows), count, bits)
        weights = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint16)
        values = (alone @ weights).reshape(shape)
    if layout.predictor == Predictor.DIFFERENCES:
        whole = values.view(values.dtype.str.replace("f", "u"))
        native = whole.astype(whole.dtype.newbyteorder("="))
        summed_up = np.cumsum(native, axis=1, dtype=native.dtype)
        return summed_up.view(values.dtype.newbyteorder("="))
    return values


def _of_8_bits(samples: Samples, layout: Layout, largest: float) -> NDArray[np.uint8]:
    """Bring samples of any depth to 8 bits; indices into a palette stay as they are."""
    if layout.sample_format == FLOAT:
        scaled = samples.astype(np.float64) * (255 / _white(largest))
        return np.clip(np.round(scaled), 0, 255).astype(np.uint8)
    if layout.bits > 8:
        shift = np.uint32(shift_to_8_bits(int(largest)))
        return np.right_shift(samples.astype(np.uint32), shift).astype(np.uint8)
    if layout.bits < 8 and layout.photometric != Photometric.PALETTE:
        return (samples.astype(np.uint16) * 255 // ((1 << layout.bits) - 1)).astype(np.uint8)
    return samples.astype(np.uint8)


def _white(largest: float) -> float:
    """Say which float sample is white, given the largest of the page."""
    if largest <= _LIGHTEST:
        return max(1.0, largest)
    return next((white for white in _WHITES if largest <= white), largest)


def _rgb(samples: NDArray[np.uint8], layout: Layout) -> NDArray[np.uint8]:
    """(rows, width, samples) of 8 bits to (rows, width, 3) RGB, laid over white."""
    match layout.photometric:
        case Photometric.PALETTE:
            colour: NDArray[np.uint8] = _palette(layout)[samples[..., 0]]
        case Photometric.CMYK:
            height, width, _ = samples.shape
            inks = np.ascontiguousarray(samples[..., :4])
            picture = PIL.Image.frombytes("CMYK", (width, height), inks.tobytes())
            colour = np.asarray(picture.convert("RGB"))
        case Photometric.RGB:
            colour = samples[..., :3]
        case kind:
            grey = samples[..., :1] if kind == Photometric.BLACK_IS_ZERO else 255 - samples[..., :1]
            colour = np.repeat(grey, 3, axis=2)
    if layout.alpha is None:
        return np.ascontiguousarray(colour)
    alpha = samples[..., layout.alpha, None]
    if layout.associated:
        lighter = colour.astype(np.uint16) + (255 - alpha)
        return np.asarray(np.minimum(lighter, 255), np.uint8)
    return over_white(np.concatenate([colour, alpha], axis=2))


def _palette(layout: Layout) -> NDArray[np.uint8]:
    """The colours of the palette, (256, 3); those that are missing are black."""
    colours = 1 << layout.bits
    if len(layout.palette) < 3 * colours:
        raise InvalidImage("Damaged: this TIFF has no palette, or a short one. Save it anew.")
    values = layout.palette[: 3 * colours]
    # Some writers put 8 bits where 16 belong.
    values = values >> 8 if values.max() > 255 else values
    table = np.zeros((256, 3), np.uint8)
    table[:colours] = values.reshape(3, colours).T
    return table
