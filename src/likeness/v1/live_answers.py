"""The shapes of live searches and of what they tell, in answers, in events and in webhooks."""

from datetime import datetime
from typing import Self
from uuid import UUID

from likeness.service.live.sighting import Sighting
from likeness.service.live.sightings import SightingsPage
from likeness.terms import Box
from likeness.v1.answers import Answer
from likeness.v1.clip_answers import SeenMatchAnswer


class FrameBoxAnswer(Answer):
    """Where a face is, in pixels of a frame of `width` times `height`."""

    left: float
    top: float
    right: float
    bottom: float
    width: int
    height: int

    @classmethod
    def of(cls, box: Box, width: int, height: int) -> Self:
        """Show one."""
        sides = {name: round(getattr(box, name), 1) for name in ("left", "top", "right", "bottom")}
        return cls(**sides, width=width, height=height)


class SightingAnswer(Answer):
    """One thing that a live search tells; `number` counts them from 1.

    `kind` is `seen`, `stranger`, `left` or `source`. `at` is when the frame that decided it came
    in, `first_at` when the person came into view, `last_at` when they were seen last. `person`
    counts the people of the search. `match` is whom they are like; nobody while that is
    `withheld`, since people have to decide `case` first. `latency_ms` is how long after the frame
    came in it was decided. `remark` says what is the matter with the source.
    """

    search: str
    number: int
    kind: str
    at: datetime
    person: int | None
    first_at: datetime | None
    last_at: datetime | None
    box: FrameBoxAnswer | None
    match: SeenMatchAnswer | None
    withheld: bool
    case: UUID | None
    latency_ms: int
    receipt: str | None
    remark: str | None

    @classmethod
    def of(cls, search: str, sighting: Sighting) -> Self:
        """Show one of a search, by the id of its job."""
        box, match = sighting.box, sighting.match
        return cls(
            search=search,
            number=sighting.number,
            kind=sighting.kind.value,
            at=sighting.at,
            person=sighting.person,
            first_at=sighting.first_at,
            last_at=sighting.last_at,
            box=None if box is None else FrameBoxAnswer.of(box, sighting.width, sighting.height),
            match=None if match is None else SeenMatchAnswer.of(match),
            withheld=sighting.withheld,
            case=sighting.case_id,
            latency_ms=sighting.latency_ms,
            receipt=sighting.receipt,
            remark=sighting.remark,
        )


class SightingsAnswer(Answer):
    """Some of what a live search told; `after` asks for what follows."""

    state: str
    sightings: list[SightingAnswer]
    after: int

    @classmethod
    def of(cls, page: SightingsPage, after: int) -> Self:
        """Show a page that was asked for behind the sighting `after`."""
        told = page.sightings
        return cls(
            state=page.of.state.value,
            sightings=[SightingAnswer.of(page.of.job.id, one) for one in told],
            after=told[-1].number if told else after,
        )
