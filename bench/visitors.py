"""Clips in which people come and go: photographs of View 1 that move, each for some seconds.

Everybody has a cell of the frame, in which they move to and fro, so nobody hides anybody. Once they
have left, nobody is there for a moment, then the next comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from bench.crowds import RATE, Pixels, Somebody, background, grain_of, portraits, shown, somebody_in
from bench.workplace import OUT
from likeness.video import ClipWriter

_SEED = 17
_STAYS_S = (2.5, 5.0)
_AWAY_S = (1.3, 2.0)  # longer than anybody is followed who is out of sight


@dataclass(frozen=True, slots=True)
class Visit:
    """From when to when somebody is in view, who is one of those whom a clip shows."""

    person: int
    begins_s: float
    ends_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Visitors:
    """A clip, the photographs of those who are in it, and their visits."""

    path: Path
    photographs: Sequence[Pixels]
    visits: Sequence[Visit]


def visitors(places: int, width: int, height: int, seconds: float, face_px: float) -> Visitors:
    """Make such a clip at 30 frames a second, H.264, or give it where it was made before.

    As many are in view at most as there are `places`, and everybody comes once. The square root of
    each face's box's area is `face_px`.
    """
    visits = _visits(places, seconds)
    people = list(islice(portraits(), max(visit.person for visit in visits) + 1))
    name = f"{places}-places-{width}x{height}-{seconds:g}s-{face_px:g}px.mp4"
    path = OUT / "clips" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(_SEED)
        moving = [
            somebody_in(
                visit.person % places,
                places,
                (width, height),
                *people[visit.person],
                random,
                face_px,
            )
            for visit in visits
        ]
        _write(path, visits, moving, (width, height), seconds)
    return Visitors(path, [picture for picture, _ in people], visits)


def _visits(places: int, seconds: float) -> list[Visit]:
    """Say who comes when: the number of each, by the number of places, is where."""
    random = np.random.default_rng(_SEED)
    visits = []
    for place in range(places):
        person, now_s = place, float(random.uniform(0.2, _STAYS_S[0]))
        while now_s < seconds - _STAYS_S[0]:
            until_s = min(now_s + float(random.uniform(*_STAYS_S)), seconds)
            visits.append(Visit(person, now_s, until_s))
            person, now_s = person + places, until_s + float(random.uniform(*_AWAY_S))
    return sorted(visits, key=lambda visit: visit.person)


def _write(
    path: Path,
    visits: Sequence[Visit],
    moving: Sequence[Somebody],
    size_wh: tuple[int, int],
    seconds: float,
) -> None:
    random = np.random.default_rng(_SEED)
    behind, grain = background(*size_wh, random), grain_of(*size_wh, random)
    unfinished = path.with_suffix(".part.mp4")
    with ClipWriter(unfinished, *size_wh) as writer:
        for number in range(round(seconds * RATE)):
            time_s = number / RATE
            there = [
                one
                for one, visit in zip(moving, visits, strict=True)
                if visit.begins_s <= time_s < visit.ends_s
            ]
            frame, _ = shown(behind, grain, there, number, time_s)
            writer.write(frame, time_s)
    unfinished.replace(path)
