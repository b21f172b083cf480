"""From bytes to pixels: the one door through which pictures come in.

`inspect` reads the header, checks the limits and decodes nothing; `Sample.decode` then makes the
pixels. The content decides which format it is, never a file's name. Only still pictures are read:
animations of several frames are refused; of a TIFF of several pages or a JPEG with several pictures
it is the first. What a conversion loses or guesses is said in the sample's `remarks`.

Memory: each format says how much decoding takes at most, from the header. All pictures that are
decoded at once, and the pixels of those that are still in use, share `max_memory`; a picture that
finds too little free waits for it, and one that needs more alone is refused. Beside it each takes
its own bytes, twice, and some 16 MiB. Of HEIC and AVIF it is an estimate: how much libheif and
libavif take is their own limit.

Any number of threads may decode at once.
"""

import ctypes
import os
import stat
import threading
from collections.abc import Iterator, Sequence
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
from likeness.terms import Image
from likeness.vision.decoding_memory import MEMORY, in_mib
from likeness.vision.formats.avif import AVIF
from likeness.vision.formats.gif import GIF
from likeness.vision.formats.header import Decoder, Format, Header
from likeness.vision.formats.heic import HEIC
from likeness.vision.formats.jpeg import JPEG
from likeness.vision.formats.jpeg2000 import JPEG2000
from likeness.vision.formats.png import PNG
from likeness.vision.formats.tiff import TIFF
from likeness.vision.formats.uncompressed import BMP, RGB_ARRAY, as_data
from likeness.vision.formats.unread import CAMERA_RAW, camera_raw, name_kind
from likeness.vision.formats.webp import WEBP

_FORMATS = (JPEG, PNG, WEBP, GIF, BMP, TIFF, JPEG2000, AVIF, HEIC)
FORMATS = tuple(format.decoder.name for format in _FORMATS)
"""The names of the formats that are read."""
_REDUCTIONS = (8, 4, 2)
_LARGE_MEMORY, _LARGE_SECONDS = 128 << 20, 0.25
# Of EXIF's orientations (CIPA DC-008, tag 0x0112): whether rows become columns, and what is flipped
# then, as OpenCV counts: 0 top and bottom, 1 left and right, -1 both.
_TURNS = {
    2: (False, 1),
    3: (False, -1),
    4: (False, 0),
    5: (True, None),
    6: (True, 1),
    7: (True, -1),
    8: (True, 0),
}


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What a picture may cost at most.

    64 MiB of bytes hold any photograph as cameras write it and most scans; 100 million pixels are
    those of the largest cameras; a side of 30,000 pixels leaves room for panoramas. `max_pixels`
    counts width times height. `max_memory` is bytes that all pictures share while they are decoded
    and their pixels used: 1 GiB holds a progressive JPEG of 100 million pixels whole.
    """

    max_bytes: int = 64 << 20
    max_pixels: int = 100_000_000
    max_side: int = 30_000
    max_memory: int = 1 << 30


DEFAULT_LIMITS = DecodeLimits()


@dataclass(frozen=True, slots=True)
class DecodingCost:
    """What decoding a picture takes at most, as its header promises: nothing of it is decoded yet.

    `memory` is bytes beside the file's; `seconds` are of one processor, and an estimate.
    """

    memory: int = 0
    seconds: float = 0.0

    @property
    def is_large(self) -> bool:
        """Whether others should not have to wait for it: a photograph of a phone is not large."""
        return self.memory >= _LARGE_MEMORY or self.seconds >= _LARGE_SECONDS


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A picture within the limits of which only the header has been read; `inspect` makes them.

    `name` is what messages call it; empty where nobody named it. `width` and `height` are pixels of
    the upright picture; `format` is such as `JPEG`; `remarks` say what of the picture is lost or
    guessed in decoding.
    """

    data: bytes = field(repr=False)
    header: Header
    format: str
    width: int
    height: int
    remarks: tuple[str, ...]
    name: str
    _decoder: Decoder = field(repr=False)
    _limits: DecodeLimits = field(repr=False)

    @property
    def cost(self) -> DecodingCost:
        """What decoding it whole takes."""
        seconds = self._decoder.seconds(self.header, len(self.data))
        return DecodingCost(self.header.memory(1), seconds)

    def require_within(self, limits: DecodeLimits) -> None:
        """Hold the picture to limits.

        Raises:
            ImageTooLarge: it exceeds one.
            InvalidImage: it has no area.
        """
        _check_bytes(len(self.data), limits)
        _check_sides(self._decoder, self.header, limits)
        _check_memory(self._decoder, self.header, _REDUCTIONS[0], limits)

    def decode(self, longer_side: int | None = None) -> Image:
        """Decode to upright RGB pixels.

        Args:
            longer_side: how many pixels are needed along the longer side. A JPEG, and any picture
                of 24 million pixels or more, is decoded at a half, a quarter or an eighth of its
                size where that leaves as many, or where it would take more memory than there may
                be. Without this argument every picture is decoded whole.

        Raises:
            InvalidImage: the picture is truncated or damaged.
            UnsupportedImageFormat: it uses a part of its format that is not read.
            ImageTooLarge: it needs more memory than all pictures may take.
            TooBusy: other pictures hold the memory, and gave too little back in time.
        """
        reduction = self._reduction(longer_side)
        size = self.header.memory(reduction)
        with _naming(self.name), _wrapping(self._decoder.name):
            _check_memory(self._decoder, self.header, reduction, self._limits)
            with MEMORY.lease(size, self._limits.max_memory) as lease:
                with _silence_c_stderr():
                    pixels = self._decoder.pixels(self.data, self.header, reduction)
                pixels = _upright(pixels, self.header.orientation)
                lease.keep_for(pixels)
            return Image(pixels, self.width, self.height)

    def _reduction(self, longer_side: int | None) -> int:
        """The largest divisor that leaves enough pixels, and as large a one as memory asks for."""
        if longer_side is None:
            return 1
        reduction = 1
        if self.width * self.height >= self._decoder.reduced_from:
            longest = max(self.width, self.height)
            reduction = next((n for n in _REDUCTIONS if -(-longest // n) >= longer_side), 1)
        while (
            reduction < _REDUCTIONS[0] and self.header.memory(reduction) > self._limits.max_memory
        ):
            reduction *= 2
        return reduction


def inspect(
    data: bytes,
    limits: DecodeLimits = DEFAULT_LIMITS,
    name: str = "",
    *,
    formats: Sequence[str] = FORMATS,
) -> Sample:
    """Read a picture's header, without decoding a pixel; `name` is what messages call it.

    `formats` are those of `FORMATS` that are taken here.

    Raises:
        ImageTooLarge: it exceeds a limit.
        InvalidImage: it is empty, its header is damaged, or it has no area.
        UnsupportedImageFormat: it is no picture, an animation, or of a format that is not read.
    """
    with _naming(name):
        if not data:
            raise InvalidImage("Empty: the picture has no bytes. Fetch it again.")
        _check_bytes(len(data), limits)
        format_ = _format_of(data, formats)
        with _wrapping(format_.decoder.name):
            header = format_.header(data)
        sample = _sample(data, header, format_.decoder, limits, name)
        sample.require_within(limits)
        return sample


def sample_of_array(pixels: NDArray[np.uint8], limits: DecodeLimits = DEFAULT_LIMITS) -> Sample:
    """Take (h, w, 3) uint8 RGB pixels for a picture; they are copied.

    Raises:
        InvalidRequest: it is an array of another shape or type.
        ImageTooLarge: it exceeds a limit.
    """
    data, header = as_data(pixels)
    _check_sides(RGB_ARRAY, header, limits)
    return _sample(data(), header, RGB_ARRAY, limits)


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
            raise InvalidRequest(f"{name}: Not a picture: this is a folder. Name a file.")
        if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device might never end
            raise InvalidRequest(
                f"{name}: Not a file: this is a device or a pipe. Name a file, or give the picture"
                " as - on standard input."
            )
        with _naming(name):
            _check_bytes(status.st_size, limits)
        with path.open("rb") as file:
            data = file.read(limits.max_bytes + 1)
    except FileNotFoundError as error:
        raise InvalidRequest(f"{name} does not exist. Check the path.") from error
    except OSError as error:
        raise InvalidRequest(
            f"{name} cannot be read ({error.strerror}). Check the path and its permissions."
        ) from error
    except ValueError as error:
        raise InvalidRequest(f"{name} is no path ({error}). Check it.") from error
    return inspect(data, limits, name)


def is_picture(head: bytes) -> bool:
    """Say whether a file that begins so is a picture of a format that is read."""
    return any(each.accepts(head) for each in _FORMATS)


def _sample(
    data: bytes, header: Header, decoder: Decoder, limits: DecodeLimits, name: str = ""
) -> Sample:
    width, height = header.upright_wh
    return Sample(data, header, decoder.name, width, height, header.remarks, name, decoder, limits)


def _format_of(data: bytes, formats: Sequence[str]) -> Format:
    found = next((each for each in _FORMATS if each.accepts(data)), None)
    # Many camera raw files are TIFFs as well.
    if found in (None, TIFF) and (kind := camera_raw(data)) is not None:
        raise UnsupportedImageFormat(CAMERA_RAW.format(kind=f" ({kind})"))
    if found is None or found.decoder.name not in formats:
        kind = name_kind(data) if found is None else f"a {found.decoder.name}"
        raise UnsupportedImageFormat(
            f"Not a supported picture: this is {kind}. Supported: {', '.join(formats)}."
        )
    return found


def _check_bytes(size: int, limits: DecodeLimits) -> None:
    if size > limits.max_bytes:
        raise ImageTooLarge(
            f"Too large: the file has {size} bytes, at most {limits.max_bytes} are read. Give a"
            " smaller file, or raise LIKENESS_MAX_BYTES."
        )


def _check_sides(decoder: Decoder, header: Header, limits: DecodeLimits) -> None:
    width, height = header.upright_wh
    if width < 1 or height < 1:
        raise InvalidImage(
            f"Damaged: this {decoder.name} has no area ({width}x{height} pixels). Give another"
            " picture."
        )
    if max(width, height) > limits.max_side:
        raise ImageTooLarge(
            f"Too large: this {decoder.name} has {width}x{height} pixels, at most"
            f" {limits.max_side} along a side are read. Give a smaller picture, or raise"
            " LIKENESS_MAX_SIDE."
        )
    if width * height > limits.max_pixels:
        raise ImageTooLarge(
            f"Too large: this {decoder.name} has {width}x{height} pixels ({width * height}), at"
            f" most {limits.max_pixels} are read. Give a smaller picture, or raise"
            " LIKENESS_MAX_PIXELS."
        )


def _check_memory(decoder: Decoder, header: Header, reduction: int, limits: DecodeLimits) -> None:
    size = header.memory(reduction)
    if size > limits.max_memory:
        width, height = header.upright_wh
        raise ImageTooLarge(
            f"Too large: decoding this {decoder.name} of {width}x{height} pixels takes"
            f" {in_mib(size)} of memory, at most {in_mib(limits.max_memory)} are allowed. Give a"
            " smaller picture, or raise LIKENESS_DECODE_MEMORY."
        )


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn (h, w, 3) pixels as their EXIF orientation says."""
    swaps, flip = _TURNS.get(orientation, (False, None))
    turned = cv2.transpose(pixels) if swaps else pixels
    if flip is not None:
        turned = cv2.flip(turned, flip, turned if swaps else None)
    return np.asarray(turned, np.uint8)


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Begin every message with a picture's name, where it has one."""
    try:
        yield
    except LikenessError as error:
        if not name:
            raise
        raise type(error)(f"{name}: {error}") from error


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
            f"Too large: this {format_name} needs more memory than there is. Give a smaller"
            " picture."
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InvalidImage(
            f"Truncated or damaged: this {format_name} cannot be decoded ({reason}). Save it anew."
        ) from error


class _Stream:
    """C's `stderr`, which is a variable; while anybody asks, it points to where nothing is kept.

    The libjpeg inside OpenCV and the libtiff inside Pillow write lines about damage there, which
    name no file and cannot be switched off. The file descriptor and Python's own stream are left
    alone; where the C library is not as expected nothing is dropped.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._silenced = 0
        self._variable: ctypes.c_void_p | None = None
        self._own: int | None = None
        self._nowhere: int | None = None
        try:
            libc = ctypes.CDLL(None)
            variable = ctypes.c_void_p.in_dll(libc, "stderr")
            libc.fopen.restype = ctypes.c_void_p
            self._nowhere = libc.fopen(b"/dev/null", b"w")
        except (OSError, ValueError, AttributeError, TypeError):
            return  # another C library: its lines are seen
        if self._nowhere is not None:
            self._variable = variable

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Drop what is written meanwhile, by this thread or another."""
        if self._variable is None:
            yield
            return
        with self._lock:
            self._silenced += 1
            if self._silenced == 1:
                self._own, self._variable.value = self._variable.value, self._nowhere
        try:
            yield
        finally:
            with self._lock:
                self._silenced -= 1
                if self._silenced == 0:
                    self._variable.value = self._own


_silence_c_stderr = _Stream().silent
