"""Who is seen when in one clip, as every door that speaks of people has it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from likeness.terms import Box, Face
from likeness.video import Clip, Interval

TellMs = Callable[[int, int], None]
"""Is told how many of how many milliseconds of a clip are done; of 0 where nobody knows."""


def tell_nobody(done_ms: int, total_ms: int) -> None:
    """Tell nobody how far it is."""


@dataclass(frozen=True, slots=True)
class ClipMatch:
    """Somebody known whom a person of a clip is like.

    `subject` is None where nobody named the reference, and `external_id` what a client called it;
    whoever is of a folder has no ids. `match`
    is whether the person is called theirs; `unnamed_because` says why somebody who is as alike is
    not. `fmr` is how often strangers who are followed in a clip score as high, `fmr_interval` its
    95% interval where that is too rare to have been counted (`extrapolated`). Of `looks` at the
    person so many are `agreeing`; weighted by size and quality they are a share `agreement` of all.
    """

    subject: str | None
    subject_id: UUID | None
    reference_id: UUID | None
    similarity: float
    fmr: float
    fmr_interval: tuple[float, float] | None
    extrapolated: bool
    match: bool
    unnamed_because: str | None
    looks: int
    agreeing: int
    agreement: float
    external_id: str | None = None

    @property
    def name(self) -> str:
        """Who it is: the subject's name, or the reference's id where it has none."""
        return str(self.reference_id) if self.subject is None else self.subject


class Said(StrEnum):
    """What somebody says of a person of a clip, whatever was found."""

    IS = "is"
    """They are somebody whom they are like."""
    NOBODY = "nobody"
    """They are none of those."""
    SAME = "same"
    """They are another person of the clip."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What `by` says of a person: they are whoever a reference is of, or another of the clip."""

    said: Said
    reference_id: UUID | None = None
    other: int | None = None
    by: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ClipPerson:
    """Somebody who is seen in a clip, and when; `number` counts from 0 by who is seen first.

    `best_s` and `best_face` are the moment at which they are seen best. `box_at` says where they
    are at a moment, None where they are out of view. `shots` are how many looks were good enough to
    be compared, 0 where nobody was looked for. `candidates` are whom they are like, most
    alike first; empty where nobody was looked for, and while that is `withheld`: people decide case
    `case_id` first, and strangers cannot be told from others until then. `decided` is whether they
    have. `correction` is what somebody said of them, and `joined` are the numbers of those who were
    said to be the same person.
    """

    number: int
    intervals: tuple[Interval, ...]
    best_s: float | None
    best_face: Face | None
    box_at: Callable[[float], Box | None]
    shots: int = 0
    candidates: tuple[ClipMatch, ...] = ()
    case_id: UUID | None = None
    withheld: bool = False
    decided: bool = False
    correction: "Correction | None" = None
    joined: tuple[int, ...] = ()

    @property
    def match(self) -> ClipMatch | None:
        """Who they are, if anybody who is known; nobody is an answer too."""
        return next((best for best in self.candidates[:1] if best.match), None)

    @property
    def seen_well(self) -> bool:
        """Whether they were ever seen well enough to be recognised."""
        return self.best_face is not None


@dataclass(frozen=True, slots=True, eq=False)
class ClipSeen:
    """A clip and who is seen in it, by who is seen first.

    It was looked at from `from_s` to `to_s`: `frames` were decoded, `looked_at` searched for faces,
    and `damaged` passed over. `remarks` say what of the clip is converted or lost.
    """

    clip: Clip
    people: tuple[ClipPerson, ...]
    from_s: float
    to_s: float
    frames: int
    looked_at: int
    damaged: int
    remarks: tuple[str, ...] = ()

    @property
    def case_ids(self) -> tuple[UUID, ...]:
        """The cases in which people decide who somebody is."""
        ids = (one.case_id for one in self.people)
        return tuple(dict.fromkeys(one for one in ids if one is not None))

    @property
    def withheld(self) -> bool:
        """Whether it is withheld who somebody is."""
        return any(one.withheld for one in self.people)

    @property
    def decided(self) -> bool:
        """Whether people have decided who somebody is."""
        return any(one.decided for one in self.people)
