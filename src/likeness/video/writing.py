"""From frames and samples to a file: H.264 and AAC in MP4, whole under its name or not there.

Each frame is shown at the time that it is given, so rates may vary. x264 does the coding, which is
under the GPL: docs/video.md.
"""

import contextlib
import fcntl
import hashlib
import importlib
import importlib.util
import math
import os
import stat
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from likeness.errors import EngineUnavailable, InvalidRequest, unwritable
from likeness.video.planes import Planes
from likeness.video.process import MISSING
from likeness.video.sound import Samples, SoundForm

_TICKS_PER_S = 90_000
_QUALITY = "20"  # x264's constant rate factor: 18 looks like the original, 23 is usual
_CAREFUL = {"preset": "veryfast", "crf": _QUALITY}
# Far less time than `veryfast`, for more bits; `superfast` by itself needs more of both. It looks
# ahead at nothing, and takes whole squares of 16 pixels that moved by whole pixels. Three frames of
# four are made of those on both sides, which needs fewer bits than two of three.
_QUICK = {
    "preset": "superfast",
    "crf": _QUALITY,
    "x264-params": (
        "scenecut=0:weightp=0:b-adapt=0:bframes=3:aq-mode=0:partitions=none:8x8dct=0:subme=0"
    ),
}
_BT709 = 1
# AAC of each channel, transparent to most ears; 8,000 samples a second can have no more than six
# bits each.
_SOUND_BITS_PER_S, _SOUND_BITS = 80_000, 6
_LAYOUTS = {1: "mono", 2: "stereo"}


class ClipWriter:
    """Writes a clip of `width` times `height` pixels beside `path`, and renames it at the end.

    Sides become even: an odd one is drawn out by a pixel. Without `sound` there is none. `quick`
    takes far less time for as good a picture, and more bytes. Where anything fails, nothing is
    left.

    Raises:
        EngineUnavailable: PyAV is missing.
        Fault: the disk is full or broken.
        InvalidRequest: the file cannot be written for another reason.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        sound: SoundForm | None = None,
        *,
        quick: bool = False,
    ) -> None:
        if importlib.util.find_spec("av") is None:
            raise EngineUnavailable(MISSING)
        self._path = path
        self._part = _part_of(path)
        self._sides = height, width
        self._last = -1
        self._form = sound
        self._options = _QUICK if quick else _CAREFUL
        self._samples = 0
        self._av = importlib.import_module("av")  # optional: only where clips are written
        self._container: Any = None
        self._locked: int | None = None

    def __enter__(self) -> Self:
        """Open the file."""
        with self._faults():
            self._lock()
            self._container = self._av.open(
                str(self._part), "w", format="mp4", options={"movflags": "+faststart"}
            )
            height, width = (side + side % 2 for side in self._sides)
            stream = self._container.add_stream("libx264", time_base=Fraction(1, _TICKS_PER_S))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.options = self._options
            context = stream.codec_context
            context.time_base = Fraction(1, _TICKS_PER_S)
            context.colorspace = context.color_trc = context.color_primaries = _BT709
            context.color_range = 1
            self._stream = stream
            self._sound = self._sound_stream()
            self._container.start_encoding()
            self._scaler = importlib.import_module("av.video.reformatter").VideoReformatter()
            # Frames take long to make: all are copied into these, which x264 copies from.
            # Of BGR, other colours are made a quarter faster than of RGB.
            self._bgr = self._av.VideoFrame(width, height, "bgr24")
            self._coded = self._av.VideoFrame(width, height, "yuv420p")
        return self

    def _lock(self) -> None:
        """Keep others from writing the same clip, which would mix with this one.

        Raises:
            InvalidRequest: somebody else writes it.
        """
        with contextlib.suppress(FileNotFoundError):
            there = self._part.lstat()
            if not stat.S_ISREG(there.st_mode) or there.st_nlink > 1:
                self._part.unlink()  # a link that somebody put there would lead elsewhere
        made = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        lock = os.open(self._part, made, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise InvalidRequest(
                f"{self._path} is being written already. Wait for that, or choose another place."
            ) from error
        self._locked = lock

    def _sound_stream(self) -> Any:
        form = self._form
        if form is None:
            return None
        stream = self._container.add_stream("aac", rate=form.rate)
        stream.layout = _LAYOUTS[form.channels]
        stream.bit_rate = form.channels * min(_SOUND_BITS_PER_S, _SOUND_BITS * form.rate)
        return stream

    def write_sound(self, samples: Samples) -> None:
        """Add (n, channels) int16 samples, which follow those before without a gap.

        Raises:
            InvalidRequest: as above.
        """
        form = self._form
        if form is None:
            return
        packed = np.ascontiguousarray(samples).reshape(1, -1)
        frame = self._av.AudioFrame.from_ndarray(packed, "s16", _LAYOUTS[form.channels])
        frame.sample_rate, frame.time_base = form.rate, Fraction(1, form.rate)
        frame.pts = self._samples
        self._samples += len(samples)
        with self._faults():
            self._container.mux(self._sound.encode(frame))

    def write(self, picture: NDArray[np.uint8] | Planes, time_s: float) -> None:
        """Add a frame: (height, width, 3) uint8 RGB, or planes, at seconds that ascend.

        Raises:
            InvalidRequest: as above.
        """
        if isinstance(picture, Planes):
            frame = self._of_planes(picture)
        else:
            frame = self._of_pixels(picture)
        self._last = max(round(time_s * _TICKS_PER_S), self._last + 1)
        frame.pts, frame.time_base = self._last, Fraction(1, _TICKS_PER_S)
        with self._faults():
            self._container.mux(self._stream.encode(frame))

    def _of_planes(self, planes: Planes) -> Any:
        self._require(planes.luma.shape, self._sides)
        for plane, samples in zip(self._coded.planes, planes.all, strict=True):
            whole, (height, width) = _samples_of(plane), samples.shape
            whole[:height, :width] = samples
            _draw_out(whole, height, width)
        return self._coded

    def _of_pixels(self, pixels: NDArray[np.uint8]) -> Any:
        self._require(pixels.shape, (*self._sides, 3))
        whole, (height, width) = _samples_of(self._bgr.planes[0], 3), self._sides
        cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR, dst=whole[:height, :width])
        _draw_out(whole, height, width)
        return self._scaler.reformat(
            self._bgr, format="yuv420p", dst_colorspace=_BT709, dst_color_range=1, threads=1
        )

    def _require(self, shape: tuple[int, ...], asked: tuple[int, ...]) -> None:
        if shape != asked:
            raise InvalidRequest(
                f"A frame has {shape[1]}x{shape[0]} pixels, and the clip"
                f" {self._sides[1]}x{self._sides[0]}. Resize it first."
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the file and give it its name; remove it where anything failed."""
        try:
            if error is None:
                with self._faults():
                    if self._last >= 0:
                        self._container.mux(self._stream.encode(None))
                    if self._samples:
                        self._container.mux(self._sound.encode(None))
                    self._container.close()
                    self._require_frames()
                    self._keep()
        finally:
            self._abandon()

    def _require_frames(self) -> None:
        if self._last < 0:
            raise InvalidRequest(f"Nothing to write to {self._path}: there is no frame.")

    def _keep(self) -> None:
        """Have all of it on the disk, then give it its name: a power cut leaves no half of it."""
        with self._part.open("rb") as part:
            os.fsync(part.fileno())
        self._part.replace(self._path)
        self._unlock()  # by that name, others may write from here on

    def _unlock(self) -> None:
        if self._locked is not None:
            os.close(self._locked)
            self._locked = None

    def _abandon(self) -> None:
        """Leave nothing half-written."""
        with contextlib.suppress(OSError, ValueError):
            if self._container is not None:
                self._container.close()
        if self._locked is not None:
            self._part.unlink(missing_ok=True)
            self._unlock()

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        """Word what goes wrong with the file."""
        try:
            yield
        except OSError as error:
            self._abandon()
            raise unwritable(self._path, error, "choose another place") from error


def _samples_of(plane: Any, *bands: int) -> NDArray[np.uint8]:
    """Give the rows of pixels that a frame's plane holds, to be written into."""
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    used = math.prod((plane.width, *bands))
    return rows[:, :used].reshape(plane.height, plane.width, *bands)


def _draw_out(whole: NDArray[np.uint8], height: int, width: int) -> None:
    """Draw a picture out to the sides of what holds it."""
    whole[height:, :width] = whole[height - 1 : height, :width]
    whole[:, width:] = whole[:, width - 1 : width]


def _part_of(path: Path) -> Path:
    """Name the file that becomes a clip; the name is short however long the clip's is."""
    digest = hashlib.blake2b(os.fsencode(path.name), digest_size=8).hexdigest()
    return path.with_name(f".{digest}.part")
