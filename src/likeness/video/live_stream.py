"""From a camera, a stream or a file at its own pace to frames, as they happen.

A thread of its own connects, has what comes decoded in a process that may do nothing else, and
keeps the newest frame alone: whoever looks more slowly than frames come misses frames, and never
falls behind.
"""

import logging
import os
import queue
import random
import stat
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from likeness.errors import Fault, InvalidStream, LikenessError, NotFound, SourceUnavailable
from likeness.terms import Closing
from likeness.video.clip import Clip, ClipLimits, Frame, Sampling
from likeness.video.feed import Connect, Feed
from likeness.video.reader import reading
from likeness.video.stream_reader import Counts, StreamLimits, StreamReader

_logger = logging.getLogger(__name__)

_ENDS_WITHIN_S = 2.0
# Between two connections: 1 s, then twice as long each time, up to 30 s, and a quarter more or
# less, so that many do not come at once. One that gives frames for 10 s begins anew.
_FIRST_WAIT_S, _LONGEST_WAIT_S, _JITTER, _STABLE_S = 1.0, 30.0, 0.25, 10.0
# A camera that starts may refuse for a moment; one whose password was changed may lock the account.
_MOST_REFUSALS = 4
_LEAST_STEP_S = 0.001
_ASK_EVERY_S = 0.1


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
        # What follows is the thread's own.
        self._began_s = time.monotonic()
        self._first_s: float | None = None
        self._framed_s: float | None = None
        self._last_s = -_LEAST_STEP_S
        self._offset_s = 0.0
        self._session = 0
        self._connects = 0
        self._counts = Counts()
        self._not_taken = 0
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
                self._watch(self._source)
            self._tell(StreamState.ENDED)
        except _Closed:
            self._tell(StreamState.ENDED)
        except LikenessError as error:
            self._fail(error)
        except Exception as error:
            _logger.exception("a live stream stopped in an unforeseen way")
            what = type(error).__name__
            self._fail(Fault(f"The stream stopped in an unforeseen way ({what}). Start it again."))

    def _fail(self, error: LikenessError) -> None:
        with self._changed:
            self._error = error
        self._tell(StreamState.FAILED, str(error))

    def _watch(self, connect: Connect) -> None:
        """Connect to a source again and again, until it is given up."""
        tries = refusals = 0
        while True:
            began_s = time.monotonic()
            try:
                error = self._receive(connect)
            except InvalidStream as problem:
                if self._framed_s is None:
                    raise
                error = problem
            except SourceUnavailable as problem:
                refusals = refusals + 1 if problem.definite else 0
                if problem.definite and (self._framed_s is None or refusals >= _MOST_REFUSALS):
                    raise
                error = problem
            if self._framed_s is not None and self._framed_s > began_s + _STABLE_S:
                tries = refusals = 0
            self._wait_to_connect(error, tries)
            tries += 1

    def _receive(self, connect: Connect) -> LikenessError:
        """Give the frames of one connection until it ends, and say how it ended."""
        with closing(self._connected(connect)) as feed:
            self._go_on()
            self._connects += 1
            with StreamReader(feed, self._every_s, self._limits, self._go_on) as reader:
                session = self._session
                before = self._counts
                try:
                    for picture in reader:
                        self._begin(session + picture.part, picture.arrived_s)
                        self._counts = before + reader.counts
                        time_s = self._offset_s + picture.time_s
                        number = self._counts.decoded - 1
                        frame = Frame(number, time_s, picture.thumbnail, picture.image)
                        self._give(frame, picture.arrived_s, reader.clip)
                finally:
                    self._counts = before + reader.counts
        return SourceUnavailable("The source stopped sending. Check that it is switched on.")

    def _connected(self, connect: Connect) -> Feed:
        """Connect in a thread that is left to itself where nobody wants frames any more."""
        found: queue.SimpleQueue[Feed | Exception] = queue.SimpleQueue()

        def connect_now() -> None:
            try:
                feed = connect()
            except Exception as error:
                found.put(error)
                return
            found.put(feed)
            if self._closing.is_set():
                feed.close()

        threading.Thread(target=connect_now, name="connect", daemon=True).start()
        feed: Feed | Exception | None = None
        while feed is None and not self._closing.is_set():
            with suppress(queue.Empty):
                feed = found.get(timeout=_ASK_EVERY_S)
        if feed is None and found.empty():
            raise _Closed
        feed = feed or found.get()
        if isinstance(feed, Exception):
            raise feed
        return feed

    def _wait_to_connect(self, error: LikenessError, tries: int) -> None:
        """Wait before another try; give up where there was no frame for too long."""
        limits = self._limits
        if self._framed_s is None:
            gives_up_s = self._began_s + limits.patience_s
        else:
            gives_up_s = self._framed_s + limits.give_up_s
        wait_s = min(_FIRST_WAIT_S * 2.0 ** min(tries, 10), _LONGEST_WAIT_S)
        wait_s *= random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 -- no secret
        if time.monotonic() + wait_s >= gives_up_s:
            raise error
        self._tell(StreamState.WAITING, str(error))
        if self._closing.wait(wait_s):
            raise _Closed

    def _show(self, source: PacedFile) -> None:
        """Give a file's frames when they are due."""
        limits = ClipLimits(
            max_pixels=self._limits.max_pixels,
            memory=self._limits.memory,
            silence_s=self._limits.silence_s,
        )
        file = _opened(source.path)
        with file, reading(file, Sampling(self._every_s), limits, self._go_on) as reader:
            self._begin(1, time.monotonic())
            begins_s: float | None = None
            for frame in reader:
                if begins_s is None:
                    begins_s = time.monotonic() - frame.time_s
                due_s = begins_s + frame.time_s
                if self._closing.wait(max(0.0, due_s - time.monotonic())):
                    raise _Closed
                self._counts += Counts(decoded=1)
                self._give(frame, due_s, reader.clip)

    def _go_on(self) -> None:
        if self._closing.is_set():
            raise _Closed

    def _begin(self, session: int, arrived_s: float) -> None:
        """Begin a session where this is another, in seconds from the first frame of all."""
        if session == self._session:
            return
        self._session = session
        if self._first_s is None:
            self._first_s = arrived_s
        self._offset_s = max(arrived_s - self._first_s, self._last_s + _LEAST_STEP_S)

    def _give(self, frame: Frame, arrived_s: float, clip: Clip | None) -> None:
        """Make a frame the newest, where it has pixels; one that nobody took is dropped."""
        now_s = time.monotonic()
        self._framed_s, self._last_s = now_s, frame.time_s
        at = self._clock() - timedelta(seconds=now_s - arrived_s)
        with self._changed:
            if frame.image is not None:
                self._not_taken += self._newest is not None
                self._newest = LiveFrame(frame, self._session, arrived_s, at)
            self._say(StreamState.RECEIVING, None, clip)
            self._changed.notify_all()

    def _tell(self, state: StreamState, reason: str | None = None) -> None:
        with self._changed:
            self._say(state, reason, self._status.clip)
            self._changed.notify_all()

    def _say(self, state: StreamState, reason: str | None, clip: Clip | None) -> None:
        self._status = StreamStatus(
            state,
            reason,
            connects=self._connects,
            frames=self._counts.decoded,
            dropped=self._counts.dropped + self._not_taken,
            clip=clip,
        )


def _opened(path: Path) -> BinaryIO:
    """Open a file whose path may be told to nobody: who asks for a search need not know of it."""
    try:
        # A pipe in its place would be waited for, for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise NotFound(
            "The source's file is not there. Put it back, or register it where it is now."
        ) from error
    except OSError as error:
        raise InvalidStream(
            f"The source's file cannot be read: {error.strerror}. Check its permissions."
        ) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InvalidStream(
            "The source's file is a folder, a pipe or a device now. Put the video back."
        )
    return os.fdopen(descriptor, "rb")
