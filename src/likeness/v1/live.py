"""Live searches over HTTP: begin, list, show, stop; what they tell, by pages or as events."""

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from likeness.errors import InvalidRequest
from likeness.notify import Webhook, WebhookSecret
from likeness.review import LONGEST_STATEMENT
from likeness.server import EVENTS, Listeners, event, wait_within
from likeness.service.live.asked import LOOKS_PER_S, LiveAsked
from likeness.service.live.listening import Listening
from likeness.service.live.manage import as_live_job, live_job, live_jobs_of, stop_live
from likeness.service.live.sightings import SightingsPage, sightings_after
from likeness.service.live.start import start_live
from likeness.service.search.naming import SIMILARITY
from likeness.terms import LiveStatement
from likeness.v1.acts import STREAM_STATE, ActRouter, Calls, HomeHere, RowsHere
from likeness.v1.live_answers import (
    BegunLiveAnswer,
    LiveAnswer,
    LiveSearchesAnswer,
    SightingAnswer,
    SightingsAnswer,
)

live = ActRouter(prefix="/v1/live", tags=["live"])

_Id = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
_Statement = Annotated[str, Field(min_length=1, max_length=LONGEST_STATEMENT)]
_LOOK_S = 0.3
_BEAT_S = 15.0
_LONGEST_ID = 12


class LiveSearchRequest(BaseModel):
    """Whom to look for in a source, where, on whose authority and until when.

    `place` is the source's own where it is left out. Nobody is told of who is less than
    `similarity` percent alike. `webhook` is told of sightings, the data stream of the ARN `kinesis`
    of every frame that is looked at.
    """

    model_config = ConfigDict(extra="forbid")

    source: str
    collection: str
    place: _Statement | None = None
    authority: _Statement | None = None
    criteria: _Statement | None = None
    ends_at: AwareDatetime | None = None
    purpose: str | None = None
    case: _Statement | None = None
    warrant: _Statement | None = None
    similarity: Annotated[float, Field(ge=0, le=100)] = SIMILARITY
    looks_per_s: float = LOOKS_PER_S
    webhook: str | None = None
    kinesis: str | None = None


def _listeners_of(request: Request) -> Listeners:
    listeners: Listeners = request.app.state.listeners
    return listeners


ListenersHere = Annotated[Listeners, Depends(_listeners_of)]


@live.post("", status_code=201)
def start_search(asked: LiveSearchRequest, home: HomeHere, calls: Calls) -> BegunLiveAnswer:
    """Begin to look for the people of a collection in a source, as it happens.

    What signs its webhooks is given this once.
    """
    caller = calls("StartLiveSearch", asked.purpose)
    caller = replace(caller, stated=replace(caller.stated, case=asked.case, warrant=asked.warrant))
    webhook = None if asked.webhook is None else Webhook(asked.webhook, WebhookSecret.new())
    wanted = LiveAsked(
        source=asked.source,
        collection=asked.collection,
        statement=LiveStatement(asked.place, asked.authority, asked.criteria, asked.ends_at),
        threshold=asked.similarity,
        looks_per_s=asked.looks_per_s,
        webhook=webhook,
        kinesis_arn=asked.kinesis,
    )
    job = start_live(home, caller, wanted)
    secret = None if webhook is None else webhook.secret
    return BegunLiveAnswer.of_begun(as_live_job(home, job), secret)


@live.get("")
def list_searches(rows: RowsHere, calls: Calls) -> LiveSearchesAnswer:
    """List the caller's live searches, the newest first; an admin's list has everybody's."""
    every = live_jobs_of(rows, calls("ListLiveSearches"))
    return LiveSearchesAnswer(searches=[LiveAnswer.of(one) for one in every])


@live.get("/{search_id}")
def show_search(search_id: _Id, rows: RowsHere, calls: Calls) -> LiveAnswer:
    """Say how far a live search is."""
    return LiveAnswer.of(live_job(rows, calls("ShowLiveSearch"), search_id))


@live.post("/{search_id}/stop")
def stop_search(search_id: _Id, rows: RowsHere, calls: Calls) -> LiveAnswer:
    """Have a live search end; what it told is kept for 7 days."""
    job = stop_live(rows, calls("StopLiveSearch"), search_id)
    return LiveAnswer.of(as_live_job(rows, job))


@live.get("/{search_id}/sightings", responses={200: {"content": {EVENTS: {}}}})
def show_sightings(
    search_id: _Id,
    request: Request,
    home: HomeHere,
    calls: Calls,
    listeners: ListenersHere,
    accept: Annotated[
        str, Header(description=f"With {EVENTS}, sightings are sent as they happen.")
    ] = "",
    last_event_id: Annotated[
        str | None, Header(description="The last event that came, to go on behind it.")
    ] = None,
    after: Annotated[int, Query(ge=0, lt=10**_LONGEST_ID)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> SightingsAnswer:
    """Give what a live search told behind the sighting `after`; or, as events, what it tells."""
    if EVENTS not in accept:
        caller = calls("ShowSightings")
        return SightingsAnswer.of(sightings_after(home, caller, search_id, after, limit), after)
    caller = calls("ListenToSightings")
    listeners.require_place(caller.principal.id)
    behind = after if last_event_id is None else _number(last_event_id)
    listening = Listening(home, caller, search_id, behind)
    first = listening.first()
    setattr(request.state, STREAM_STATE, partial(_events, listening, first, listeners))
    # FastAPI takes what is a response as it is.
    return Response(media_type=EVENTS, headers={"x-accel-buffering": "no"})  # type: ignore[return-value]


async def _events(
    listening: Listening, page: SightingsPage | None, listeners: Listeners, over: asyncio.Event
) -> AsyncGenerator[bytes, None]:
    """Give events until the search has ended, or nobody listens any more."""
    with listeners.place(listening.caller.principal.id):
        yield b"retry: 2000\n\n"
        said_s, is_first = time.monotonic(), True
        while not over.is_set():
            if page is not None and not (page.sightings or is_first):
                yield event("end", LiveAnswer.of(page.of).model_dump_json())
                return
            for sighting in () if page is None else page.sightings:
                answer = SightingAnswer.of(listening.job_id, sighting)
                yield event("sighting", answer.model_dump_json(), str(sighting.number))
            if page is None or is_first:
                if time.monotonic() > said_s + _BEAT_S:
                    yield b": nothing new\n\n"
                    said_s = time.monotonic()
                await wait_within(over, _LOOK_S)
            is_first = False
            page = await run_in_threadpool(listening.more)


def _number(last_event_id: str) -> int:
    if not (last_event_id.isdecimal() and last_event_id.isascii()) or (
        len(last_event_id) > _LONGEST_ID
    ):
        raise InvalidRequest("Last-Event-ID is the id of no event. Leave it out to begin anew.")
    return int(last_event_id)
