"""Watches one stream for an hour: does memory stay what it was?

`make soak` runs this by itself, with the sample photographs, which any machine can fetch.
"""

import argparse
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.crowd_video import children_mib, resident_mib
from bench.crowds import Floats, Pixels
from bench.embedded import likeness
from bench.figure import Beside, Figure, Measurement, NotMeasured, at_most
from bench.live_video import Watch, home_that_knows, watch
from bench.visitors import visits_to, write_visitors
from bench.workplace import OUT, samples
from likeness.vision.decode import read_sample

_PEOPLE, _WIDTH, _HEIGHT, _CLIP_S, _FACE_PX = 10, 1920, 1080, 30.0, 110.0
_SECONDS, _SECONDS_FULL = 300.0, 3600.0
_EVERY_S = 5.0
# Of the time: until then networks are compiled for so many faces at once as recur, which takes a
# few hundred looks, caches fill, and everybody has come once.
_WARM = 1 / 3
_MOST_MORE = 5.0


class _Memory:
    """Looks at what this process and those that decode hold, until the end of the block."""

    def __init__(self) -> None:
        self.mib: list[float] = []
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._ends.wait(_EVERY_S):
            self.mib.append(resident_mib() + children_mib())

    def __enter__(self) -> "_Memory":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ends.set()
        self._thread.join()

    def settled(self) -> Sequence[float]:
        """What they held once everything had been used."""
        return self.mib[int(_WARM * len(self.mib)) :]


def _soak(seconds: float) -> tuple[_Memory, Watch]:
    people = people_of_samples()
    with tempfile.TemporaryDirectory(dir=OUT) as folder:
        path = Path(folder) / "clip.mp4"
        visits = visits_to(_PEOPLE, _CLIP_S)
        write_visitors(path, people, visits, _PEOPLE, (_WIDTH, _HEIGHT), _CLIP_S, _FACE_PX)
        with home_that_knows([picture for picture, _ in people]) as (home, workers):
            with _Memory() as memory:
                watched = watch(home, workers, path, 1, seconds)
            return memory, watched


def people_of_samples() -> list[tuple[Pixels, Floats]]:
    """Give the sample photographs, each with the box of the face that it is of."""
    people = []
    for path in samples():
        sample = read_sample(path)
        faces = likeness().finder.locate(sample).faces
        if faces:
            box = faces[0].box
            corners = np.array([box.left, box.top, box.right, box.bottom])
            people.append((sample.decode().pixels, corners))
    return people


def _memory(full: bool) -> Measurement:
    seconds = _SECONDS_FULL if full else _SECONDS
    memory, watched = _soak(seconds)
    mib = memory.settled()
    (camera,) = watched.cameras
    if not mib or not camera.looks:
        raise NotMeasured("nothing came of the stream")
    return Measurement(
        _more(mib),
        f"most resident memory, what decodes included, over that after {_WARM:.0%} of"
        f" {seconds / 60:g} minutes; up to {_PEOPLE} people in view at {_WIDTH}x{_HEIGHT},"
        f" {len(camera.looks):,} looks, {len(camera.sightings):,} sightings",
        (
            Beside("start", mib[0], "MiB", f"after {_WARM:.0%} of the time"),
            Beside("end", mib[-1], "MiB", "at the end"),
        ),
    )


def _more(mib: Sequence[float]) -> float:
    return 100 * (max(mib) / mib[0] - 1)


FIGURES = (Figure("live-memory", "% more", at_most(_MOST_MORE), _memory),)


def main() -> int:
    """Watch for so many seconds; say what memory was held, and whether it stayed flat."""
    parser = argparse.ArgumentParser(description="Watch one live stream: does memory stay flat?")
    parser.add_argument("seconds", type=float, nargs="?", default=_SECONDS_FULL)
    memory, watched = _soak(parser.parse_args().seconds)
    mib = memory.settled()
    (camera,) = watched.cameras
    if not mib or not camera.named:
        print("Nobody was named in the stream, so this says nothing of its memory.")
        return 1
    print(
        f"{len(camera.looks):,} looks ({camera.looks_per_s:.1f} a second),"
        f" {len(camera.sightings):,} sightings, told within {watched.p95_ms:.0f} ms (p95)."
        f" Memory: {mib[0]:.0f} MiB after {_WARM:.0%} of the time, {max(mib):.0f} at most,"
        f" {mib[-1]:.0f} at the end."
    )
    if _more(mib) > _MOST_MORE:
        print(f"It grew by {_more(mib):.1f}%: more than {_MOST_MORE:g}% is a leak to look for.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
