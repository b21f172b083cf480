"""From a camera, a stream or a file at its own pace to frames, as they happen.

A thread of its own connects, has what comes decoded in a process that may do nothing else, and
keeps the newest frame alone: whoever looks more slowly than frames come misses frames, and never
falls behind.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from likeness.errors import InvalidStream, LikenessError, NotFound, SourceUnavailable
from likeness.terms import Closing
from likeness.video.clip import Clip, ClipLimits, Frame, Sampling
from likeness.video.feed import Connect
from likeness.video.reader import reading

_ENDS_WITHIN_S = 2.0


class StreamState(StrEnum):
    """How a live stream is."""

    CONNECTING = "connecting"
    """It is connected to, and no frame has come yet."""
    RECEIVING = "receiving"
    """Frames come."""
    WAITING = "waiting"
    """It broke off, or does not answer: it is connected to again soon."""
    ENDED = "ended"
    """A file that is at its end, or a stream that was closed."""
    FAILED = "failed"
    """It was given up; `next` raises why."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What a live stream may cost, and how long it is waited for.

    8K has 33.2 million pixels a frame. `memory` is bytes of the process that decodes. A connection
    without a frame for `silence_s` is given up for another. One that never gave a frame is given up
    after `patience_s`, one that did after `give_up_s` without.
    """

    max_pixels: int = 7680 * 4320
    memory: int = 2 << 30
    silence_s: float = 30.0
    patience_s: float = 60.0
    give_up_s: float = 300.0


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """How a live stream is, and what has come of it.

    `reason` says why it waits or failed. `connects` counts connections, `frames` those that were
    decoded, `dropped` those that were due and that nobody took. `clip` says what comes, None until
    the first frame.
    """

    state: StreamState = StreamState.CONNECTING
    reason: str | None = None
    connects: int = 0
    frames: int = 0
    dropped: int = 0
    clip: Clip | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LiveFrame:
    """A frame, and when its last byte came in.

    `frame.time_s` ascends from the first frame of the stream on, whatever happens. A new `session`
    begins where nothing can be followed from the frame before to this one: the source was connected
    to again, its size changed, or its time jumped. `arrived_s` is by the clock of
    `time.monotonic`, `at` by that of the wall.
    """

    frame: Frame
    session: int
    arrived_s: float
    at: datetime


@dataclass(frozen=True, slots=True)
class PacedFile:
    """A clip that is shown at its own pace, as if a camera sent it; it ends at its end."""

    path: Path


def _now() -> datetime:
    return datetime.now(UTC)


class _Closed(Exception):
    """Nobody wants frames any more."""


class LiveStream(Closing):
    """A source that is watched in a thread of its own, from when it is made until it is closed.

    Frames have pixels, and are given once in `every_s` seconds at most; 0 gives all.
    """

    def __init__(
        self,
        source: Connect | PacedFile,
        every_s: float,
        limits: StreamLimits | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._source = source
        self._every_s = every_s
        self._limits = limits or StreamLimits()
        self._clock = clock
        self._changed = threading.Condition()
        self._newest: LiveFrame | None = None
        self._error: LikenessError | None = None
        self._status = StreamStatus()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-stream", daemon=True)
        self._thread.start()

    @property
    def status(self) -> StreamStatus:
        """How it is at the moment."""
        with self._changed:
            return self._status

    def next(self, timeout_s: float) -> LiveFrame | None:
        """Give the newest frame that was not given yet; None where none comes within `timeout_s`.

        At the end of a file it is None at once, and `status` says that it ended.

        Raises:
            InvalidStream: what the source sends is no video that can be decoded.
            SourceUnavailable: it does not answer, refuses, or has stopped.
            EngineUnavailable: PyAV is missing.
        """
        with self._changed:
            self._changed.wait_for(self._has_news, timeout_s)
            frame, self._newest = self._newest, None
            if frame is None and self._error is not None:
                raise self._error
            return frame

    def _has_news(self) -> bool:
        return self._newest is not None or self._status.state in (
            StreamState.ENDED,
            StreamState.FAILED,
        )

    def close(self) -> None:
        """Let go of the source, and end the process that decodes."""
        self._closing.set()
        self._thread.join(_ENDS_WITHIN_S)

    def _run(self) -> None:
        try:
            if isinstance(self._source, PacedFile):
                self._show(self._source)
            else:
                raise SourceUnavailable("Streams are not decoded yet. Give a file.")
            self._tell(state=StreamState.ENDED)
        except _Closed:
            self._tell(state=StreamState.ENDED)
        except LikenessError as error:
            with self._changed:
                self._error = error
            self._tell(state=StreamState.FAILED, reason=str(error))

    def _show(self, source: PacedFile) -> None:
        """Give a file's frames when they are due."""
        limits = ClipLimits(
            max_pixels=self._limits.max_pixels,
            memory=self._limits.memory,
            silence_s=self._limits.silence_s,
        )
        try:
            file = source.path.open("rb")
        except FileNotFoundError as error:
            raise NotFound(f"No such file: {source.path}.") from error
        except OSError as error:
            raise InvalidStream(
                f"{source.path} cannot be read: {error.strerror}. Check its permissions."
            ) from error
        with file, reading(file, Sampling(self._every_s), limits, self._go_on) as reader:
            self._tell(state=StreamState.RECEIVING, clip=reader.clip, connects=1)
            begins_s: float | None = None
            for frame in reader:
                now_s = time.monotonic()
                if begins_s is None:
                    begins_s = now_s - frame.time_s
                self._wait_until(begins_s + frame.time_s)
                self._give(frame, 1, max(now_s, begins_s + frame.time_s))

    def _wait_until(self, due_s: float) -> None:
        if self._closing.wait(max(0.0, due_s - time.monotonic())):
            raise _Closed

    def _go_on(self) -> None:
        if self._closing.is_set():
            raise _Closed

    def _give(self, frame: Frame, session: int, arrived_s: float) -> None:
        """Make a frame the newest; one that nobody took is dropped."""
        with self._changed:
            status = self._status
            if frame.image is None:
                self._status = replace(status, frames=status.frames + 1)
                return
            dropped = status.dropped + (self._newest is not None)
            self._status = replace(status, frames=status.frames + 1, dropped=dropped)
            ago = timedelta(seconds=time.monotonic() - arrived_s)
            self._newest = LiveFrame(frame, session, arrived_s, self._clock() - ago)
            self._changed.notify_all()

    def _tell(
        self,
        *,
        state: StreamState,
        reason: str | None = None,
        clip: Clip | None = None,
        connects: int | None = None,
    ) -> None:
        with self._changed:
            self._status = replace(
                self._status,
                state=state,
                reason=reason,
                clip=clip or self._status.clip,
                connects=self._status.connects if connects is None else connects,
            )
            self._changed.notify_all()
