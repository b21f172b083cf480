"""From bytes to pixels: the one door through which pictures come in.

`inspect` reads the header, checks the limits and decodes nothing; `Sample.decode` then makes the
pixels. The content decides which format it is, never a file's name. Only still pictures are read:
animations are refused; of a TIFF of several pages or a JPEG with several pictures it is the first.

Memory: decoding takes at most 16 bytes for each pixel of the limit `max_pixels`, three times the
bytes given, and 96 MiB (JPEG 2000 costs twice as much a pixel and is allowed half as many). HEIC
is the exception: how much libheif takes is libheif's own limit.

Nothing here changes a global setting, so any number of threads may decode at once.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.errors import (
    ImageTooLarge,
    InvalidImage,
    InvalidRequest,
    LikenessError,
    UnsupportedImageFormat,
)
from likeness.terms.image import Image
from likeness.vision.formats.bmp import BMP
from likeness.vision.formats.header import Format, Header
from likeness.vision.formats.heic import HEIC
from likeness.vision.formats.jpeg import JPEG
from likeness.vision.formats.jpeg2000 import JPEG2000
from likeness.vision.formats.png import PNG
from likeness.vision.formats.tiff import TIFF
from likeness.vision.formats.webp import WEBP

_FORMATS = (JPEG, PNG, WEBP, BMP, TIFF, JPEG2000, HEIC)
_READ = ", ".join(format.name for format in _FORMATS)
_REDUCTIONS = (8, 4, 2)


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What a picture may cost at most.

    64 MiB of bytes hold any photograph as cameras write it and most scans; 100 million pixels are
    those of the largest cameras and bound memory to about 1.9 GB; a side of 30,000 pixels leaves
    room for panoramas. `max_pixels` counts width times height.
    """

    max_bytes: int = 64 << 20
    max_pixels: int = 100_000_000
    max_side: int = 30_000


DEFAULT_LIMITS = DecodeLimits()


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A picture within the limits of which only the header has been read; `inspect` makes them."""

    data: bytes = field(repr=False)
    header: Header
    _format: Format = field(repr=False)

    @property
    def format(self) -> str:
        """The format's name, such as `JPEG`."""
        return self._format.name

    @property
    def width(self) -> int:
        """Pixels across the upright picture."""
        return self.header.upright_wh[0]

    @property
    def height(self) -> int:
        """Pixels down the upright picture."""
        return self.header.upright_wh[1]

    def decode(self, longer_side: int | None = None) -> Image:
        """Decode to upright RGB pixels.

        Args:
            longer_side: how many pixels are needed along the longer side. A JPEG is decoded at a
                half, a quarter or an eighth of its size where that leaves as many; every other
                format, and every picture without this argument, is decoded whole.

        Raises:
            InvalidImage: the picture is truncated or damaged.
            UnsupportedImageFormat: it uses a part of its format that is not read.
            ImageTooLarge: there is not enough memory for it.
        """
        reduction = _reduction(max(self.width, self.height), longer_side)
        with _wrapping(self._format.name):
            pixels = self._format.pixels(self.data, self.header, reduction)
            return Image(_upright(pixels, self.header.orientation), self.width, self.height)


def inspect(data: bytes, limits: DecodeLimits = DEFAULT_LIMITS) -> Sample:
    """Read a picture's header, without decoding a pixel.

    Raises:
        ImageTooLarge: it exceeds a limit.
        InvalidImage: it is empty, its header is damaged, or it has no area.
        UnsupportedImageFormat: it is no picture, an animation, or of a format that is not read.
    """
    if not data:
        raise InvalidImage("a picture was expected and there are no bytes: give a picture")
    _check_bytes(len(data), limits)
    format_ = _format_of(data)
    with _wrapping(format_.name):
        header = format_.header(data)
    _check_sides(format_, header, limits)
    return Sample(data, header, format_)


def decode(data: bytes, limits: DecodeLimits = DEFAULT_LIMITS) -> Image:
    """Decode a picture whole, to upright RGB pixels; raises what `inspect` and `decode` raise."""
    return inspect(data, limits).decode()


def read_sample(path: Path, limits: DecodeLimits = DEFAULT_LIMITS) -> Sample:
    """Read a file and inspect it; raises what `inspect` raises, and more.

    Raises:
        InvalidRequest: the path leads to no readable file.
    """
    name = repr(str(path))  # a path may hold line breaks, a message may not
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            os.scandir(path).close()  # one that is closed to us says so
            raise InvalidRequest(f"a picture was expected and {name} is a folder: name a file")
        if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device might never end
            raise InvalidRequest(
                f"a picture was expected and {name} is a device or a pipe: name a file"
            )
        _check_bytes(status.st_size, limits)
        with path.open("rb") as file:
            data = file.read(limits.max_bytes + 1)
    except FileNotFoundError as error:
        raise InvalidRequest(f"{name} does not exist: check the path") from error
    except OSError as error:
        raise InvalidRequest(
            f"{name} cannot be read ({error.strerror}): check the path and its permissions"
        ) from error
    except ValueError as error:
        raise InvalidRequest(f"{name} is no path ({error}): check it") from error
    if not data:
        raise InvalidImage(f"a picture was expected and {name} is empty: fetch it again")
    return inspect(data, limits)


def _format_of(data: bytes) -> Format:
    for format_ in _FORMATS:
        if format_.accepts(data):
            return format_
    raise UnsupportedImageFormat(
        f"a picture was expected ({_READ}) and {_what_came(data)} came: save it as one of these"
    )


def _what_came(data: bytes) -> str:
    """Name what people mistake for a picture that is read."""
    if data.startswith(b"GIF8"):
        return "a GIF"
    if data.startswith(b"%PDF"):
        return "a PDF"
    if data[4:8] == b"ftyp":
        return "an AVIF" if data[8:12] in (b"avif", b"avis") else "a video"
    return "something else"


def _check_bytes(size: int, limits: DecodeLimits) -> None:
    if size > limits.max_bytes:
        raise ImageTooLarge(
            f"at most {limits.max_bytes} bytes were expected and {size} came:"
            " give a smaller file, or raise the limit"
        )


def _check_sides(format_: Format, header: Header, limits: DecodeLimits) -> None:
    width, height = header.upright_wh
    if width < 1 or height < 1:
        raise InvalidImage(
            f"a {format_.name} with an area was expected and {width}x{height} pixels came:"
            " give another picture"
        )
    if max(width, height) > limits.max_side:
        raise ImageTooLarge(
            f"sides of at most {limits.max_side} pixels were expected and {width}x{height} came:"
            " give a smaller picture, or raise the limit"
        )
    max_pixels = limits.max_pixels // format_.memory_factor
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"a {format_.name} of at most {max_pixels} pixels was expected and {width}x{height}"
            f" ({width * height}) came: give a smaller picture, or raise the limit"
        )


def _reduction(picture_side: int, longer_side: int | None) -> int:
    """The largest divisor of the picture's longer side that leaves enough pixels."""
    if longer_side is None:
        return 1
    return next((n for n in _REDUCTIONS if -(-picture_side // n) >= longer_side), 1)


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Apply an EXIF orientation (CIPA DC-008, tag 0x0112) to (h, w, 3) pixels."""
    match orientation:
        case 2:
            turned = cv2.flip(pixels, 1)
        case 3:
            turned = cv2.rotate(pixels, cv2.ROTATE_180)
        case 4:
            turned = cv2.flip(pixels, 0)
        case 5:
            turned = cv2.transpose(pixels)
        case 6:
            turned = cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE)
        case 7:
            turned = cv2.transpose(cv2.rotate(pixels, cv2.ROTATE_180))
        case 8:
            turned = cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE)
        case _:
            return pixels
    return np.asarray(turned, np.uint8)


@contextmanager
def _wrapping(format_name: str) -> Iterator[None]:
    """Turn whatever parsers and libraries raise into one line of ours.

    They raise nearly everything on hostile bytes: OSError, SyntaxError, ValueError, struct.error,
    OverflowError, cv2.error, and AssertionError among them.
    """
    try:
        yield
    except LikenessError:
        raise
    except MemoryError as error:
        raise ImageTooLarge(
            f"this {format_name} needs more memory than there is: give a smaller picture"
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InvalidImage(
            f"a complete {format_name} was expected and this one is truncated or damaged"
            f" ({reason}): save it anew"
        ) from error
