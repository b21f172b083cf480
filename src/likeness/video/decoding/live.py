"""Decodes a stream as it comes: what is newest counts, and nothing is waited for.

1. Whatever comes is read at once. Where decoding is too slow for that, frames that no other needs
   are passed over, and then all but those that stand alone, until it has caught up.
2. Pictures are made of frames once in `every_s`, where there is room for them. Only the newest
   waits for room, and only for as long as nothing newer comes.
3. What cannot be followed from the frame before begins a part: another size, or times that jump.
"""

import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from . import messages, packets
from .fields import deinterlaced
from .incoming import ContainerStream, Incoming, PacketStream, Stream
from .pace import Pace, Spread
from .pictures import Converter, Shape, shape_of, told_of
from .rights import shared_memory
from .source import Unreadable

# Later than this after it came, a frame that no other needs is passed over, until none is later
# than the second. If that does not help for as long as the third, most are.
_LATE_S, _IN_TIME_S, _PATIENCE_S = 0.4, 0.2, 2.0
_HowMuch = Literal["DEFAULT", "NONREF", "NONKEY"]
_ALL: _HowMuch = "DEFAULT"
_NEEDED: _HowMuch = "NONREF"
_ALONE: _HowMuch = "NONKEY"
_MOST_GAPS = 1000
_SIGN_OF_LIFE_S = 0.5
_ASK_EVERY_S = 0.002


@dataclass(frozen=True, slots=True)
class LiveTask:
    """What is asked: descriptors, then what comes and what is wanted, then what it may cost."""

    parent: int
    feed: int
    out: int
    slots_back: int
    ring: int
    ring_bytes: int
    sdp: str
    every_s: float
    most_pixels: int
    memory: int
    processor_s: int


@dataclass(frozen=True, slots=True)
class _Due:
    """A frame of which a picture is due."""

    frame: VideoFrame
    converter: Converter
    time_s: float
    arrived_s: float


class Pictures:
    """The memory that pictures go into, all of one size at a time."""

    def __init__(self, task: LiveTask) -> None:
        self._slots_back = task.slots_back
        self._whole = shared_memory(task.ring, task.ring_bytes)
        self._slots: list[memoryview] = []
        self._free: list[int] = []

    def lay_out(self, shape: Shape) -> None:
        """Divide it for another size, into as many slots as a byte says."""
        count = self._number()
        size = shape.width * shape.height * 3
        self._slots = [self._whole[at : at + size] for at in range(0, size * count, size)]
        self._free = list(range(count))

    def settle(self) -> None:
        """Wait until nobody looks at any picture."""
        while len(self._free) < len(self._slots):
            self._free.append(self._number())

    def slot(self) -> int | None:
        """Give a slot that may be written into; None where somebody looks at each."""
        while (back := self._back()) is not None:
            self._free.append(back)
        return self._free.pop() if self._free else None

    def await_slot(self) -> int:
        """Give a slot that may be written into, when there is one."""
        if not self._free:
            self._free.append(self._number())
        return self._free.pop()

    def __getitem__(self, slot: int) -> memoryview:
        """Give a slot's memory."""
        return self._slots[slot]

    def _number(self) -> int:
        while (back := self._back()) is None:
            time.sleep(_ASK_EVERY_S)
        return back

    def _back(self) -> int | None:
        try:
            back = os.read(self._slots_back, 1)
        except BlockingIOError:
            return None
        if not back:
            raise SystemExit(1)
        return back[0]


class LiveDecoding:
    """One stream while it is decoded; it counts what is decoded, damaged and dropped."""

    def __init__(self, task: LiveTask) -> None:
        self._task = task
        self._pictures = Pictures(task)
        self._pace = Pace()
        self._spread = Spread()
        self._is_interlaced = False
        self._how_much: _HowMuch = _ALL
        self._late_since_s = 0.0
        self._late_by_s = 0.0
        self._due_s = 0.0
        self._decoded = 0
        self._damaged = 0
        self._dropped = 0
        self._told_s = 0.0
        self._left: _Due | None = None  # had no room
        self._stream = _opened(task)
        self._stream.incoming.while_idle = self._give_left

    def run(self) -> None:
        """Give pictures until nothing comes any more."""
        every_s = self._task.every_s
        self._pace.trusts_stamps = self._stream.is_stamped
        shape: Shape | None = None
        turn = -1
        for frame in deinterlaced(self._frames()):
            self._decoded += 1
            arrived_s = self._arrived_s(frame)
            time_s = self._pace.time_s(_stamp_s(frame), arrived_s)
            now = shape_of(frame, self._stream.pixel)
            if time_s is None or now != shape:
                self._pace.begin(arrived_s)
                self._spread = Spread()
                self._begin(frame, now)
                converter = Converter(now, frame)
                shape, time_s, turn = now, 0.0, -1
            if self._stream.comes_in_bursts:
                self._wait_until(self._spread.due_s(time_s, arrived_s))
            turn_now = math.floor(time_s / every_s + 1e-6) if every_s else turn + 1
            if turn_now > turn:
                turn = turn_now
                due = _Due(frame, converter, time_s, max(arrived_s, self._due_s))
                self._dropped += self._left is not None
                slot = self._pictures.slot()
                self._left = due if slot is None else None
                if slot is not None:
                    self._give(due, slot)
            self._show_life()
        if not self._decoded:
            raise Unreadable(messages.NO_FRAMES)
        if self._left is not None:
            self._give(self._left, self._pictures.await_slot())
        self._tell(messages.ENDED)

    def _frames(self) -> Iterator[VideoFrame]:
        """Give the frames that are whole; count the others."""
        gaps = 0
        for packet in self._stream:
            self._keep_up(packet)
            try:
                decoded = self._stream.decode(packet)
            except EOFError:
                return
            except (FFmpegError, MemoryError):
                self._damaged += 1
                gaps += 1
                if gaps > _MOST_GAPS and not self._decoded:
                    raise Unreadable(messages.NO_FRAMES) from None
                continue
            for frame in decoded:
                if frame.is_corrupt:
                    self._damaged += 1
                else:
                    self._is_interlaced = self._is_interlaced or frame.interlaced_frame
                    yield frame

    def _keep_up(self, packet: "Packet[VideoStream]") -> None:
        """Pass over what may be passed over while decoding is late."""
        now_s = time.monotonic()
        late_s = now_s - max(self._stream.incoming.arrived_s, self._due_s)
        how_much = self._how_much
        if how_much == _ALL and late_s > _LATE_S:
            how_much = _NEEDED
            self._late_since_s, self._late_by_s = now_s, late_s
        elif how_much == _NEEDED and late_s < _IN_TIME_S:
            how_much = _ALL
        elif how_much == _NEEDED and now_s - self._late_since_s > _PATIENCE_S:
            if late_s > self._late_by_s:
                how_much = _ALONE
            self._late_since_s, self._late_by_s = now_s, late_s
        elif how_much == _ALONE and late_s < _IN_TIME_S and packet.is_keyframe:
            how_much = _ALL
        if how_much != self._how_much:
            self._how_much = how_much
            self._stream.context.skip_frame = how_much

    def _arrived_s(self, frame: VideoFrame) -> float:
        """Say when a frame came; a filter may have lost it."""
        came_s = frame.opaque
        return came_s if isinstance(came_s, float) else self._stream.incoming.arrived_s

    def _begin(self, first: VideoFrame, shape: Shape) -> None:
        """Begin a part."""
        if shape.width * shape.height > self._task.most_pixels:
            raise Unreadable(messages.TOO_LARGE, width=shape.width, height=shape.height)
        self._pictures.settle()
        messages.send(
            self._task.out,
            messages.OPENED,
            container=self._stream.container,
            codec=self._stream.context.codec.canonical_name,
            duration_s=None,
            frame_rate=self._stream.frame_rate,
            **{**told_of(first, shape), "interlaced": self._is_interlaced},  # before the filter
        )
        self._pictures.lay_out(shape)

    def _give_left(self) -> None:
        """Give the frame that had no room, if there is some by now."""
        if self._left is None or (slot := self._pictures.slot()) is None:
            return
        self._give(self._left, slot)
        self._left = None

    def _give(self, due: _Due, slot: int) -> None:
        due.converter.picture(due.frame, due.time_s, self._pictures[slot])
        small = due.converter.thumbnail(due.frame)
        self._tell(messages.FRAME, small, time_s=due.time_s, slot=slot, arrived_s=due.arrived_s)

    def _wait_until(self, due_s: float) -> None:
        """Wait with what came too early."""
        self._due_s = due_s
        while (early_s := due_s - time.monotonic()) > 0:
            time.sleep(min(early_s, _SIGN_OF_LIFE_S))
            self._show_life()

    def _show_life(self) -> None:
        if time.monotonic() - self._told_s > _SIGN_OF_LIFE_S:
            self._tell(messages.PASSED)

    def _tell(self, kind: str, payload: bytes = b"", **what: object) -> None:
        self._told_s = time.monotonic()
        damaged = self._damaged + self._stream.damaged
        counts = {"decoded": self._decoded, "damaged": damaged, "dropped": self._dropped}
        messages.send(self._task.out, kind, payload, **counts, **what)


def _opened(task: LiveTask) -> Stream:
    if not task.sdp:
        return ContainerStream(Incoming(task.feed), task.most_pixels)
    coding = packets.read_coding(task.sdp)
    if coding is None:
        raise Unreadable(messages.NO_DECODER)
    if coding.name == "MP2T":
        return ContainerStream(Incoming(task.feed, in_packets=True), task.most_pixels)
    return PacketStream(Incoming(task.feed), coding, task.most_pixels)


def _stamp_s(frame: VideoFrame) -> float | None:
    if frame.pts is None or not frame.time_base:
        return None
    return float(frame.pts * frame.time_base)
