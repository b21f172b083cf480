"""Who is seen in a clip: looks at a face, the best of them, tracks of them, and people."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from likeness.terms import Box, Face, Image, Template

# Sights of one person that are no further apart are one interval.
_ONE_SIGHT_S = 1.0
# Where a segment ends between them, they are one for longer: few frames may be looked at.
_ONE_SIGHT_OF_SEGMENTS_S = 2.5


class FrameFinder(Protocol):
    """Finds the faces of one frame, and makes their templates.

    What it gives depends on nothing but what it is given, and any number of threads may ask it. Of
    templates and crops, `image` may be a part of the frame, and faces are where they are in it.
    """

    def locate(self, image: Image, least: float | None = 0.0, turn: int = 0) -> Sequence[Face]:
        """Find every face, largest first, with its pose and its quality.

        Faces of fewer than `least` pixels may be missed, which takes less time. With None the frame
        is searched as closely as a photograph, for heads that lie on their side too. `turn` counts
        such looks at one stretch of a clip: a finder may look in several ways, in turn.
        """

    def templates(self, image: Image, faces: Sequence[Face]) -> Sequence[Template]:
        """Make the templates of some faces of the frame."""

    def crop_jpeg(self, image: Image, box: Box) -> bytes:
        """Cut a face out, with some of what is around it, as a small JPEG."""


@dataclass(frozen=True, slots=True)
class Look:
    """A face in one frame; `time_s` is seconds from the clip's first moment."""

    time_s: float
    face: Face


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A look good enough to recognise somebody by, with its template and a picture of it."""

    look: Look
    template: Template
    crop_jpeg: bytes


class Ending(StrEnum):
    """Why a track ends."""

    LOST = "lost"
    CUT = "cut"
    SEGMENT = "segment"
    """The piece of the clip that was worked on ends; the face may go on in the next."""
    CLIP = "clip"


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One face that was followed without a gap that matters.

    `looks` ascend in time; between two of them the face is where a straight line has it. `shots`
    are the best few, in the order of time, at least half a second apart; empty where no look was
    good enough, or where nobody makes templates.
    """

    looks: tuple[Look, ...]
    shots: tuple[Shot, ...]
    ended: Ending

    @property
    def begins_s(self) -> float:
        """When it is seen first."""
        return self.looks[0].time_s

    @property
    def ends_s(self) -> float:
        """When it is seen last."""
        return self.looks[-1].time_s

    def path(self) -> NDArray[np.float64]:
        """Give its (n, 5) looks: seconds, then left, top, right and bottom in pixels."""
        return np.array(
            [
                (one.time_s, box.left, box.top, box.right, box.bottom)
                for one in self.looks
                for box in (one.face.box,)
            ]
        )


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a clip that is done: from `from_s` on and before `to_s`, and its tracks.

    `frames` were decoded and `looked_at` searched for faces.
    """

    number: int
    from_s: float
    to_s: float
    tracks: tuple[Track, ...]
    frames: int
    looked_at: int


@dataclass(frozen=True, slots=True)
class Interval:
    """From when to when somebody is in view, in seconds from the clip's first moment."""

    begins_s: float
    ends_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Somebody who is seen in a clip: tracks that are one person's, in the order of time.

    `number` counts people in the order in which they are seen first, from 0.
    """

    number: int
    tracks: tuple[Track, ...]

    @property
    def shots(self) -> tuple[Shot, ...]:
        """All shots, in the order of time."""
        return tuple(shot for track in self.tracks for shot in track.shots)

    @property
    def looks(self) -> tuple[Look, ...]:
        """All looks, in the order of time."""
        return tuple(look for track in self.tracks for look in track.looks)

    def intervals(self) -> tuple[Interval, ...]:
        """Say from when to when they are in view; gaps of up to a second are none."""
        found: list[Interval] = []
        gap_s = 0.0
        for track in self.tracks:
            if found and track.begins_s - found[-1].ends_s <= gap_s:
                ends_s = max(found[-1].ends_s, track.ends_s)
                found[-1] = Interval(found[-1].begins_s, ends_s)
            else:
                found.append(Interval(track.begins_s, track.ends_s))
            goes_on = track.ended is Ending.SEGMENT
            gap_s = _ONE_SIGHT_OF_SEGMENTS_S if goes_on else _ONE_SIGHT_S
        return tuple(found)
