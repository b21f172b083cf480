"""Decodes a clip or a stream: `python -m decoding TASK`, JSON that `video.process` writes."""

import json
import math
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from . import messages
from .clock import Clock
from .fields import deinterlaced
from .live import LiveDecoding, LiveTask
from .pictures import Converter, Shape, bits_of, shape_of, told_of
from .rights import die_with, give_up, shared_memory
from .sound import Sounding
from .source import SEEKABLE, Unreadable, open_clip, pictures_of

_MICROSECOND = Fraction(1, 1_000_000)
_USUAL_RATE = 25.0
# Each thread has frames of its own: those of 8K have 50 MB, and 100 in 10 bits.
_MOST_THREADS, _MOST_IN_8K = 4, 2
_4K = 4096 * 2304
_MOST_GAPS = 100
_MOST_TOO_MUCH = 10
_EARLIER_S = (0.0, 15.0, 120.0)
_SIGN_OF_LIFE_S = 1.0
_SHORTEST_S = 0.001  # no two frames are nearer to each other


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked: descriptors, then what is wanted of the clip, then what it may cost.

    Where `sound` is wanted, nothing else is. `form` is that of the pixels: RGB, or planes.
    """

    parent: int
    clip: int
    size: int
    out: int
    slots_back: int
    ring: int
    sound: bool
    form: str
    every_s: float
    from_s: float
    to_s: float | None
    longest_s: float
    most_pixels: int
    memory: int
    processor_s: int


class Decoding:
    """One clip while it is decoded; it counts what is damaged."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._damaged = 0
        self._damaged_s: float | None = None
        self._too_much = 0
        self._to_its_end = True
        self._at_s = 0.0
        self._container = open_clip(task.clip, task.size)
        self._stream = self._prepared(self._container)

    def run(self) -> None:
        """Say what the clip is, then give its frames."""
        task = self._task
        frames = self._frames(self._container, self._stream)
        first = next(frames, None)
        if first is None:
            raise Unreadable(messages.MEMORY if self._too_much else messages.NO_FRAMES)
        shape = shape_of(first, self._stream.sample_aspect_ratio)
        if shape.width * shape.height > task.most_pixels:
            raise Unreadable(messages.TOO_LARGE, width=shape.width, height=shape.height)
        rate = _usual_rate(self._stream)
        clock: Clock[VideoFrame] = Clock(self._origin_s(first), 1 / rate, task.longest_s)
        self._say_opened(first, shape)
        ring = self._ring(shape)
        if task.from_s > task.longest_s:
            frames = iter(())
        elif task.from_s > 0:
            frames = self._seek(clock, chain([first], frames))
        else:
            frames = chain([first], frames)
        converter = Converter(shape, first)
        self._give(clock, frames, converter, ring)
        messages.send(
            task.out,
            messages.ENDED,
            damaged=self._damaged,
            damaged_s=self._damaged_s,
            jumped_s=clock.jumped_s,
            resized_s=converter.resized_s,
            to_its_end=self._to_its_end,
        )

    def _prepared(self, container: InputContainer) -> VideoStream:
        stream = pictures_of(container)
        context = stream.codec_context
        if context.width * context.height > self._task.most_pixels:
            raise Unreadable(messages.TOO_LARGE, width=context.width, height=context.height)
        context.options = {"max_pixels": str(2 * self._task.most_pixels)}
        context.thread_type = "AUTO"
        context.thread_count = min(_most_threads(context), len(os.sched_getaffinity(0)))
        return stream

    def _frames(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        """Give the frames that are whole; count the others."""
        for packet in self._packets(container, stream):
            try:
                decoded = packet.decode()
            except EOFError:
                return
            except (FFmpegError, MemoryError) as error:
                self._count_damaged(error)
                continue
            for frame in decoded:
                if frame.is_corrupt:
                    self._count_damaged()
                else:
                    yield frame

    def _packets(
        self, container: InputContainer, stream: VideoStream
    ) -> "Iterator[Packet[VideoStream]]":
        """Give the packets of the pictures; read on behind what cannot be read, for some times."""
        for _ in range(_MOST_GAPS):
            try:
                yield from container.demux(stream)
                return
            except (FFmpegError, MemoryError) as error:
                self._count_damaged(error)

    def _count_damaged(self, error: Exception | None = None) -> None:
        """Count what is damaged; a size that is damaged asks for too much memory, a few times."""
        if isinstance(error, MemoryError):
            self._too_much += 1
            if self._too_much > _MOST_TOO_MUCH:
                raise error
        if self._at_s < self._task.from_s - 1:
            return  # passed over, and nobody asked for it
        self._damaged += 1
        if self._damaged_s is None:
            self._damaged_s = self._at_s

    def _origin_s(self, first: VideoFrame) -> float:
        """The stamp of the clip's first moment, be it of sound alone."""
        start = self._container.start_time
        if start is not None:
            return float(start * _MICROSECOND)
        return _stamp_s(first) or 0.0

    def _say_opened(self, first: VideoFrame, shape: Shape) -> None:
        container, stream = self._container, self._stream
        duration = container.duration
        rate = stream.average_rate
        messages.send(
            self._task.out,
            messages.OPENED,
            container=container.format.name.split(",")[0],
            codec=stream.codec.canonical_name,
            duration_s=None if duration is None else float(duration * _MICROSECOND),
            frame_rate=float(rate) if rate else None,
            **told_of(first, shape),
        )

    def _ring(self, shape: Shape) -> list[memoryview]:
        """Wait for the memory that pictures go into; it has as many slots as a byte says."""
        slots = self._number()
        size = shape.width * shape.height * 3
        whole = shared_memory(self._task.ring, size * slots)
        return [whole[at : at + size] for at in range(0, size * slots, size)]

    def _number(self) -> int:
        back = os.read(self._task.slots_back, 1)
        if not back:
            raise SystemExit(1)
        return back[0]

    def _seek(self, clock: Clock[VideoFrame], frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
        """Go to the last frame that needs none before it and is before what is wanted."""
        name = self._container.format.name
        if not name.startswith(SEEKABLE):
            return frames
        wanted_s = clock.origin_s + self._task.from_s
        for earlier_s in _EARLIER_S:
            container = open_clip(self._task.clip, self._task.size)
            stream = self._prepared(container)
            offset = round((wanted_s - earlier_s) / stream.time_base) if stream.time_base else 0
            try:
                container.seek(offset, stream=stream)
            except FFmpegError:
                continue
            found = self._frames(container, stream)
            first = next(found, None)
            stamp_s = None if first is None else _stamp_s(first)
            if first is not None and stamp_s is not None and stamp_s <= wanted_s:
                self._container, self._stream = container, stream
                return chain([first], found)
        return frames

    def _give(
        self,
        clock: Clock[VideoFrame],
        frames: Iterator[VideoFrame],
        converter: Converter,
        ring: list[memoryview],
    ) -> None:
        task = self._task
        draw = converter.planes if task.form == messages.PLANES else converter.picture
        free = list(range(len(ring)))
        last_turn = -1
        alive = time.monotonic()
        stamped = ((_stamp_s(frame), frame) for frame in deinterlaced(frames))
        for time_s, frame in clock.timed(stamped):
            self._at_s = time_s
            if task.to_s is not None and time_s >= task.to_s:
                self._to_its_end = False
                break
            if time_s > task.longest_s:
                raise Unreadable(messages.TOO_LONG)
            if time_s < task.from_s:
                if time.monotonic() - alive > _SIGN_OF_LIFE_S:
                    alive = time.monotonic()
                    messages.send(task.out, messages.PASSED, time_s=time_s)
                continue
            slot = None
            turn = (
                math.floor(time_s / task.every_s + 1e-6)
                if task.every_s > _SHORTEST_S
                else last_turn + 1
            )
            if turn > last_turn:
                last_turn = turn
                slot = free.pop() if free else self._number()
                draw(frame, time_s, ring[slot])
            small = converter.thumbnail(frame)
            messages.send(task.out, messages.FRAME, small, time_s=time_s, slot=slot)


def _most_threads(context: VideoCodecContext) -> int:
    if context.width * context.height <= _4K:
        return _MOST_THREADS
    deep = context.format is not None and bits_of(context.format) > 8
    return 1 if deep else _MOST_IN_8K


def _stamp_s(frame: VideoFrame) -> float | None:
    if frame.pts is None or not frame.time_base:
        return None
    return float(frame.pts * frame.time_base)


def _usual_rate(stream: VideoStream) -> float:
    rate = float(stream.average_rate or stream.guessed_rate or 0)
    return rate if 1 <= rate <= 1000 else _USUAL_RATE


def main() -> None:
    """Give up all rights, then decode; whatever goes wrong is said in one line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked = json.loads(sys.argv[1])
    task = LiveTask(**asked) if "feed" in asked else Task(**asked)
    die_with(task.parent)
    av.logging.set_level(None)
    walls = give_up(task.memory, task.processor_s)
    messages.send(task.out, messages.READY, landlock=walls.landlock, calls=walls.calls)
    try:
        if isinstance(task, LiveTask):
            LiveDecoding(task).run()
        elif task.sound:
            sounding = Sounding(task.clip, task.size, task.out, task.longest_s)
            sounding.run(task.from_s, task.to_s)
        else:
            Decoding(task).run()
    except Unreadable as error:
        messages.send(
            task.out, messages.FAILED, reason=error.reason, width=error.width, height=error.height
        )
    except MemoryError:
        messages.send(task.out, messages.FAILED, reason=messages.MEMORY)
    except FFmpegError:
        messages.send(task.out, messages.FAILED, reason=messages.UNREADABLE)
    except OSError as error:
        messages.send(task.out, messages.FAILED, reason=messages.LOST, number=error.errno)
    except Exception as error:
        what = type(error).__name__
        messages.send(task.out, messages.FAILED, reason=messages.UNFORESEEN, what=what)


if __name__ == "__main__":
    main()
