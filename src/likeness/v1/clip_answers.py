"""The shapes of who is seen in a clip, in answers; the words are those of the command line."""

from typing import Self
from uuid import UUID

from likeness.service.video.results import PeopleSeen
from likeness.service.video.seen import ClipMatch, ClipPerson, ClipSeen
from likeness.v1.answers import Answer, JobAnswer


class ClipAnswer(Answer):
    """A clip: what it is, which of its time was looked at, and what came of decoding it."""

    container: str
    codec: str
    width: int
    height: int
    duration_s: float | None
    frame_rate: float | None
    from_s: float
    to_s: float
    frames: int
    looked_at: int
    damaged: int
    remarks: list[str]

    @classmethod
    def of(cls, seen: ClipSeen) -> Self:
        """Show what is known."""
        clip = seen.clip
        return cls.shown(
            seen,
            container=clip.container,
            codec=clip.codec,
            width=clip.width,
            height=clip.height,
            duration_s=clip.duration_s,
            frame_rate=clip.frame_rate,
            remarks=list(seen.remarks),
        )


class IntervalAnswer(Answer):
    """From when to when somebody is in view, in seconds from the clip's beginning."""

    from_s: float
    to_s: float


class SeenMatchAnswer(Answer):
    """Somebody known whom a person of a clip is like.

    `match` is whether the person is called theirs, and `unnamed_because` says why somebody as alike
    is not. `fmr` is how often strangers who are followed in a clip score as high, with a 95%
    interval where that is extrapolated. Of `looks` that were compared so many are `agreeing`.
    """

    subject: str | None
    subject_id: UUID | None
    reference_id: UUID | None
    external_id: str | None
    match: bool
    unnamed_because: str | None
    similarity: float
    fmr: float
    fmr_interval: list[float] | None
    extrapolated: bool
    looks: int
    agreeing: int
    agreement: float

    @classmethod
    def of(cls, match: ClipMatch) -> Self:
        """Show one."""
        interval = match.fmr_interval
        return cls.shown(
            match,
            similarity=round(match.similarity, 2),
            fmr_interval=None if interval is None else list(interval),
            agreement=round(match.agreement, 3),
        )


class PersonSeenAnswer(Answer):
    """Somebody who is seen in a clip; `number` counts from 1 by who is seen first.

    `best_s` is when they are seen best, null where they never are seen well enough to be
    recognised. `candidates` are whom they are like, the most alike first; nobody while that is
    `withheld`, since people have to decide `case` first. `corrected` is whether somebody said who
    they are.
    """

    number: int
    intervals: list[IntervalAnswer]
    best_s: float | None
    shots: int
    candidates: list[SeenMatchAnswer]
    withheld: bool
    case: UUID | None
    corrected: bool

    @classmethod
    def of(cls, person: ClipPerson) -> Self:
        """Show one."""
        return cls(
            number=person.number + 1,
            intervals=[
                IntervalAnswer(from_s=round(one.begins_s, 3), to_s=round(one.ends_s, 3))
                for one in person.intervals
            ],
            best_s=person.best_s,
            shots=person.shots,
            candidates=[SeenMatchAnswer.of(one) for one in person.candidates],
            withheld=person.withheld,
            case=person.case_id,
            corrected=person.correction is not None or bool(person.joined),
        )


class PeopleSeenAnswer(Answer):
    """Who is seen in a clip; without `clip` and people while the job has not succeeded.

    `withheld` is whether somebody is not named because people have to decide first, and `decided`
    whether they have.
    """

    job: JobAnswer
    tag: str | None
    clip: ClipAnswer | None
    people: list[PersonSeenAnswer]
    cases: list[UUID]
    withheld: bool
    decided: bool

    @classmethod
    def of(cls, found: PeopleSeen) -> Self:
        """Show what may be answered."""
        seen = found.seen
        return cls(
            job=JobAnswer.of(found.of.job),
            tag=found.of.asked.tag,
            clip=None if seen is None else ClipAnswer.of(seen),
            people=[] if seen is None else [PersonSeenAnswer.of(one) for one in seen.people],
            cases=[] if seen is None else list(seen.case_ids),
            withheld=seen is not None and seen.withheld,
            decided=seen is not None and seen.decided,
        )
