"""Pictures that tests encode, and the headers of some that only promise."""

import io
import struct
import zlib

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from likeness.terms import Image
from likeness.vision.decode import DEFAULT_LIMITS, DecodeLimits, inspect

LOSSLESS = {"PNG": {}, "WebP": {"lossless": True}, "BMP": {}, "TIFF": {}, "JPEG 2000": {}}
ALL = ("JPEG", *LOSSLESS)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def scene(width: int = 80, height: int = 48) -> NDArray[np.uint8]:
    """Smooth gradients with a red, a green and a blue corner: no two turns of it look alike."""
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x * 255 // width, y * 255 // height, (x + y) % 200], -1).astype(np.uint8)
    pixels[: height // 4, : width // 4] = (250, 10, 10)
    pixels[: height // 4, -(width // 4) :] = (10, 250, 10)
    pixels[-(height // 4) :, : width // 4] = (10, 10, 250)
    return pixels


def encoded(picture: PIL.Image.Image | NDArray[np.uint8], name: str, **options: object) -> bytes:
    if not isinstance(picture, PIL.Image.Image):
        picture = PIL.Image.fromarray(picture)
    file = io.BytesIO()
    picture.save(file, name.replace(" ", ""), **options)
    return file.getvalue()


def exif_orientation(value: int) -> bytes:
    exif = PIL.Image.Exif()
    exif[0x0112] = value
    return exif.tobytes()


def chunk(kind: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)


def png_after_header(data: bytes, *chunks: bytes) -> bytes:
    header_end = len(PNG_SIGNATURE) + 25
    return data[:header_end] + b"".join(chunks) + data[header_end:]


def promising(name: str, width: int, height: int) -> bytes:
    """The smallest header of a format that promises a size, and nothing behind it."""
    if name == "JPEG":
        frame = struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"
        return b"\xff\xd8\xff\xc0" + struct.pack(">H", 2 + len(frame)) + frame
    if name == "PNG":
        sides = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        return PNG_SIGNATURE + chunk(b"IHDR", sides)
    if name == "WebP":
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<II", 10, 0) + sides
    if name == "BMP":
        return b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, width, height, 1, 24, 0) + bytes(24)
    if name == "TIFF":
        tags = struct.pack("<HHIIHHII", 256, 4, 1, width, 257, 4, 1, height)
        return b"II*\0" + struct.pack("<IH", 8, 2) + tags + bytes(4)
    assert name == "JPEG 2000"
    tile_w, tile_h = max(1, width), max(1, height)
    size = struct.pack(">H8IH", 0, width, height, 0, 0, tile_w, tile_h, 0, 0, 3) + b"\7\1\1" * 3
    return b"\xff\x4f\xff\x51" + struct.pack(">H", 2 + len(size)) + size


def assert_one_line(error: BaseException) -> None:
    assert str(error)
    assert "\n" not in str(error)


def decode(data: bytes, limits: DecodeLimits = DEFAULT_LIMITS) -> Image:
    """Decode a picture whole."""
    return inspect(data, limits).decode()
