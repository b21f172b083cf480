"""Makes small clips of every sort with PyAV, for all suites.

Each frame says which one it is (`stamp`), so that a test can tell what it was given: `number_in`.
"""

import resource
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

Draw = Callable[[int], NDArray[np.uint8]]

_BITS = 8
_TICKS = 90_000
CLICK_S = 0.02


def stamp(number: int, width: int = 128, height: int = 96) -> NDArray[np.uint8]:
    """Draw a number: eight upright bars, black or white, the highest bit at the left.

    The upper sixth is red and the lowest sixth blue, which tells what is up.
    """
    pixels = np.zeros((height, width, 3), np.uint8)
    for bit in range(_BITS):
        if number >> (_BITS - 1 - bit) & 1:
            pixels[:, bit * width // _BITS : (bit + 1) * width // _BITS] = 235
    pixels[: height // 6] = (200, 20, 20)
    pixels[-(height // 6) :] = (20, 20, 200)
    return pixels


@contextmanager
def no_room_for(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes, as if the disk were full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def number_in(pixels: NDArray[np.uint8]) -> int:
    """Read the number that `stamp` drew."""
    height, width, _ = pixels.shape
    middle = pixels[height * 2 // 5 : height * 3 // 5].mean(axis=(0, 2))
    bars = [middle[int((bit + 0.5) * width / _BITS)] > 110 for bit in range(_BITS)]
    return sum(1 << (_BITS - 1 - bit) for bit, white in enumerate(bars) if white)


def every(step_s: float, count: int) -> list[float]:
    """Times that are evenly apart, from 0."""
    return [number * step_s for number in range(count)]


@dataclass(kw_only=True)
class Recipe:
    """What a clip is made of; the name's ending chooses its container.

    `times_s` are when frames are shown. `draw` draws each; without it they are stamped. `rotation`
    is by how many degrees counter-clockwise a player turns it, `pixel` how wide its pixels are for
    their height. `sound_s` adds so much sound, silent but for clicks at `clicks_s`, and `picture`
    leaves the pictures out.
    """

    times_s: Sequence[float] = field(default_factory=lambda: every(0.1, 10))
    size: tuple[int, int] = (128, 96)
    draw: Draw | None = None
    codec: str = "libx264"
    pixels: str = "yuv420p"
    rotation: float = 0
    mirrored: bool = False
    pixel: Fraction | None = None
    interlaced: bool = False
    transfer: int | None = None  # 16 is PQ, 18 is HLG, both with the colours of BT.2020
    sound_s: float = 0
    clicks_s: Sequence[float] = ()
    sound_from_s: float = 0
    sound_codec: str = "aac"
    sound_rate: int = 8000
    sound_layout: str = "mono"
    soundtracks: int = 1
    picture: bool = True
    options: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)
    keyframe_every: int = 12
    ticks: int | None = None  # MPEG-2 and MPEG-4 count in frames

    def write(self, path: Path) -> Path:
        """Write the clip."""
        with av.open(path, "w", container_options=self.container_options) as container:
            pictures, *sounds = self._streams(container)
            packets: list[av.Packet] = []
            if pictures is not None:
                packets += self._pictures(pictures)
            for sound in sounds:
                packets += self._sound(sound)
            for packet in sorted(packets, key=_when):
                container.mux(packet)
        return path

    def _streams(self, container):  # type: ignore[no-untyped-def]
        pictures, sounds = None, []
        if self.picture:
            ticks = Fraction(1, self.ticks or _TICKS)
            pictures = container.add_stream(self.codec, time_base=ticks)
            pictures.width, pictures.height = self.size
            pictures.pix_fmt = self.pixels
            context = pictures.codec_context
            context.time_base = ticks
            context.framerate = Fraction(25)
            context.gop_size = self.keyframe_every
            if self.pixel is not None:
                context.sample_aspect_ratio = self.pixel
            if self.transfer is not None:
                context.color_trc, context.color_primaries = self.transfer, 9
                context.colorspace = 9
            if self.interlaced:
                context.flags |= 1 << 18 | 1 << 29
            one_thread = {"x265-params": "log-level=none:pools=1:frame-threads=1"}
            x265 = one_thread if self.codec == "libx265" else {}
            fast = {"preset": "ultrafast"} if self.codec.startswith("libx26") else {}
            pictures.options = {**fast, **x265, **self.options}
            if self.rotation or self.mirrored:
                pictures.set_display_rotation(self.rotation, hflip=self.mirrored)
        for _ in range(self.soundtracks if self.sound_s or self.clicks_s else 0):
            sounds.append(
                container.add_stream(
                    self.sound_codec, rate=self.sound_rate, layout=self.sound_layout
                )
            )
        return pictures, *sounds

    def _pictures(self, stream) -> Iterable[av.Packet]:  # type: ignore[no-untyped-def]
        for number, time_s in enumerate(self.times_s):
            drawn = stamp(number, *self.size) if self.draw is None else self.draw(number)
            colours = Colorspace.ITU601 if self.transfer is None else Colorspace.BT2020
            frame = av.VideoFrame.from_ndarray(drawn, format="rgb24")
            frame = frame.reformat(
                format=self.pixels, src_colorspace=colours, dst_colorspace=colours
            )
            frame.pts, frame.time_base = round(time_s * _TICKS), Fraction(1, _TICKS)
            yield from stream.encode(frame)
        yield from stream.encode(None)

    def _sound(self, stream) -> Iterable[av.Packet]:  # type: ignore[no-untyped-def]
        rate, count = self.sound_rate, av.AudioLayout(self.sound_layout).nb_channels
        length_s = self.sound_s or self.times_s[-1] + 0.5
        samples = np.zeros((count, round(length_s * rate)), np.float32)
        for click_s in self.clicks_s:
            begins = round((click_s - self.sound_from_s) * rate)
            samples[:, begins : begins + round(rate * CLICK_S)] = _tone(rate)
        form = stream.codec_context.codec.audio_formats[0].name
        resampler = av.AudioResampler(form, self.sound_layout, rate)
        begins = round(self.sound_from_s * rate)
        for start in range(0, samples.shape[1], 1024):
            piece = np.ascontiguousarray(samples[:, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(piece, "fltp", self.sound_layout)
            frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
            frame.pts = begins + start
            for one in resampler.resample(frame):
                yield from stream.encode(one)
        yield from stream.encode(None)


def _tone(rate: int) -> NDArray[np.float32]:
    return np.sin(np.arange(round(rate * CLICK_S)) * 2 * np.pi * 1000 / rate).astype(np.float32)


def clicks_in(path: Path) -> list[float]:
    """When the clicks of a clip are heard, in seconds from its first moment."""
    with av.open(str(path)) as container:
        start_s = (container.start_time or 0) / 1_000_000
        stream = container.streams.audio[0]
        resampler = av.AudioResampler("fltp", "mono", stream.rate)
        loud: list[float] = []
        for frame in container.decode(stream):
            begins_s = float(frame.pts * frame.time_base) - start_s
            for one in resampler.resample(frame):
                at = np.flatnonzero(np.abs(one.to_ndarray()[0]) > 0.4)
                loud += (begins_s + at / stream.rate).tolist()
    return [at for before, at in pairwise([-1.0, *loud]) if at - before > 0.1]


def _when(packet: av.Packet) -> float:
    return float((packet.dts or 0) * packet.time_base)


def make_clip(path: Path, **recipe: object) -> Path:
    """Write a clip by a `Recipe`."""
    return Recipe(**recipe).write(path)  # type: ignore[arg-type]


def appended(path: Path, *pieces: Path) -> Path:
    """Put files one after the other; transport streams go on, and their times jump."""
    path.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    return path


def cut_off(path: Path, share: float) -> Path:
    """Keep only the first part of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def damage(path: Path, at: Sequence[float], width: int = 40) -> Path:
    """Overwrite some bytes at shares of the file's length."""
    data = bytearray(path.read_bytes())
    for share in at:
        start = int(len(data) * share)
        data[start : start + width] = bytes(byte ^ 0xFF for byte in data[start : start + width])
    path.write_bytes(data)
    return path


def replaced(path: Path, old: bytes, new: bytes) -> Path:
    """Overwrite what occurs once in a file."""
    data = path.read_bytes()
    assert data.count(old) == 1
    assert len(old) == len(new)
    path.write_bytes(data.replace(old, new))
    return path


def in_pq(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Code sRGB pixels as HDR10 does: PQ (SMPTE ST 2084), colours of BT.2020, white at 203 nits."""
    light = (pixels / 255.0) ** 2.4 @ _BT709_IN_BT2020.T
    power = (light * 203 / 10_000) ** 0.1593017578125
    return _as_bytes(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def in_hlg(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Code sRGB pixels as hybrid log-gamma (BT.2100), with white at three quarters."""
    light = (pixels / 255.0) ** 2.4 @ _BT709_IN_BT2020.T * 0.265
    dark = np.sqrt(3 * light)
    bright = 0.17883277 * np.log(np.maximum(12 * light - 0.28466892, 1e-9)) + 0.55991073
    return _as_bytes(np.where(light <= 1 / 12, dark, bright))


def _as_bytes(shares: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.clip(np.round(shares * 255), 0, 255).astype(np.uint8)


_BT709_IN_BT2020 = np.array(
    [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
)
