"""Clips in which people come and go: photographs of View 1 that move, each for some seconds.

Everybody has a cell of the frame, in which they move to and fro, so nobody hides anybody. Once they
have left, nobody is there for a moment, then the next comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from bench.crowds import RATE, Floats, Pixels, background, grain_of, portraits, shown, somebody_in
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
    visits = visits_to(places, seconds)
    path = OUT / "clips" / f"{places}-places-{width}x{height}-{seconds:g}s-{face_px:g}px.mp4"
    people = list(islice(portraits(), max(visit.person for visit in visits) + 1))
    if not path.exists():
        write_visitors(path, people, visits, places, (width, height), seconds, face_px)
    return Visitors(path, [picture for picture, _ in people], visits)


def write_visitors(
    path: Path,
    people: Sequence[tuple[Pixels, Floats]],
    visits: Sequence[Visit],
    places: int,
    size_wh: tuple[int, int],
    seconds: float,
    face_px: float,
) -> None:
    """Write a clip of the visits of people, given by photographs and boxes, over and over."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(_SEED)
    moving = [
        somebody_in(visit.person % places, places, size_wh, picture, box, random, face_px)
        for visit in visits
        for picture, box in (people[visit.person % len(people)],)
    ]
    behind, grain = background(*size_wh, random), grain_of(*size_wh, random)
    with ClipWriter(path, *size_wh) as writer:
        for number in range(round(seconds * RATE)):
            time_s = number / RATE
            there = [
                one
                for one, visit in zip(moving, visits, strict=True)
                if visit.begins_s <= time_s < visit.ends_s
            ]
            frame, _ = shown(behind, grain, there, number, time_s)
            writer.write(frame, time_s)


def visits_to(places: int, seconds: float) -> list[Visit]:
    """Say who comes when: where somebody is, is their number by that of the places."""
    random = np.random.default_rng(_SEED)
    visits = []
    for place in range(places):
        person, now_s = place, float(random.uniform(0.2, _STAYS_S[0]))
        while now_s < seconds - _STAYS_S[0]:
            until_s = min(now_s + float(random.uniform(*_STAYS_S)), seconds)
            visits.append(Visit(person, now_s, until_s))
            person, now_s = person + places, until_s + float(random.uniform(*_AWAY_S))
    return sorted(visits, key=lambda visit: visit.person)
