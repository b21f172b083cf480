"""Live searches: begun, followed as they tell of people, and ended."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from functools import partial

from starlette.concurrency import run_in_threadpool

from likeness.console.drawing import draw_part, minute
from likeness.console.pages.video.words import (
    collection_options,
    footage_options,
    match_said,
    purpose_options,
)
from likeness.console.router import Pages
from likeness.console.streams import events
from likeness.console.visit import Page, Redirect, Streamed, Visit, link
from likeness.errors import InvalidRequest
from likeness.server import event, wait_within
from likeness.service.live.asked import LiveAsked
from likeness.service.live.listening import Listening
from likeness.service.live.manage import LiveJob, live_job, live_jobs_of, stop_live
from likeness.service.live.sighting import Sighting, SightingKind
from likeness.service.live.sightings import SightingsPage, last_sighting, sightings_after
from likeness.service.live.sources import list_sources
from likeness.service.live.start import start_live
from likeness.service.video.manage import told_of_failure
from likeness.terms import Action, LiveStatement

live = Pages()

_SHOWN = 100
_LOOK_S, _BEAT_S, _LONGEST_S = 0.3, 15.0, 300.0
_LONGEST_NUMBER = 12


@live.shows("/video/live", Action.WATCH)
def show_live(visit: Visit) -> Page:
    """List live searches, and show what begins another."""
    every = live_jobs_of(visit.home, visit.caller("ListLiveSearches"))
    sources = list_sources(visit.home, visit.caller("ListSources"))
    named = ((one.name, f"{one.name} ({one.place})" if one.place else one.name) for one in sources)
    values = {
        "searches": [_line(visit, one) for one in every[:_SHOWN]],
        "sources": [("", visit.t("video.choose")), *named],
        "collections": collection_options(visit),
        "purposes": purpose_options(visit),
        "footages": footage_options(visit),
    }
    return Page("video/live.html", values)


@live.does("/video/live", Action.WATCH, again=show_live)
def begin(visit: Visit) -> Redirect:
    """Begin a live search."""
    form = visit.form
    with visit.about("source"):
        source = _wanted(visit, "source", "Choose the camera or stream that is looked at.")
    with visit.about("collection"):
        collection = _wanted(visit, "collection", "Choose the collection of those looked for.")
    with visit.about("hours"):
        ends_at = visit.home.clock() + timedelta(hours=_hours(form.text("hours")))
    said = {name: form.text(name) or None for name in ("place", "authority", "criteria")}
    stated = {name: form.text(name) or None for name in ("case", "warrant", "footage")}
    caller = visit.caller("StartLiveSearch", form.text("purpose"), **stated)
    asked = LiveAsked(
        source=source, collection=collection, statement=LiveStatement(**said, ends_at=ends_at)
    )
    begun = start_live(visit.home, caller, asked)
    return Redirect(link("video", "live", begun.id), visit.t("video.live.begun"))


@live.shows("/video/live/{id}", Action.WATCH)
def show_search(visit: Visit) -> Page:
    """Show a live search, and the newest of what it told."""
    home, job_id = visit.home, visit.params["id"]
    search = live_job(home, visit.caller("ShowLiveSearch"), job_id)
    after = max(0, last_sighting(home, job_id) - _SHOWN)
    page = sightings_after(home, visit.caller("ShowSightings"), job_id, after, _SHOWN)
    told = [_said(visit, one) for one in reversed(page.sightings)]
    values = {
        **_line(visit, search),
        "search": search,
        "statement": search.asked.statement,
        "told": told,
        "last": page.sightings[-1].number if page.sightings else after,
        "reason": told_of_failure(search.job),
    }
    return Page("video/search.html", values)


@live.shows("/video/live/{id}/events", Action.WATCH)
def listen(visit: Visit) -> Streamed:
    """Tell what a live search tells, as it does."""
    caller = visit.caller("ListenToSightings")
    behind = visit.headers.get("last-event-id") or visit.query.get("after", "0")
    listening = Listening(visit.home, caller, visit.params["id"], _number(behind))
    return events(visit, partial(_events, visit, listening, listening.first()))


@live.does("/video/live/{id}/stop", Action.WATCH, again=show_search)
def stop(visit: Visit) -> Redirect:
    """Have a live search end."""
    job_id = visit.params["id"]
    stop_live(visit.home, visit.caller("StopLiveSearch"), job_id)
    return Redirect(link("video", "live", job_id), visit.t("video.live.stopping_now"))


def _line(visit: Visit, search: LiveJob) -> dict[str, object]:
    ends_at = search.asked.statement.ends_at
    return {
        "id": search.job.id,
        "source": search.asked.source,
        "collection": search.asked.collection,
        "state": search.state.value,
        "said": visit.t(f"video.live.state.{search.state.value}"),
        "ended": search.job.state.ended,
        "begun_at": minute(search.job.made_at),
        "ends_at": "" if ends_at is None else minute(ends_at),
        "case": search.case_id,
    }


def _said(visit: Visit, sighting: Sighting) -> dict[str, object]:
    """Say a sighting in words."""
    match, who = sighting.match, sighting.person
    kind = sighting.kind.value
    more = ""
    if sighting.kind is SightingKind.SOURCE:
        said = visit.t("video.told.source", remark=sighting.remark or "")
    elif sighting.kind is SightingKind.SEEN and match is None:
        said, kind = visit.t("video.told.withheld", who=who), "withheld"
    elif sighting.kind is SightingKind.SEEN and match is not None:
        verb = "seen" if match.match else "like"
        said, kind = visit.t(f"video.told.{verb}", who=who, name=match.name), verb
        more = match_said(visit, match)
    elif sighting.kind is SightingKind.LEFT and match is not None:
        said = visit.t("video.told.left_known", who=who, name=match.name)
    else:
        said = visit.t(f"video.told.{kind}", who=who)
    return {
        "number": sighting.number,
        "at": f"{sighting.at:%H:%M:%S}",
        "kind": kind,
        "said": said,
        "more": more,
        "case": sighting.case_id if sighting.withheld else None,
    }


async def _events(
    visit: Visit, listening: Listening, page: SightingsPage | None, over: asyncio.Event
) -> AsyncGenerator[bytes, None]:
    """Give events until the search has ended; whoever listens for long asks anew."""
    now_s = asyncio.get_running_loop().time
    ends_s, said_s, is_first = now_s() + _LONGEST_S, now_s(), True
    yield b"retry: 2000\n\n"
    while not over.is_set() and now_s() < ends_s:
        if page is not None and not (page.sightings or is_first):
            yield event("end", "")
            return
        if page is not None:
            yield event("state", visit.t(f"video.live.state.{page.of.state.value}"))
        for one in () if page is None else page.sightings:
            html = draw_part("video/sighting.html", visit, {"one": _said(visit, one)})
            yield event("sighting", html, str(one.number))
        if page is None or is_first:
            if now_s() > said_s + _BEAT_S:
                yield b": nothing new\n\n"
                said_s = now_s()
            await wait_within(over, _LOOK_S)
        is_first = False
        page = await run_in_threadpool(listening.more)


def _wanted(visit: Visit, name: str, otherwise: str) -> str:
    if not visit.form.text(name):
        raise InvalidRequest(otherwise)
    return visit.form.text(name)


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError as error:
        raise InvalidRequest("This is no number of hours. Give one such as 8.") from error
    if not 0 < hours <= 24 * 366:
        raise InvalidRequest("A search goes on for more than 0 hours and a year at most.")
    return hours


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
        raise InvalidRequest("This is the number of no sighting. Reload the page.")
    return int(text)
