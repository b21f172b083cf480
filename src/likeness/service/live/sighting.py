"""What a live search tells of: sightings, and frames that were looked at."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from likeness.service.video.naming import SeenMatch
from likeness.service.video.seen import ClipMatch
from likeness.terms import Box, Face

OPERATION = "Sighting"
"""What the use is called that tells who somebody is."""


class SightingKind(StrEnum):
    """What is told."""

    SEEN = "seen"
    """Somebody of the collection is in view, or whose name is withheld."""
    STRANGER = "stranger"
    """Somebody is in view who is well seen and like nobody of the collection."""
    LEFT = "left"
    """Somebody who was told of is in view no more."""
    SOURCE = "source"
    """The source stopped, or is there again: `remark` says which."""


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One thing that a live search tells, with the wall clock.

    `number` counts the sightings of a search, from 1 without a gap. `at` is when the frame that
    decided it came in, `first_at` when the face came into view, `last_at` when it was seen last.
    `person` counts the people of a search: a face that is followed without a break. `box` is in
    pixels of a frame of `width` times `height`. `latency_ms` is how long after the frame came in
    the sighting could be told, its entry being durable. `withheld` says that people have to decide
    first, in `case_id`; nobody is named then. `receipt` proves it.
    """

    number: int
    kind: SightingKind
    at: datetime
    person: int | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    box: Box | None = None
    width: int = 0
    height: int = 0
    match: ClipMatch | None = None
    withheld: bool = False
    case_id: UUID | None = None
    latency_ms: int = 0
    receipt: str | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AnalysedFace:
    """A face of a frame that was looked at; `matches` are those that may be told."""

    person: int
    face: Face
    matches: tuple[SeenMatch, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class AnalysedFrame:
    """A frame that was looked at: `at` by the wall clock, `time_s` since the stream began."""

    job_id: str
    number: int
    at: datetime
    time_s: float
    width: int
    height: int
    faces: tuple[AnalysedFace, ...]


class FrameOutput(Protocol):
    """Is told of every frame that is looked at; never waits for whoever is told."""

    def tell(self, frame: AnalysedFrame) -> None:
        """Take a frame.

        Raises:
            NotifierUnavailable: it can never be told: the stream is not there, or refuses.
        """

    def close(self) -> None:
        """Tell what is left, for a few seconds at most."""
