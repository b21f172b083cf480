"""What cameras would send, in packets or as a container, at its own pace."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from tests.video.clips import stamp

_NAMES = {
    "libx264": "H264",
    "libx265": "H265",
    "mjpeg": "JPEG",
    "mpeg4": "MP4V-ES",
    "mpeg2video": "MPV",
    "libvpx": "VP8",
}
_TYPES = {"mjpeg": 26, "mpeg2video": 32}
_X265 = {"x265-params": "log-level=none:pools=1:frame-threads=1:bframes=0"}
_OPTIONS = {
    "libx264": {"preset": "ultrafast", "tune": "zerolatency"},
    "libx265": {"preset": "ultrafast", "tune": "zerolatency", **_X265},
    "mjpeg": {"huffman": "default"},  # packets leave the tables out
    "mpeg4": {"bf": "0"},
    "mpeg2video": {"bf": "0"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"},
}


class _Written:
    """A file that keeps each piece that is written, and where frames end."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.pieces.append(bytes(data))
        return len(data)


@dataclass(kw_only=True)
class Filmed:
    """What a camera films: `count` frames, each of which says its number, at so many a second."""

    count: int = 30
    rate: int = 30
    size: tuple[int, int] = (128, 96)
    codec: str = "libx264"
    draw: Callable[[int], NDArray[np.uint8]] | None = None
    options: dict[str, str] = field(default_factory=dict)
    keyframe_every: int = 10
    first_number: int = 0

    def packets(self) -> list[list[bytes]]:
        """Give the packets of RTP of each frame."""
        return self._frames("rtp", {"packetsize": "1400", "seq": "65530", "rtpflags": "skip_rtcp"})

    def container(self, name: str, **options: str) -> list[list[bytes]]:
        """Give a container's bytes, as they come with each frame; the first has its head."""
        return self._frames(name, {"flush_packets": "1", **options})

    def sdp(self) -> bytes:
        """Describe the packets, without what a camera may leave out."""
        kind = _TYPES.get(self.codec, 96)
        lines = ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=-", "t=0 0", f"m=video 0 RTP/AVP {kind}"]
        lines.append(f"a=rtpmap:{kind} {_NAMES[self.codec]}/90000")
        return "".join(f"{line}\r\n" for line in lines).encode()

    def _frames(self, form: str, options: dict[str, str]) -> list[list[bytes]]:
        written = _Written()
        frames: list[list[bytes]] = []
        with av.open(written, "w", format=form, container_options=options) as container:
            stream = container.add_stream(self.codec, rate=self.rate)
            stream.width, stream.height = self.size
            stream.pix_fmt = "yuvj420p" if self.codec == "mjpeg" else "yuv420p"
            stream.options = {**_OPTIONS.get(self.codec, {}), **self.options}
            stream.codec_context.gop_size = self.keyframe_every
            stream.codec_context.thread_count = 1  # else JPEG has slices of which packets say none
            for number in range(self.count):
                pixels = (
                    stamp(self.first_number + number, *self.size)
                    if self.draw is None
                    else self.draw(number)
                )
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame = frame.reformat(format=stream.pix_fmt)
                frame.pts, frame.time_base = number, Fraction(1, self.rate)
                for packet in stream.encode(frame):
                    container.mux(packet)
                frames.append(written.pieces[:])
                written.pieces.clear()
            for packet in stream.encode(None):
                container.mux(packet)
        frames[-1] += written.pieces
        return frames


class FakeFeed:
    """Gives pieces at their moments, in seconds from the first `read`; then ends, or fails.

    `given_s` is when the last piece of a moment was given, by `time.monotonic`.
    """

    def __init__(
        self,
        pieces: Iterable[tuple[float, bytes]],
        sdp: bytes = b"",
        end: Exception | float | None = None,
    ) -> None:
        self.sdp = sdp
        self._pieces = iter(pieces)
        self._end = end
        self._began_s: float | None = None
        self.given_s: dict[float, float] = {}
        self.closed = False

    def read(self) -> bytes:
        """Give the next piece when it is its time."""
        if self._began_s is None:
            self._began_s = time.monotonic()
        for at_s, piece in self._pieces:
            self._wait(at_s)
            self.given_s[at_s] = time.monotonic()
            return b"" if self.closed else piece
        if isinstance(self._end, Exception):
            raise self._end
        if self._end is not None:
            self._wait(self._end)
        return b""

    def _wait(self, at_s: float) -> None:
        assert self._began_s is not None
        while not self.closed and (early_s := self._began_s + at_s - time.monotonic()) > 0:
            time.sleep(min(early_s, 0.05))

    def close(self) -> None:
        """End."""
        self.closed = True


def paced(frames: Sequence[Sequence[bytes]], rate: float) -> list[tuple[float, bytes]]:
    """Say when each piece comes: frames one after the other, at so many a second."""
    return [(number / rate, piece) for number, frame in enumerate(frames) for piece in frame]


def at_once(frames: Sequence[Sequence[bytes]]) -> list[tuple[float, bytes]]:
    """Have all pieces come at once."""
    return [(0.0, piece) for frame in frames for piece in frame]


def written_to(path: Path, frames: Sequence[Sequence[bytes]]) -> Path:
    """Write a container's bytes to a file."""
    path.write_bytes(b"".join(piece for frame in frames for piece in frame))
    return path
