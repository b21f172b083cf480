"""Gathers who is seen in a clip from its segments, in memory that does not grow with every look.

Of a track that is done, what is kept is where it began and ended, its path as numbers, and its best
shots: looks are a segment's.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from likeness.errors import ClipTooLarge
from likeness.terms import Box, Face
from likeness.video import Interval, Look, Segment, Shot, Track, people_of

SAME_PERSON_FMR = 1e-4
"""From this rate on two tracks are one person's: a wrong join would put one name on two people."""
# What is kept of each takes some 20 kB: six hours of a crowd would take more memory than there is.
_MOST_TRACKS = 30_000
TIMELINE_S = 0.5
"""The time between two moments of the timeline that results have."""


@dataclass(frozen=True, slots=True, eq=False)
class FollowedPerson:
    """Somebody who is seen in a clip, and where; `number` counts from 0 by who is seen first.

    `paths` are (n, 5) float32 each: seconds, then left, top, right and bottom in pixels; one for
    each time that they are followed. `shots` are in the order of time.
    """

    number: int
    intervals: tuple[Interval, ...]
    paths: tuple[NDArray[np.float32], ...]
    shots: tuple[Shot, ...]

    def box_at(self, time_s: float) -> Box | None:
        """Say where they are at a moment; None where they are out of view."""
        return box_on(self.paths, time_s)


def box_on(paths: Iterable[NDArray[np.floating]], time_s: float) -> Box | None:
    """Say where somebody with some paths is at a moment; None where they are out of view."""
    for path in paths:
        if path[0, 0] <= time_s <= path[-1, 0]:
            sides = (np.interp(time_s, path[:, 0], path[:, side]) for side in range(1, 5))
            return Box(*map(float, sides))
    return None


@dataclass(frozen=True, slots=True)
class SeenLook:
    """A face at a moment of the timeline, and whose it is."""

    at_ms: int
    person: int
    face: Face


@dataclass(slots=True, eq=False)
class Gathering:
    """What the segments of a clip have shown so far; they are added in their order."""

    frames: int = 0
    looked_at: int = 0
    _tracks: list[Track] = field(default_factory=list)
    _paths: list[NDArray[np.float32]] = field(default_factory=list)
    # Of each segment, the places of its tracks above.
    _places: dict[int, range] = field(default_factory=dict)

    def add(self, segment: Segment) -> None:
        """Take in the next segment.

        Raises:
            ClipTooLarge: more faces were followed than one clip may show.
        """
        self.frames += segment.frames
        self.looked_at += segment.looked_at
        begin = len(self._tracks)
        for track in segment.tracks:
            self._tracks.append(_thin(track))
            self._paths.append(track.path().astype(np.float32))
        if len(self._tracks) > _MOST_TRACKS:
            raise ClipTooLarge(
                f"The clip shows too many faces: more than {_MOST_TRACKS:,} were followed. Cut it"
                " into pieces."
            )
        self._places[segment.number] = range(begin, len(self._tracks))

    def people(
        self, same_from: float | None, go_on: Callable[[], object] = lambda: None
    ) -> "FollowedPeople":
        """Say who was seen; from a score of `same_from` on, tracks apart are one person's.

        None joins by place and time alone. What `go_on` raises ends this.
        """
        places = {id(track): place for place, track in enumerate(self._tracks)}
        person_of: dict[int, int] = {}
        people = []
        for person in people_of(self._tracks, same_from, go_on):
            own = [places[id(track)] for track in person.tracks]
            person_of |= dict.fromkeys(own, person.number)
            paths = tuple(self._paths[place] for place in own)
            people.append(FollowedPerson(person.number, person.intervals(), paths, person.shots))
        return FollowedPeople(tuple(people), person_of, dict(self._places))


@dataclass(frozen=True, slots=True, eq=False)
class FollowedPeople:
    """Who was seen in a clip."""

    people: tuple[FollowedPerson, ...]
    _person_of: dict[int, int]
    _places: dict[int, range]

    def timeline(self, segment: Segment) -> Iterator[SeenLook]:
        """Give the looks of a segment, the first of every half second of each track, in order."""
        found = []
        for place, track in zip(self._places[segment.number], segment.tracks, strict=True):
            if (person := self._person_of.get(place)) is not None:
                found += [
                    SeenLook(round(1000 * one.time_s), person, one.face)
                    for one in _first_of_each(track.looks)
                ]
        yield from sorted(found, key=lambda one: (one.at_ms, one.person))


def _first_of_each(looks: Sequence[Look]) -> Iterator[Look]:
    last = -1
    for look in looks:
        if (now := int(look.time_s // TIMELINE_S)) != last:
            last = now
            yield look


def _thin(track: Track) -> Track:
    """Leave of a track what joining it with others takes, and of its pictures the best alone."""
    ends = track.looks[:1] if len(track.looks) == 1 else (track.looks[0], track.looks[-1])
    best = best_shot(track.shots)
    shots = tuple(one if one is best else replace(one, crop_jpeg=b"") for one in track.shots)
    return replace(track, looks=ends, shots=shots)


def best_shot(shots: Sequence[Shot]) -> Shot | None:
    """Choose the shot to show somebody by: large, sharp, and looking at the camera."""
    return max(shots, key=lambda one: (bool(one.crop_jpeg), worth_of(one.look.face)), default=None)


def worth_of(face: Face) -> float:
    """Say how good a face is to show somebody by."""
    turned = max(abs(face.pose.yaw), abs(face.pose.pitch)) / 90
    return face.quality.size * (1 + face.quality.sharpness) * (1 - turned)
