"""How fast do frames come out of a clip, and does memory stay flat over an hour's file?"""

import os
import statistics
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.figure import Beside, Figure, Measurement, NotMeasured, at_least, at_most
from likeness.video import ClipWriter, reading

_SIDES = 1280, 720
_FRAMES, _ROUNDS = 600, 5
# An hour, at five frames a second.
_HOUR_FRAMES, _HOUR_STEP_S = 18_000, 0.2
_WARM_UP = 500


def _frames(full: bool) -> Measurement:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        _write(path, _SIDES, _FRAMES, 1 / 30)
        rates, opening_s = [], []
        spent_s = _processor_s()
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            with path.open("rb") as file, reading(file) as reader:
                next(reader)
                opened = time.perf_counter()
                count = sum(1 for _ in reader)
            rates.append(count / (time.perf_counter() - opened))
            opening_s.append(opened - began)
        spent_s = _processor_s() - spent_s
        size = path.stat().st_size
    mbit_s = size * 8 / 1e6 / (_FRAMES / 30)
    return Measurement(
        statistics.median(rates),
        f"frames a second, each as RGB in the reader's process: {_SIDES[0]}x{_SIDES[1]}, H.264 of"
        f" {mbit_s:.1f} Mbit/s, median of {_ROUNDS}",
        (
            Beside(
                "opening", statistics.median(opening_s), "s", "from the file to its first frame"
            ),
            Beside(
                "processor time",
                1000 * spent_s / (_ROUNDS * _FRAMES),
                "ms a frame",
                "both processes, with opening",
            ),
        ),
    )


def _memory(full: bool) -> Measurement:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hour.mp4"
        _write(path, (320, 180), _HOUR_FRAMES, _HOUR_STEP_S)
        with path.open("rb") as file, reading(file) as reader:
            decoder = _only_child()
            start: dict[str, float] = {}
            for frame in reader:
                if frame.number == _WARM_UP:
                    start = _resident_mib(decoder)
                if frame.number == _HOUR_FRAMES - 100:
                    end = _resident_mib(decoder)
    return Measurement(
        100 * (end["decoder"] / start["decoder"] - 1),
        f"resident memory of the process that decodes, an hour's file: after {_HOUR_FRAMES:,}"
        f" frames against after {_WARM_UP}",
        (
            Beside("decoder", end["decoder"], "MiB", "at the end"),
            Beside(
                "reader", 100 * (end["reader"] / start["reader"] - 1), "% more", "its own process"
            ),
        ),
    )


def _write(path: Path, sides: tuple[int, int], count: int, step_s: float) -> None:
    """Write what moves, with detail of all sizes and the grain of a camera in poor light."""
    random = np.random.default_rng(2)
    drawn = _texture(sides).astype(np.int16)
    grain = random.normal(0, 5, drawn.shape).astype(np.int16)
    with ClipWriter(path, *sides) as writer:
        for number in range(count):
            moved = np.roll(drawn, (number * 2, number * 5), (0, 1))
            other = np.roll(grain, tuple(random.integers(0, sides[1], 2)), (0, 1))
            writer.write(np.clip(moved + other, 0, 255).astype(np.uint8), number * step_s)


def _texture(sides: tuple[int, int]) -> NDArray[np.uint8]:
    random = np.random.default_rng(1)
    width, height = sides
    layers = [
        cv2.resize(
            random.normal(0, 40 / (1 + power), (height >> power, width >> power, 3)),
            sides,
            interpolation=cv2.INTER_CUBIC,
        )
        for power in range(2, 7)
    ]
    return np.clip(128 + sum(layers), 0, 255).astype(np.uint8)


def _processor_s() -> float:
    """Processor time of this process and of those that it started and that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _only_child() -> int:
    """The process that decodes: the only one that this one has started."""
    try:
        tasks = [*Path("/proc/self/task").glob("*/children")]
        (child,) = [int(pid) for task in tasks for pid in task.read_text().split()]
    except (OSError, ValueError) as error:
        raise NotMeasured("the process that decodes was not found in /proc") from error
    return child


def _resident_mib(decoder: int) -> dict[str, float]:
    page = os.sysconf("SC_PAGE_SIZE")
    return {
        name: int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page / 2**20
        for name, pid in (("decoder", str(decoder)), ("reader", "self"))
    }


FIGURES = (
    Figure("clip-frames", "frames/s", at_least(150), _frames),
    Figure("clip-memory", "% more", at_most(5), _memory),
)
