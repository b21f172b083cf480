"""The shapes of live searches and of what they tell, in answers, in events and in webhooks."""

import json
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import AwareDatetime

from likeness.jobs import KEPT
from likeness.notify import WebhookSecret
from likeness.service.live.manage import LiveJob, LiveState
from likeness.service.live.sighting import Sighting
from likeness.service.live.sightings import SightingsPage
from likeness.service.video.manage import told_of_failure
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


class LiveAnswer(Answer):
    """A live search: what was asked, by whom, and how far it is.

    `state` is `starting` until the source's first frame, then `running`, `stopping`, and `stopped`
    or `failed`; `failure` is the kind of error that it failed with, and `reason` says more.
    `similarity` is the least that is told of, in percent. `tells` is whether it has a webhook,
    `kinesis` the ARN of the data stream that is told of frames, and `processor` the name of the
    stream processor that it is a run of. In `consent_case` an authority consents to all of it.
    """

    id: str
    state: LiveState
    source: str
    collection: str
    place: str | None
    authority: str | None
    criteria: str | None
    ends_at: AwareDatetime | None
    similarity: float
    looks_per_s: float
    tells: bool
    kinesis: str | None
    processor: str | None
    consent_case: UUID | None
    principal_id: str
    local: bool
    made_at: AwareDatetime
    begun_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    kept_until: AwareDatetime | None
    failure: str | None
    reason: str | None

    @classmethod
    def of(cls, search: LiveJob) -> Self:
        """Show one."""
        job, asked = search.job, search.asked
        return cls(
            id=job.id,
            state=search.state,
            source=asked.source,
            collection=asked.collection,
            place=asked.statement.place,
            authority=asked.statement.authority,
            criteria=asked.statement.criteria,
            ends_at=asked.statement.ends_at,
            similarity=asked.threshold,
            looks_per_s=asked.looks_per_s,
            tells=asked.webhook is not None,
            kinesis=asked.kinesis_arn,
            processor=asked.processor,
            consent_case=search.case_id,
            principal_id=job.principal_id,
            local=job.local,
            made_at=job.made_at,
            begun_at=job.begun_at,
            ended_at=job.ended_at,
            kept_until=None if job.ended_at is None else job.ended_at + KEPT,
            failure=job.failure,
            reason=told_of_failure(job),
        )


class BegunLiveAnswer(LiveAnswer):
    """A live search that was just begun; `webhook_secret` is given this once."""

    webhook_secret: str | None

    @classmethod
    def of_begun(cls, search: LiveJob, secret: WebhookSecret | None) -> Self:
        """Show one with its secret."""
        text = None if secret is None else secret.text
        return cls(**LiveAnswer.of(search).model_dump(), webhook_secret=text)


class LiveSearchesAnswer(Answer):
    """Many live searches."""

    searches: list[LiveAnswer]


def said_to_a_webhook(search: LiveJob, sighting: Sighting | None) -> bytes:
    """Say what a live search told as a message of Standard Webhooks; None stands for its end."""
    if sighting is None:
        kind, at = "live.ended", search.job.ended_at
        data = LiveAnswer.of(search).model_dump(mode="json")
    else:
        kind, at = "live.sighting", sighting.at
        data = SightingAnswer.of(search.job.id, sighting).model_dump(mode="json")
    message = {"type": kind, "timestamp": at and at.isoformat(), "data": data}
    return json.dumps(message, separators=(",", ":")).encode()
