"""How fast a clip is written anew with faces hidden: 1920x1080, two people in view, sound."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TypeVar

import av
import numpy as np

from bench.crowds import RATE, crowd
from bench.figure import Beside, Figure, Measurement, at_least
from bench.workplace import OUT, installation
from likeness.app import Workload
from likeness.service.redact.asked import Manner
from likeness.service.redact.clips import EveryFaceOfFrames, find_faces, write_redacted
from likeness.vision.every_face import FRAME, GLANCE

Result = TypeVar("Result")

_PEOPLE, _WIDTH, _HEIGHT, _SECONDS = 2, 1920, 1080, 10.0
_FRAMES = _SECONDS * RATE
_ROUNDS = 3
_SOUND_RATE = 48_000
_SQUARE = 40


@dataclass(frozen=True, slots=True)
class _Spent:
    """Seconds, and seconds of all processors, of work on the whole clip."""

    seconds: float
    processor_s: float

    @property
    def frames_per_s(self) -> float:
        """Of the clip."""
        return _FRAMES / self.seconds

    @property
    def processor_ms(self) -> float:
        """Of each frame."""
        return 1000 * self.processor_s / _FRAMES


def _redacted(full: bool) -> Measurement:
    source = _with_sound(crowd(_PEOPLE, _WIDTH, _HEIGHT, _SECONDS).path)
    out = OUT / "clips" / "redacted-for-speed.mp4"
    careful, fast = (_laps(source, out, Manner(careful=one)) for one in (True, False))
    return Measurement(
        careful.frames_per_s,
        f"frames a second from file to file, --careful, every face blurred; {_PEOPLE} people of"
        f" View 1 at {_WIDTH}x{_HEIGHT}, {RATE:g} frames/s, H.264 and AAC; best of {_ROUNDS}",
        (
            Beside("fast", fast.frames_per_s, "frames/s", "with --fast"),
            *_each("search", careful.search),
            *_each("fast-search", fast.search),
            *_each("write", careful.write),
            Beside(
                "rate",
                out.stat().st_size * 8 / 1e6 / _SECONDS,
                "Mbit/s",
                "of what is written: x264 superfast without look-ahead, whole squares, CRF 20",
            ),
            Beside(
                "quality",
                _psnr_db(source, out),
                "dB",
                "PSNR of brightness where nothing is hidden, against the clip that is read",
            ),
        ),
    )


FIGURES = (Figure("redact-speed", "frames/s", at_least(30, without_bf16=15), _redacted),)


def _each(name: str, spent: _Spent) -> tuple[Beside, Beside]:
    return (
        Beside(name, spent.frames_per_s, "frames/s", "that alone"),
        Beside(f"{name}-processor", spent.processor_ms, "ms a frame", "all processors and threads"),
    )


@dataclass(frozen=True, slots=True)
class _Laps:
    """The fastest search of a clip for faces, and the fastest writing of it without them."""

    search: _Spent
    write: _Spent

    @property
    def frames_per_s(self) -> float:
        """Of both."""
        return _FRAMES / (self.search.seconds + self.write.seconds)


def _laps(source: Path, out: Path, manner: Manner) -> _Laps:
    here = installation()
    every_face = here.every_face(here.engine(Workload.MANY), FRAME if manner.careful else GLANCE)
    finder, workers = EveryFaceOfFrames(every_face), here.workers(Workload.MANY)
    with source.open("rb") as file:
        searched = [
            _timed(lambda: find_faces(file, finder, manner, workers=workers))
            for _ in range(_ROUNDS)
        ]
        faces = searched[-1][1]
        written = [_timed(lambda: write_redacted(file, out, faces, manner)) for _ in range(_ROUNDS)]
    return _Laps(*(min((one for one, _ in laps), key=_seconds) for laps in (searched, written)))


def _timed(work: Callable[[], Result]) -> tuple[_Spent, Result]:
    began, processor_began = time.perf_counter(), _processor_s()
    result = work()
    return _Spent(time.perf_counter() - began, _processor_s() - processor_began), result


def _seconds(spent: _Spent) -> float:
    return spent.seconds


def _with_sound(path: Path) -> Path:
    """Put a hum beside the pictures of a clip."""
    out = path.with_name(f"{path.stem}-heard.mp4")
    hum = np.sin(np.arange(round(_SECONDS * _SOUND_RATE)) * 2 * np.pi * 220 / _SOUND_RATE)
    samples = np.repeat((8000 * hum).astype(np.int16), 2).reshape(1, -1)
    with av.open(str(path)) as old, av.open(str(out), "w") as new:
        pictures = new.add_stream_from_template(old.streams.video[0])
        sound = new.add_stream("aac", rate=_SOUND_RATE, layout="stereo")
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = pictures
                new.mux(packet)
        frame = av.AudioFrame.from_ndarray(samples, "s16", "stereo")
        frame.sample_rate, frame.time_base, frame.pts = _SOUND_RATE, Fraction(1, _SOUND_RATE), 0
        new.mux(sound.encode(frame))
        new.mux(sound.encode(None))
    return out


def _psnr_db(source: Path, out: Path) -> float:
    """Compare every 30th frame, square by square: most show no face."""
    errors = []
    with av.open(str(source)) as ours, av.open(str(out)) as theirs:
        pairs = zip(ours.decode(video=0), theirs.decode(video=0), strict=True)
        for one, other in islice(pairs, 0, None, 30):
            a, b = (each.to_ndarray()[:_HEIGHT].astype(np.float32) for each in (one, other))
            shape = _HEIGHT // _SQUARE, _SQUARE, _WIDTH // _SQUARE, _SQUARE
            errors.append(np.median(((a - b) ** 2).reshape(shape).mean(axis=(1, 3))))
    return float(10 * np.log10(255**2 / np.mean(errors)))


def _processor_s() -> float:
    """Seconds of all threads so far, and of processes that ended."""
    return sum(os.times()[:4])
