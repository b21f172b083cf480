"""GIF (version 89a) of one frame, decoded by Pillow from nothing but what makes pixels.

Comments and applications' extensions never reach the decoder.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL.GifImagePlugin import GifImageFile

from likeness.errors import InvalidImage
from likeness.vision.formats.header import (
    ALPHA,
    Decoder,
    Format,
    Header,
    begins_with,
    refuse_animation,
)
from likeness.vision.formats.rgb import from_pillow

_IMAGE, _EXTENSION, _TRAILER, _CONTROL = 0x2C, 0x21, 0x3B, 0xF9
_MAX_BLOCKS = 1 << 20  # of 255 bytes at most


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the first frame's control extension and the frame itself lie; None where there is none.

    `others` is whether another frame follows.
    """

    control: bytes
    start: int
    end: int
    others: bool


def _header(data: bytes) -> Header:
    frame = _first_frame(data)
    if frame.others:
        raise refuse_animation("GIF")
    width, height = _pair(data, 6)
    left, top = _pair(data, frame.start + 1)
    frame_w, frame_h = _pair(data, frame.start + 5)
    width, height = max(width, left + frame_w), max(height, top + frame_h)  # as Pillow does
    transparent = len(frame.control) > 3 and bool(frame.control[3] & 1)
    return Header(width, height, remarks=(ALPHA,) if transparent else (), decoder_bytes=5.0)


def _pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    frame = _first_frame(data)
    alone = b"".join(
        (data[: _after_palette(data, 10, 13)], frame.control, data[frame.start : frame.end], b";")
    )
    with GifImageFile(io.BytesIO(alone)) as picture:
        return from_pillow(picture, header.width, header.height, reduction)


def _first_frame(data: bytes) -> _Frame:
    control, first = b"", None
    for kind, start, end in _blocks(data):
        if kind == _IMAGE and first:
            return _Frame(control, *first, others=True)
        if kind == _IMAGE:
            first = start, end
        elif kind == _CONTROL and not first:
            control = data[start:end]
    if not first:
        raise InvalidImage("Damaged: this GIF holds no frame. Fetch it again.")
    return _Frame(control, *first, others=False)


def _blocks(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Kind, start and end of each frame and extension, whose kind is its label."""
    at = _after_palette(data, 10, 13)
    for _ in range(_MAX_BLOCKS):
        kind, start = data[at] if at < len(data) else _TRAILER, at
        if kind == _EXTENSION:
            kind, at = data[at + 1], _after_blocks(data, at + 2)
        elif kind == _IMAGE:
            at = _after_blocks(data, _after_palette(data, at + 9, at + 10) + 1)
        else:
            return
        yield kind, start, at
    raise InvalidImage("Damaged: this GIF has too many blocks. Save it anew.")


def _after_palette(data: bytes, flags_at: int, palette_at: int) -> int:
    flags = data[flags_at]
    return palette_at + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)


def _after_blocks(data: bytes, at: int) -> int:
    """The end of a chain of blocks, each of which begins with its length; the last is empty."""
    for _ in range(_MAX_BLOCKS):
        if at >= len(data):
            break
        length = data[at]
        at += 1 + length
        if not length:
            return at
    raise InvalidImage("Truncated: this GIF ends within its frame. Fetch it again.")


def _pair(data: bytes, at: int) -> tuple[int, int]:
    return int.from_bytes(data[at : at + 2], "little"), int.from_bytes(
        data[at + 2 : at + 4], "little"
    )


GIF = Format(begins_with(b"GIF87a", b"GIF89a"), _header, Decoder("GIF", _pixels))
