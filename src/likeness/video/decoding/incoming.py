"""What comes of a stream: packets of RTP or a container, without an end and without going back."""

import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import cast

from av.codec.context import CodecContext
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from . import messages, packets
from .payloads import Coding, payload_of
from .source import Unreadable, open_stream, pictures_of

_MOST_AT_ONCE = 1 << 17
_MOST_GAPS = 1000
_MOST_THREADS = 2
# Frames of more pixels are decoded several at a time, which costs the time between two.
_LARGE = 2560 * 1440
# What has no stamps: FFmpeg counts as if 25 frames came each second.
_UNSTAMPED = ("mpjpeg",)
_CLOCK = Fraction(1, 1_000_000)


def _rest() -> None:
    """Do nothing."""


class Incoming:
    """Pieces as they come, and a file for PyAV made of them.

    `arrived_s` is when the piece came that was read last. Where `in_packets`, bytes of a container
    come in packets of RTP. `while_idle` is called now and then while nothing comes.
    """

    def __init__(self, feed: int, *, in_packets: bool = False) -> None:
        self._feed = feed
        self._in_packets = in_packets
        self._rest = b""
        self.arrived_s = 0.0
        self.while_idle: Callable[[], None] = _rest

    def piece(self) -> bytes:
        """Wait for the next piece; empty at the end."""
        while True:
            try:
                data = os.read(self._feed, _MOST_AT_ONCE)
                break
            except BlockingIOError:  # the socket waits for a moment alone
                self.while_idle()
        if len(data) <= messages.ARRIVAL.size:
            return b""
        (self.arrived_s,) = messages.ARRIVAL.unpack_from(data)
        return data[messages.ARRIVAL.size :]

    def read(self, size: int) -> bytes:
        """Give some bytes of a container."""
        while not self._rest:
            piece = self.piece()
            if not piece:
                return b""
            self._rest = packets.content_of(piece) if self._in_packets else piece
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


class Stream:
    """A stream of pictures. Its packets carry when they came (`opaque`)."""

    container: str
    is_stamped = True
    comes_in_bursts = False
    context: VideoCodecContext

    def __init__(self, incoming: Incoming, most_pixels: int) -> None:
        self.incoming = incoming
        self._most_pixels = most_pixels
        self.damaged = 0

    def __iter__(self) -> "Iterator[Packet[VideoStream]]":
        """Give coded frames, as they come."""
        raise NotImplementedError

    @property
    def pixel(self) -> Fraction | None:
        """How wide a pixel is for its height."""
        return self.context.sample_aspect_ratio

    @property
    def frame_rate(self) -> float | None:
        """How many frames come each second, where the stream says so."""
        return None

    def decode(self, packet: "Packet[VideoStream]") -> list[VideoFrame]:
        """Decode a coded frame; one without bytes gives what is left."""
        return self.context.decode(packet if packet.size else None)

    def prepare(self, context: VideoCodecContext, pixels: int) -> None:
        """Have frames given as soon as they are whole."""
        self.context = context
        context.options = {"max_pixels": str(2 * self._most_pixels)}
        context.flags |= 1 << 7  # AV_CODEC_FLAG_COPY_OPAQUE
        context.thread_type = "AUTO" if pixels > _LARGE else "SLICE"
        context.thread_count = min(_MOST_THREADS, len(os.sched_getaffinity(0)))


class PacketStream(Stream):
    """What a camera sends in packets of RTP.

    Raises:
        Unreadable: its coding is not read here.
    """

    container = "rtp"

    def __init__(self, incoming: Incoming, coding: Coding, most_pixels: int) -> None:
        super().__init__(incoming, most_pixels)
        payload = payload_of(coding)
        if payload is None:
            raise Unreadable(messages.NO_DECODER)
        self._frames = packets.Frames(payload)
        self._decoder = payload.decoder
        self._time_base = Fraction(1, coding.rate)
        self._is_large = False
        self._prepare_anew()

    def _prepare_anew(self) -> None:
        context = cast(VideoCodecContext, CodecContext.create(self._decoder, "r"))
        self.prepare(context, _LARGE + 1 if self._is_large else 0)

    def __iter__(self) -> "Iterator[Packet[VideoStream]]":
        """Give coded frames, each with its last packet."""
        while piece := self.incoming.piece():
            for unit in self._frames.take(piece):
                # Made of a size it has room behind its end, into which decoders read.
                packet = cast("Packet[VideoStream]", Packet(len(unit.data)))
                packet.update(unit.data)
                packet.pts, packet.time_base = unit.ticks, self._time_base
                packet.is_keyframe = unit.stands_alone
                packet.opaque = self.incoming.arrived_s
                if unit.stands_alone and not self._is_large:
                    self._see_size()
                yield packet
            self.damaged = self._frames.damaged
        yield cast("Packet[VideoStream]", Packet())

    def _see_size(self) -> None:
        """Decode several frames at a time, from one that stands alone on, where they are large."""
        if self.context.width * self.context.height > _LARGE:
            self._is_large = True
            self._prepare_anew()


class ContainerStream(Stream):
    """A container whose bytes come one after the other.

    Raises:
        Unreadable: it is none that is read, or has no pictures.
    """

    def __init__(self, incoming: Incoming, most_pixels: int) -> None:
        super().__init__(incoming, most_pixels)
        self._container = open_stream(incoming)
        self._stream = pictures_of(self._container)
        self.container = self._container.format.name.split(",")[0]
        self.is_stamped = self.comes_in_bursts = self.container not in _UNSTAMPED
        context = self._stream.codec_context
        if context.width * context.height > most_pixels:
            raise Unreadable(messages.TOO_LARGE, width=context.width, height=context.height)
        self.prepare(context, context.width * context.height)

    @property
    def pixel(self) -> Fraction | None:
        """How wide a pixel is for its height."""
        return self._stream.sample_aspect_ratio

    @property
    def frame_rate(self) -> float | None:
        """How many frames come each second, by what came first."""
        rate = self._stream.average_rate
        return float(rate) if rate else None

    def __iter__(self) -> "Iterator[Packet[VideoStream]]":
        """Give coded frames; read on behind what cannot be read, for some times."""
        gaps = 0
        while gaps < _MOST_GAPS:
            try:
                for packet in self._container.demux(self._stream):
                    gaps = 0
                    packet.opaque = self.incoming.arrived_s
                    yield packet
                return
            except FFmpegError:
                gaps += 1
                self.damaged += 1
