"""From a connection to pictures: what comes is handed to the process that decodes, as it comes.

Two threads hand it on: one reads, so that what waits is known to be late, and one gives it to the
process, which may be slower for a while.
"""

import os
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidStream, LikenessError, SourceUnavailable
from likeness.terms import Closing, Image
from likeness.video.clip import Clip
from likeness.video.decoding import messages
from likeness.video.feed import Feed
from likeness.video.process import (
    RING_BYTES,
    DecodingBroken,
    Heard,
    HeardProcess,
    astray,
    number,
    whole,
)
from likeness.video.shown import Shown

# What waits for the process: some seconds of a stream of high quality.
_MOST_WAITING_BYTES = 16 << 20
_MOST_AT_ONCE = 1 << 16
_MOMENT = struct.pack("ll", 0, 50_000)  # 50 ms, as C has it
_ASK_EVERY_S = 0.1
_ENDS_WITHIN_S = 1.0
# A frame that is said to have come longer ago has a process that makes things up.
_LONGEST_AGO_S = 120.0
_MOST_S = 1e9
# Seconds of processor time: a stream has no end, so it is how many for each second that counts.
_PROCESSOR_S = 1 << 31
_MEASURED_S = 60.0


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What a live stream may cost, and how long it is waited for.

    8K has 33.2 million pixels a frame. `memory` is bytes of the process that decodes, `processors`
    how many it may keep busy over a minute. A connection without a frame for `silence_s` is given
    up for another. A source that never gave a frame is given up after `patience_s`, one that did
    after `give_up_s` without.
    """

    max_pixels: int = 7680 * 4320
    memory: int = 2 << 30
    processors: float = 4.0
    silence_s: float = 30.0
    patience_s: float = 60.0
    give_up_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Counts:
    """How many frames were decoded, were damaged, and were due and had no room."""

    decoded: int = 0
    damaged: int = 0
    dropped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        """Count both."""
        return Counts(
            self.decoded + other.decoded,
            self.damaged + other.damaged,
            self.dropped + other.dropped,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A frame of a connection; `part` counts where nothing goes on from the frame before."""

    part: int
    time_s: float
    arrived_s: float
    thumbnail: NDArray[np.uint8]
    image: Image


class _Pump(Closing):
    """Hands on what a feed gives, each piece with when it came."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._is_over = False
        self._changed = threading.Condition()
        self._ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.shutdown(socket.SHUT_RD)
        # Whoever decodes looks after other things now and then, also while nothing comes.
        self.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _MOMENT)
        self.error: LikenessError | None = None
        self.has_come = False
        self._threads = [
            threading.Thread(target=target, name=f"stream-{name}", daemon=True)
            for name, target in (("read", self._read), ("hand-on", self._hand_on))
        ]

    def start(self) -> None:
        """Begin to read; the process has its end of the socket."""
        self.theirs.close()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Let go of the feed, and wait a little for the threads to end."""
        self._end()
        self._feed.close()
        with suppress(OSError):
            self._ours.shutdown(socket.SHUT_RDWR)
        self.theirs.close()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(_ENDS_WITHIN_S)
        self._ours.close()

    def _end(self) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def _read(self) -> None:
        try:
            while not self._is_over and (data := self._feed.read()):
                came = messages.ARRIVAL.pack(time.monotonic())
                self.has_come = True
                for at in range(0, len(data), _MOST_AT_ONCE):
                    self._keep(came + data[at : at + _MOST_AT_ONCE])
        except LikenessError as error:
            self.error = error
        except Exception as error:
            what = type(error).__name__
            self.error = SourceUnavailable(
                f"Reading from the source failed in an unforeseen way ({what}). Try again."
            )
        finally:
            self._end()

    def _keep(self, piece: bytes) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._bytes < _MOST_WAITING_BYTES or self._is_over)
            self._waiting.append(piece)
            self._bytes += len(piece)
            self._changed.notify_all()

    def _hand_on(self) -> None:
        with suppress(OSError):  # the process has ended, or nobody listens any more
            while (piece := self._next()) is not None:
                self._ours.send(piece)
            self._ours.shutdown(socket.SHUT_WR)

    def _next(self) -> bytes | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_over)
            if not self._waiting:
                return None
            piece = self._waiting.popleft()
            self._bytes -= len(piece)
            self._changed.notify_all()
            return piece


class StreamReader(Closing):
    """One connection while it is decoded, for the thread that makes it; close it.

    `go_on` is called all the while that pictures are waited for: what it raises ends that.

    Raises:
        EngineUnavailable: PyAV is missing, or the process does not start.
    """

    def __init__(
        self, feed: Feed, every_s: float, limits: StreamLimits, go_on: Callable[[], object]
    ) -> None:
        self._limits = limits
        self._pump = _Pump(feed)
        self._began_s = self._measured_s = time.monotonic()
        self._used_s = 0.0
        self._go_on = go_on
        self._shown: Shown | None = None
        self._part = 0
        self._last_s = -1.0
        self.counts = Counts()
        ring_bytes = max(RING_BYTES, 3 * limits.max_pixels)
        theirs = self._pump.theirs.fileno()
        asked = {
            "feed": theirs,
            "ring_bytes": ring_bytes,
            "sdp": feed.sdp.decode("ascii", "replace"),
            "every_s": every_s,
            "most_pixels": limits.max_pixels,
            "memory": limits.memory,
            "processor_s": _PROCESSOR_S,
        }
        try:
            self._process = HeardProcess(
                asked,
                (theirs,),
                silence_s=limits.silence_s,
                ring_bytes=ring_bytes,
                go_on=self._check,
                ask_every_s=_ASK_EVERY_S,
            )
        except BaseException:
            self._pump.close()
            raise
        self._pump.start()

    @property
    def clip(self) -> Clip | None:
        """What comes; None before the first picture."""
        return None if self._shown is None else self._shown.clip

    def close(self) -> None:
        """End the process, and let go of the source."""
        self._process.close()
        self._pump.close()

    def __iter__(self) -> Iterator[Picture]:
        """Give pictures as they come, until the source stops.

        Raises:
            SourceUnavailable: it is silent, broke off, or sent nothing; or decoding it broke off.
            InvalidStream: what it sends is not decoded.
        """
        try:
            yield from self._pictures()
        except DecodingBroken as error:
            raise self._pump.error or SourceUnavailable(
                f"Decoding the stream {error.problem}. Check what the source sends."
            ) from error
        if self._pump.error is not None:
            raise self._pump.error

    def _pictures(self) -> Iterator[Picture]:
        if self._process.hear().kind != messages.READY:
            raise astray()
        while (heard := self._process.hear()).kind != messages.ENDED:
            if heard.kind == messages.FAILED:
                raise self._failure(heard.values)
            if heard.kind == messages.OPENED:
                self._begin(heard)
                continue
            self._count(heard.values)
            if heard.kind == messages.FRAME:
                yield self._picture(heard)
            elif heard.kind != messages.PASSED:
                raise astray()
        self._count(heard.values)

    def _begin(self, heard: Heard) -> None:
        """Begin a part: all pictures before it were copied and given back."""
        self._shown = Shown(heard.values, self._limits.max_pixels)
        self._part += 1
        self._last_s = -1.0
        self._process.share(*self._shown.shape)

    def _count(self, values: dict[str, Any]) -> None:
        before = self.counts
        self.counts = Counts(
            whole(values, "decoded", before.decoded, 1 << 50),
            whole(values, "damaged", before.damaged, 1 << 50),
            whole(values, "dropped", before.dropped, 1 << 50),
        )

    def _picture(self, heard: Heard) -> Picture:
        time_s = number(heard.values, "time_s", _MOST_S)
        now_s = time.monotonic()
        arrived_s = number(heard.values, "arrived_s", _MOST_S)
        if self._shown is None or not time_s > self._last_s:
            raise astray()
        if not max(self._began_s, now_s - _LONGEST_AGO_S) <= arrived_s <= now_s:
            raise astray()
        self._last_s = time_s
        thumbnail = self._shown.thumbnail(heard)
        image = self._shown.picture(self._process, heard)
        return Picture(self._part, time_s, arrived_s, thumbnail, image)

    def _check(self) -> None:
        """See whether pictures are wanted still, and how much the process works."""
        self._go_on()
        over_s = time.monotonic() - self._measured_s
        if over_s < _MEASURED_S:
            return
        used_s = _processor_s(self._process.id)
        if used_s - self._used_s > self._limits.processors * over_s:
            raise DecodingBroken("takes too much processor time")
        self._measured_s += over_s
        self._used_s = used_s

    def _failure(self, failed: dict[str, Any]) -> LikenessError:
        """Word why a stream is not decoded; where the source stopped, that is why."""
        if self._pump.error is not None:
            return self._pump.error
        reason = failed.get("reason")
        if reason in (messages.UNREADABLE, messages.NO_FRAMES) and not self._pump.has_come:
            return SourceUnavailable("The source stopped before it sent anything.")
        match reason:
            case messages.UNREADABLE:
                return InvalidStream(
                    "The source sends nothing that is read as video. Supported: RTSP, MPEG-TS, HLS,"
                    " FLV, Matroska, fragmented MP4, motion JPEG."
                )
            case messages.NO_VIDEO:
                return InvalidStream("The source sends no moving pictures. Check its address.")
            case messages.NO_DECODER:
                return InvalidStream(
                    "The source's video is coded in a way that is not read. Choose H.264 or H.265"
                    " in its settings."
                )
            case messages.NO_FRAMES:
                return InvalidStream(
                    "Not one frame of the source's video can be decoded: it is damaged or"
                    " encrypted. Check what it sends."
                )
            case messages.TOO_LARGE:
                width, height = (whole(failed, side, 1, 1 << 32) for side in ("width", "height"))
                return InvalidStream(
                    f"The source's frames have {width}x{height} pixels, more than"
                    f" {self._limits.max_pixels / 1e6:.3g} million. Choose smaller ones in its"
                    " settings."
                )
            case messages.MEMORY:
                return InvalidStream(
                    "Decoding the stream needs more than"
                    f" {self._limits.memory / (1 << 30):.3g} GiB of memory. Choose smaller frames"
                    " in the source's settings."
                )
            case messages.UNFORESEEN:
                what = failed.get("what")
                name = what if isinstance(what, str) and what.isidentifier() else "?"
                return InvalidStream(
                    f"Decoding the stream failed in an unforeseen way ({name[:40]}). Check what the"
                    " source sends; please report this."
                )
            case _:
                return astray()


def _processor_s(process: int) -> float:
    """Say how much processor time a process has taken; 0 where nobody says so."""
    try:
        fields = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
