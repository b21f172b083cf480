"""From a file to frames. A clip is decoded by a process of its own, which no clip gets out of.

Nothing of a clip is kept: frames come one after the other, and memory stays flat however long it
is. Sound, subtitles and everything else in its container are passed over.
"""

import math
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from likeness.errors import ClipTooLarge, Fault, InvalidClip, LikenessError
from likeness.video.clip import Clip, ClipLimits, Form, Frame, Sampling
from likeness.video.decoding import messages
from likeness.video.kinds import HEAD_BYTES, READ, name_of_kind
from likeness.video.process import (
    DecoderProcess,
    Heard,
    astray,
    flag,
    number,
    number_or_none,
    whole,
)
from likeness.video.shown import Shown

# No camera makes more, and no clip more for long.
_MOST_FRAMES_PER_S = 1000
_ENDS_EARLY_S = 2.0
_COPIED_AT_ONCE = 1 << 20
# Signs of life count where time goes on by as much.
_ALIVE_S = 0.5


@dataclass(frozen=True, slots=True)
class Damage:
    """How many frames were damaged and skipped, and about when the first of them was."""

    frames: int = 0
    first_s: float | None = None


class ClipReader:
    """A clip that is open: what it is, and its frames in the order of time, once.

    It belongs to the thread that opened it: the process that decodes ends with that thread.
    `damaged` and `remarks` are whole once all frames were given.
    """

    def __init__(
        self, process: DecoderProcess, limits: ClipLimits, head: bytes, form: Form = Form.RGB
    ) -> None:
        self._process = process
        self._form = form
        self._limits = limits
        self._head = head
        self._told_s = -math.inf
        self._number = 0
        self._last_s = -1.0
        self._over = False
        self.damaged = Damage()
        self._expect(messages.READY)
        self._shown = Shown(self._expect(messages.OPENED).values, limits.max_pixels)
        self.clip = self._shown.clip
        self.remarks = self.clip.remarks

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames from `Sampling.from_s` on and before `to_s`, with or without pixels."""
        return self

    def __next__(self) -> Frame:
        """Give the next frame.

        Raises:
            InvalidClip: the clip cannot be decoded any further.
            ClipTooLarge: it is longer, or needs more memory, than a clip may.
        """
        if self._over:
            raise StopIteration
        heard = self._hear()
        while heard.kind == messages.PASSED:
            self._check_alive(number(heard.values, "time_s", self._limits.max_s))
            heard = self._hear()
        if heard.kind == messages.ENDED:
            self._over = True
            self._conclude(heard.values)
            raise StopIteration
        if heard.kind != messages.FRAME:
            raise astray()
        return self._frame(heard)

    def _hear(self) -> Heard:
        heard = self._process.hear()
        if heard.kind == messages.FAILED:
            raise _failure(heard.values, self._limits, self._head)
        return heard

    def _expect(self, kind: str) -> Heard:
        heard = self._hear()
        if heard.kind != kind:
            raise astray()
        return heard

    def start(self) -> None:
        """Have the process go on from what the clip is to its frames."""
        self._process.share(*self._shown.shape)

    def _frame(self, heard: Heard) -> Frame:
        time_s = number(heard.values, "time_s", self._limits.max_s)
        if not time_s > self._last_s or self._number > _MOST_FRAMES_PER_S * (time_s + 60):
            raise astray()
        image = planes = None
        if heard.values.get("slot") is not None:
            if self._form is Form.RGB:
                image = self._shown.picture(self._process, heard)
            else:
                planes = self._shown.planes(self._process, heard)
        frame = Frame(self._number, time_s, self._shown.thumbnail(heard), image, planes)
        self._number += 1
        self._last_s = time_s
        return frame

    def _check_alive(self, time_s: float) -> None:
        if time_s < self._told_s + _ALIVE_S:
            raise astray()
        self._told_s = time_s

    def _conclude(self, ended: dict[str, Any]) -> None:
        """Say what was lost."""
        damaged = whole(ended, "damaged", 0, 1 << 40)
        self.damaged = Damage(damaged, number_or_none(ended, "damaged_s") if damaged else None)
        self.remarks = (*self.clip.remarks, *self._losses(ended))

    def _losses(self, ended: dict[str, Any]) -> Iterator[str]:
        if self.damaged.frames:
            first_s = self.damaged.first_s or 0.0
            count = self.damaged.frames
            frames = "1 damaged frame was" if count == 1 else f"{count} damaged frames were"
            yield f"{frames} skipped, the first at about {first_s:.1f} s"
        jumped_s = number_or_none(ended, "jumped_s")
        if jumped_s is not None:
            yield f"its times jump at {jumped_s:.1f} s: they were counted on from there"
        resized_s = number_or_none(ended, "resized_s")
        if resized_s is not None:
            yield f"its resolution changes at {resized_s:.1f} s: frames were fitted into the first"
        claimed_s = self.clip.duration_s
        # Where looking begins behind the last frame, nobody knows when that was.
        to_its_end = flag(ended, "to_its_end") and self._number > 0
        if to_its_end and claimed_s is not None and claimed_s - self._last_s > _ENDS_EARLY_S:
            last_s = self._last_s
            yield f"it says that it lasts {claimed_s:.1f} s; its last frame is at {last_s:.1f} s"


@contextmanager
def reading(
    file: BinaryIO,
    sampling: Sampling | None = None,
    limits: ClipLimits | None = None,
    go_on: Callable[[], object] = lambda: None,
    form: Form = Form.RGB,
) -> Iterator[ClipReader]:
    """Open a clip, and end the process that decodes it afterwards, whatever happens.

    `file` is read from its beginning, wherever it stands, and stays open. `go_on` is called while
    frames are waited for, and of each: what it raises ends that. Pixels come in `form`.

    Raises:
        InvalidClip: it is no clip, has no video, or is damaged all through.
        ClipTooLarge: it has too many bytes, or frames of too many pixels.
        EngineUnavailable: PyAV is missing.
    """
    with _opened(file, sampling or Sampling(), limits or ClipLimits(), go_on, form) as reader:
        reader.start()
        yield reader


def clip_of(file: BinaryIO, limits: ClipLimits | None = None) -> Clip:
    """Say what a clip is; only its first frame is decoded.

    Raises:
        InvalidClip, ClipTooLarge, EngineUnavailable: as `reading` does.
    """
    with _opened(file, Sampling(), limits or ClipLimits()) as reader:
        return reader.clip


Version = tuple[int, int]
"""How many bytes a file has, and when it was written to last, in nanoseconds."""


def version_of(file: BinaryIO) -> Version | None:
    """Say which version of a file on a disk this is; None where it is no such file.

    Who reads a clip several times can tell by it that somebody wrote to it in between.
    """
    try:
        status = os.fstat(file.fileno())
    except (OSError, AttributeError):
        return None
    return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


@contextmanager
def _opened(
    file: BinaryIO,
    sampling: Sampling,
    limits: ClipLimits,
    go_on: Callable[[], object] = lambda: None,
    form: Form = Form.RGB,
) -> Iterator[ClipReader]:
    with regular_file(file, limits) as descriptor:
        size = os.fstat(descriptor).st_size
        if size > limits.max_bytes:
            raise _too_many_bytes(limits)
        if size == 0:
            raise InvalidClip("The clip is empty: it has no bytes.")
        head = os.pread(descriptor, HEAD_BYTES, 0)
        process = DecoderProcess(descriptor, size, sampling, limits, go_on, form=form)
        try:
            yield ClipReader(process, limits, head, form)
        finally:
            process.close()


@contextmanager
def regular_file(file: BinaryIO, limits: ClipLimits) -> Iterator[int]:
    """Give a descriptor that only reads; what is no file on a disk is copied into one first."""
    try:
        given = file.fileno()
        regular = stat.S_ISREG(os.fstat(given).st_mode)
    except (OSError, AttributeError):
        regular = False
    if regular:
        yield from _read_only(given)
        return
    with tempfile.TemporaryFile() as copy:
        try:
            _copy(file, copy, limits)
        except OSError as error:
            raise Fault(
                f"The clip cannot be copied to {tempfile.gettempdir()}:"
                f" {error.strerror or error}. Make room there, or give a file."
            ) from error
        yield from _read_only(copy.fileno())


def _read_only(given: int) -> Iterator[int]:
    """Open a file anew to be read alone: what is handed on cannot change it."""
    try:
        descriptor = os.open(f"/proc/self/fd/{given}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # no /proc, or it was opened by somebody who may do more
        descriptor = os.dup(given)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _copy(file: BinaryIO, copy: BinaryIO, limits: ClipLimits) -> None:
    if file.seekable():
        file.seek(0)
    while data := file.read(_COPIED_AT_ONCE):
        if copy.tell() + len(data) > limits.max_bytes:
            raise _too_many_bytes(limits)
        copy.write(data)
    copy.flush()


def _too_many_bytes(limits: ClipLimits) -> ClipTooLarge:
    return ClipTooLarge(
        f"The clip has more than {limits.max_bytes / (1 << 30):.3g} GiB. Cut it into pieces."
    )


def _failure(failed: dict[str, Any], limits: ClipLimits, head: bytes) -> LikenessError:
    """Word why the clip is not read."""
    match failed.get("reason"):
        case messages.UNREADABLE:
            return InvalidClip(f"Not a clip: the file is {name_of_kind(head)}. Supported: {READ}.")
        case messages.NO_VIDEO:
            return InvalidClip("The clip has no video. Give a file with moving pictures.")
        case messages.NO_DECODER:
            return InvalidClip(
                "The clip's video is coded in a way that is not read. Convert it to H.264 in MP4."
            )
        case messages.NO_FRAMES:
            return InvalidClip(
                "Not one frame of the clip can be decoded: it is damaged, cut off or encrypted."
            )
        case messages.TOO_LARGE:
            width, height = (
                whole(failed, "width", 1, 1 << 32),
                whole(failed, "height", 1, 1 << 32),
            )
            return ClipTooLarge(
                f"The clip's frames have {width}x{height} pixels, more than"
                f" {limits.max_pixels / 1e6:.3g} million. Give a smaller version of it."
            )
        case messages.TOO_LONG:
            return ClipTooLarge(
                f"The clip is longer than {limits.max_s / 3600:.3g} hours. Cut it into pieces."
            )
        case messages.MEMORY:
            return ClipTooLarge(
                f"Decoding the clip needs more than {limits.memory / (1 << 30):.3g} GiB of memory."
                " Give a smaller version of it."
            )
        case messages.LOST:
            why = os.strerror(whole(failed, "number", 0, 4095))
            return InvalidClip(f"The clip's file cannot be read to its end: {why}. Check its disk.")
        case messages.UNFORESEEN:
            what = failed.get("what")
            name = what if isinstance(what, str) and what.isidentifier() else "?"
            return InvalidClip(
                f"Decoding the clip failed in an unforeseen way ({name[:40]}). Convert it, to MP4"
                " for example, and retry; please report this."
            )
        case _:
            return astray()
