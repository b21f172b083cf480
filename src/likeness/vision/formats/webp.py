"""WebP (RFC 9649), decoded by the libwebp inside OpenCV, which needs half of Pillow's memory."""

import struct
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidImage
from likeness.vision.formats.header import (
    ALPHA,
    Decoder,
    Format,
    Header,
    exif_orientation,
    refuse_animation,
)
from likeness.vision.formats.rgb import over_white, reduce_pixels, size_mismatch

_ANIMATION, _ALPHA = 0x02, 0x10
_ROWS = 64
_MAX_CHUNKS = 4096
_FRAME_HEADER = 16  # bytes of an animation's frame before its own chunks: place, sides, duration
_DECODER_BYTES = 7.5  # of the lossless kind, whole: OpenCV decodes no other size


def _accepts(data: bytes) -> bool:
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def _header(data: bytes) -> Header:
    still = _still(data)
    kind, body = still[12:16], still[20:30]
    remarks = (ALPHA,) if _has_alpha(still) else ()
    if kind == b"VP8X" and len(body) == 10:
        width = 1 + int.from_bytes(body[4:7], "little")
        height = 1 + int.from_bytes(body[7:10], "little")
        return Header(width, height, _orientation(data), remarks, _DECODER_BYTES)
    if kind == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        sides = int.from_bytes(body[1:5], "little")
        return Header(1 + (sides & 0x3FFF), 1 + (sides >> 14 & 0x3FFF), 1, remarks, _DECODER_BYTES)
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a" and len(body) == 10:
        width = int.from_bytes(body[6:8], "little") & 0x3FFF
        return Header(
            width, int.from_bytes(body[8:10], "little") & 0x3FFF, decoder_bytes=_DECODER_BYTES
        )
    raise InvalidImage("Damaged: this WebP does not begin with a picture's header. Fetch it again.")


def _pixels(data: bytes, header: Header, reduction: int) -> NDArray[np.uint8]:
    size = 8 + int.from_bytes(data[4:8], "little")
    if size > len(data):
        raise InvalidImage(f"Truncated: this WebP has {len(data)} of {size} bytes. Fetch it again.")
    still = _still(data)
    flag = cv2.IMREAD_UNCHANGED if _has_alpha(still) else cv2.IMREAD_COLOR_RGB
    decoded = cv2.imdecode(np.frombuffer(still, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    if decoded is None:
        raise InvalidImage("Damaged: the pixels of this WebP cannot be decoded. Save it anew.")
    if decoded.shape[1::-1] != (header.width, header.height):
        raise size_mismatch((header.width, header.height), (decoded.shape[1], decoded.shape[0]))
    pixels = np.asarray(decoded, np.uint8)
    return reduce_pixels(_bgra_over_white(pixels) if pixels.shape[2] == 4 else pixels, reduction)


def _still(data: bytes) -> bytes:
    """The picture without animation: an animation of one frame is that frame.

    Raises:
        UnsupportedImageFormat: there are more.
    """
    if data[12:16] != b"VP8X" or len(data) < 30 or not data[20] & _ANIMATION:
        return data
    frames = [data[start:end] for kind, start, end in _chunks(data) if kind == b"ANMF"]
    if len(frames) > 1:
        raise refuse_animation("WebP")
    if not frames or len(frames[0]) < _FRAME_HEADER:
        raise InvalidImage("Truncated: this WebP ends before its frame does. Fetch it again.")
    flags = bytes((data[20] & ~_ANIMATION, 0, 0, 0))
    extended = b"VP8X" + struct.pack("<I", 10) + flags + frames[0][6:12]
    content = b"WEBP" + extended + frames[0][_FRAME_HEADER:]
    return b"RIFF" + struct.pack("<I", len(content)) + content


def _has_alpha(data: bytes) -> bool:
    if data[12:16] == b"VP8X":
        return bool(data[20] & _ALPHA)
    return data[12:16] == b"VP8L" and bool(data[24] & 0x10)


def _bgra_over_white(bgra: NDArray[np.uint8]) -> NDArray[np.uint8]:
    out = np.empty((*bgra.shape[:2], 3), np.uint8)
    for top in range(0, len(bgra), _ROWS):
        out[top : top + _ROWS] = over_white(bgra[top : top + _ROWS, :, [2, 1, 0, 3]])
    return out


def _orientation(data: bytes) -> int:
    for kind, start, end in _chunks(data):
        if kind == b"EXIF":
            return exif_orientation(data[start:end].removeprefix(b"Exif\0\0"))
    return 1


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of the content of each whole chunk."""
    at = 12
    for _ in range(_MAX_CHUNKS):
        kind, start = data[at : at + 4], at + 8
        end = start + int.from_bytes(data[at + 4 : at + 8], "little")
        if start > len(data) or end > len(data):
            return
        yield kind, start, end
        at = end + (end - start) % 2


WEBP = Format(_accepts, _header, Decoder("WebP", _pixels))
