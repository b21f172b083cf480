"""Decodes a clip's sound: plain samples, and when they are by the clock of the pictures."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from typing import Any

from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Discard
from av.video.stream import VideoStream

from . import messages
from .source import SEEKABLE, Unreadable, open_clip, pictures_of

_MICROSECOND = Fraction(1, 1_000_000)
# Rates that AAC has and that need no more than 48,000 samples a second.
_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_STEREO = 2
_MOST_GAPS = 100
# What follows so closely is on one line of time with what was before.
_LEAP_S = 10.0
_BACK_S = 1.0
# Sound that is not at the time of the pictures waits for them to follow; so much of it.
_HELD_S = 2.0
_EARLIER_S = 1.0
_USUAL_RATE = 25.0


@dataclass(slots=True)
class Line:
    """The line of time of a clip's pictures, in the order of its file.

    Stamps may jump, and pictures are then counted on (`clock.Clock`). Sound jumps with them:
    `offset_s` makes a stamp a time, and `now_s` is that of the latest picture.
    """

    offset_s: float
    step_s: float
    longest_s: float
    now_s: float | None = None
    jumps: int = 0
    _last_s: float | None = None
    _astray: tuple[float, float] | None = None

    def see(self, dts_s: float, pts_s: float) -> None:
        """Read the stamps of a picture's packet; two that are off the line begin a new one."""
        if self._last_s is not None and not self._follows(self._last_s, dts_s):
            if self._astray is None or not self._follows(self._astray[0], dts_s):
                self._astray = dts_s, pts_s
                return
            self._leave(self._last_s, *self._astray)
        self._astray = None
        self._last_s = dts_s
        time_s = pts_s + self.offset_s
        self.now_s = time_s if self.now_s is None else max(self.now_s, time_s)

    def _leave(self, last_s: float, dts_s: float, pts_s: float) -> None:
        """Count on from the latest picture; what leads ahead, within a clip's length, is a gap."""
        if dts_s > last_s and pts_s + self.offset_s <= self.longest_s:
            return
        self.offset_s = (self.now_s or 0.0) + self.step_s - pts_s
        self.jumps += 1

    @staticmethod
    def _follows(last_s: float, dts_s: float) -> bool:
        return 0 <= dts_s - last_s <= _LEAP_S


@dataclass(slots=True)
class Placing:
    """Says when sound is: by its stamps on the line of the pictures.

    What is far from where the sound goes on, and from the pictures, waits until they have jumped
    too; where they do not, it goes on from what was before.
    """

    line: Line
    _next_s: float = 0.0
    _own_s: float = 0.0
    _jumps: int = 0
    _held: deque[tuple[float | None, AudioFrame]] = field(default_factory=deque)

    def placed(
        self, stamp_s: float | None, frame: AudioFrame
    ) -> Iterator[tuple[float, AudioFrame]]:
        """Give what can be placed now, with its seconds from the clip's first moment."""
        self._held.append((stamp_s, frame))
        held_s = sum(one.samples / one.sample_rate for _, one in self._held)
        yield from self.rest() if held_s > _HELD_S else self._ready()

    def rest(self) -> Iterator[tuple[float, AudioFrame]]:
        """Give all that waits; nothing follows that would say when it is."""
        while self._held:
            stamp_s, _ = self._held[0]
            if stamp_s is not None and not self._fits(stamp_s):
                self._own_s = self._next_s - (stamp_s + self.line.offset_s)
            yield self._taken()
            yield from self._ready()

    def _ready(self) -> Iterator[tuple[float, AudioFrame]]:
        if self.line.jumps != self._jumps:
            self._jumps, self._own_s = self.line.jumps, 0.0
        while self._held:
            stamp_s, _ = self._held[0]
            if stamp_s is not None and not self._fits(stamp_s):
                return
            yield self._taken()

    def _taken(self) -> tuple[float, AudioFrame]:
        stamp_s, frame = self._held.popleft()
        time_s = self._next_s if stamp_s is None else self._time(stamp_s)
        self._next_s = time_s + frame.samples / frame.sample_rate
        return time_s, frame

    def _time(self, stamp_s: float) -> float:
        return stamp_s + self.line.offset_s + self._own_s

    def _fits(self, stamp_s: float) -> bool:
        """Whether it goes on from what was before, or leaves a gap that the pictures know of."""
        time_s, now_s = self._time(stamp_s), self.line.now_s
        if time_s < self._next_s - _BACK_S:
            return False
        return time_s <= self._next_s + _BACK_S or now_s is None or time_s <= now_s + _LEAP_S


class Sounding:
    """The sound of one clip while it is decoded.

    Raises:
        Unreadable: the clip has none, or none that is decoded here.
    """

    def __init__(self, clip: int, size: int, out: int, longest_s: float) -> None:
        self._clip, self._size, self._out = clip, size, out
        self._longest_s = longest_s
        self._damaged = 0
        self._open()

    def _open(self) -> None:
        self._container = open_clip(self._clip, self._size)
        self._stream, self._tracks = _best(self._container)
        # What says where each moment lies never goes back in time: its pictures need not be asked.
        seekable = self._container.format.name.startswith(SEEKABLE)
        self._pictures = None if seekable else _pictures(self._container)
        for other in self._container.streams:
            wanted = other in (self._stream, self._pictures)
            other.discard = Discard.default if wanted else Discard.all
        start = self._container.start_time
        rate = self._pictures.average_rate if self._pictures else None
        origin_s, step_s = float((start or 0) * _MICROSECOND), 1 / float(rate or _USUAL_RATE)
        self._line = Line(-origin_s, step_s, self._longest_s)

    def run(self, from_s: float, to_s: float | None) -> None:
        """Say what the sound is, then give its samples."""
        ends_s = self._longest_s if to_s is None else min(to_s, self._longest_s)
        placed = self._placed()
        first = next(placed, None)
        if first is None:
            raise Unreadable(messages.NO_DECODER)
        samples = _Samples(first[1])
        messages.send(
            self._out,
            messages.SOUND_OPENED,
            rate=samples.rate,
            channels=samples.channels,
            tracks=self._tracks,
            mixed=first[1].layout.nb_channels > samples.channels,
        )
        for time_s, frame in self._from(from_s, chain([first], placed)):
            if time_s >= ends_s:
                break
            self._give(time_s, samples.of(frame), samples)
        messages.send(self._out, messages.ENDED, damaged=self._damaged)

    def _from(
        self, from_s: float, placed: Iterator[tuple[float, AudioFrame]]
    ) -> Iterator[tuple[float, AudioFrame]]:
        """Pass over what is before the part that is wanted."""
        if from_s > 0 and self._pictures is None:
            placed = self._seek(from_s) or placed
        alive_s = 0.0
        for time_s, frame in placed:
            if time_s + frame.samples / frame.sample_rate > from_s:
                yield time_s, frame
            elif time_s > alive_s + 1:
                alive_s = time_s
                messages.send(self._out, messages.PASSED, time_s=time_s)

    def _seek(self, from_s: float) -> Iterator[tuple[float, AudioFrame]] | None:
        """Go to a moment before what is wanted; None where that fails."""
        earlier_s = from_s - _EARLIER_S
        if earlier_s <= 0 or not self._stream.time_base:
            return None
        self._open()
        stamp_s = earlier_s - self._line.offset_s
        try:
            self._container.seek(round(stamp_s / self._stream.time_base), stream=self._stream)
        except FFmpegError:
            self._open()
            return self._placed()
        placed = self._placed()
        first = next(placed, None)
        if first is not None and first[0] <= from_s:
            return chain([first], placed)
        self._open()
        return self._placed()

    def _give(self, time_s: float, data: bytes, samples: "_Samples") -> None:
        for at in range(0, len(data), messages.MOST_SOUND_BYTES):
            piece = data[at : at + messages.MOST_SOUND_BYTES]
            begins_s = time_s + at / (samples.rate * samples.bytes_each)
            messages.send(
                self._out, messages.SOUND, piece, time_s=max(0.0, begins_s), bytes=len(piece)
            )

    def _placed(self) -> Iterator[tuple[float, AudioFrame]]:
        placing = Placing(self._line)
        for packet in self._packets():
            if packet.stream is self._stream:
                for frame in self._decoded(packet):
                    yield from placing.placed(_stamp_s(frame), frame)
            elif packet.dts is not None and packet.time_base:
                dts = packet.dts
                pts = dts if packet.pts is None else packet.pts
                self._line.see(float(dts * packet.time_base), float(pts * packet.time_base))
        yield from placing.rest()

    def _packets(self) -> "Iterator[Packet[Any]]":
        """Give packets; read on behind what cannot be read, for some times."""
        wanted = [one for one in (self._stream, self._pictures) if one is not None]
        for _ in range(_MOST_GAPS):
            try:
                yield from self._container.demux(*wanted)
                return
            except (FFmpegError, MemoryError):
                self._damaged += 1

    def _decoded(self, packet: "Packet[Any]") -> Iterator[AudioFrame]:
        try:
            decoded = packet.decode()
        except EOFError:
            return
        except (FFmpegError, MemoryError):
            self._damaged += 1
            return
        for frame in decoded:
            if (
                not isinstance(frame, AudioFrame)
                or frame.is_corrupt
                or not frame.samples
                or frame.sample_rate <= 0
            ):
                self._damaged += 1
            else:
                yield frame


class _Samples:
    """Makes 16-bit samples of one rate of all frames: one channel, or two."""

    def __init__(self, first: AudioFrame) -> None:
        self.rate = next((one for one in _RATES if one >= first.sample_rate), _RATES[-1])
        self.channels = min(_STEREO, max(1, first.layout.nb_channels))
        self.bytes_each = 2 * self.channels
        self._form: tuple[object, ...] = ()

    def of(self, frame: AudioFrame) -> bytes:
        """Give a frame's samples, channels in turn."""
        form = frame.format.name, frame.layout.name, frame.sample_rate
        if form != self._form:
            self._form = form
            layout = "mono" if self.channels == 1 else "stereo"
            self._resampler = AudioResampler("s16", layout, self.rate)
        made = self._resampler.resample(frame)
        return b"".join(bytes(one.planes[0])[: one.samples * self.bytes_each] for one in made)


def _best(container: InputContainer) -> tuple[AudioStream, int]:
    """Find the soundtrack that FFmpeg would choose, and say how many there are.

    Raises:
        Unreadable: there is none, or nothing here decodes it.
    """
    streams = container.streams.audio
    if not streams:
        raise Unreadable(messages.NO_SOUND)
    # PyAV gives those that nothing decodes no context.
    contexts: list[object] = [one.codec_context for one in streams]
    able = [one for one, context in zip(streams, contexts, strict=True) if context is not None]
    if not able:
        raise Unreadable(messages.NO_DECODER)
    best = container.streams.best("audio")
    return (best if isinstance(best, AudioStream) and best in able else able[0]), len(streams)


def _pictures(container: InputContainer) -> VideoStream | None:
    try:
        return pictures_of(container)
    except Unreadable:
        return None


def _stamp_s(frame: AudioFrame) -> float | None:
    if frame.pts is None or not frame.time_base:
        return None
    return float(frame.pts * frame.time_base)
