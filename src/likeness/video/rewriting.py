"""From a clip to a new one in which each frame was edited: nothing else of it goes along.

The new clip is made of pixels and of samples of sound. No byte of the old container is copied: no
metadata, no subtitles, no thumbnails, nothing hidden.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from likeness.errors import InvalidClip
from likeness.video.clip import Clip, ClipLimits, Form, Frame, Sampling
from likeness.video.hiding import Picture
from likeness.video.reader import reading, regular_file
from likeness.video.sound import ClipSound, Samples, sound_of
from likeness.video.writing import ClipWriter

Edit = Callable[[Frame], Picture]
"""Gives what to write for a frame: its own pixels or planes, changed in place, or others."""

# Frames that were edited and wait to be written.
_MOST_WAITING = 2


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What was written: of which clip, how many frames of how many seconds, and whether with sound.

    `remarks` say what was converted or lost.
    """

    clip: Clip
    frames: int
    seconds: float
    sound: bool
    remarks: tuple[str, ...]


def rewrite(
    file: BinaryIO,
    out: Path,
    edit: Edit,
    sampling: Sampling | None = None,
    limits: ClipLimits | None = None,
    tell: Callable[[float], None] = lambda done_s: None,
    form: Form = Form.RGB,
) -> Rewritten:
    """Write an edited copy of a clip, or of the part that `sampling` names.

    Every frame that can be decoded is in it, upright and at its time from the beginning of the
    part, and so is the sound. Nothing is left under the name of `out` unless all of it was written.
    `tell` is told up to which second of the clip it is done. Frames are edited in `form`.

    Raises:
        InvalidClip: the clip cannot be decoded, or has no frame in that part.
        ClipTooLarge: it has too many bytes, or frames of too many pixels.
        InvalidRequest: `out` cannot be written.
        EngineUnavailable: PyAV is missing.
    """
    sampling, limits = replace(sampling or Sampling(), every_s=0.0), limits or ClipLimits()
    frames, last_s, recording = 0, sampling.from_s, _Recording()
    with (
        regular_file(file, limits) as descriptor,
        open(descriptor, "rb", closefd=False) as same,
        reading(same, sampling, limits, form=form) as reader,
        sound_of(descriptor, sampling, limits, recording.wanted) as sound,
        ClipWriter(out, reader.clip.width, reader.clip.height, sound.form, quick=True) as writer,
    ):
        with recording.to(writer, sound):
            for frame in reader:
                if frame.image is None and frame.planes is None:
                    continue
                recording.add(edit(frame), frame.time_s - sampling.from_s)
                frames, last_s = frames + 1, frame.time_s
                tell(frame.time_s)
            if not frames:
                raise InvalidClip(
                    "No frame of the clip is in the part that was asked for. Give other times."
                )
        return Rewritten(
            reader.clip,
            frames,
            last_s - sampling.from_s,
            sound.form is not None,
            (*reader.remarks, *sound.remarks),
        )


class _Stopped(Exception):
    """Nobody wants the rest any more."""


class _Recording:
    """Writes frames, each with the sound up to it, in a thread of its own.

    Meanwhile the next frames are read and edited. What goes wrong there is raised by `add`, or at
    the end. `wanted` is asked while sound is waited for, and raises once nobody wants the rest.
    """

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[Picture, float] | None] = queue.Queue(_MOST_WAITING)
        self._error: BaseException | None = None
        self._stopped = False

    @contextmanager
    def to(self, writer: ClipWriter, sound: ClipSound) -> Iterator[None]:
        """Write what is added to a file, to its end; nothing more once anything went wrong."""
        thread = threading.Thread(target=self._run, args=(writer, sound), name="recording")
        thread.start()
        try:
            yield
        except BaseException:
            self._stopped = True
            raise
        finally:
            self._waiting.put(None)
            thread.join()
        self._check()

    def wanted(self) -> None:
        """Raise where nobody wants the rest any more."""
        if self._stopped:
            raise _Stopped

    def add(self, picture: Picture, time_s: float) -> None:
        """Have a frame written, at seconds that ascend."""
        self._waiting.put((picture, time_s))
        self._check()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self, writer: ClipWriter, sound: ClipSound) -> None:
        over = False
        try:
            while (one := self._waiting.get()) is not None:
                self.wanted()
                picture, time_s = one
                _write_sound(writer, sound.until(time_s))
                writer.write(picture, time_s)
            over = True
            self.wanted()
            _write_sound(writer, sound.rest())
        except BaseException as error:
            self._error = error
            while not over and self._waiting.get() is not None:
                pass


def _write_sound(writer: ClipWriter, samples: Iterable[Samples]) -> None:
    for piece in samples:
        writer.write_sound(piece)
