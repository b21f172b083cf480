"""A job over a clip: how far it is, who is seen when, corrections, and what was hidden."""

import asyncio
import json
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import partial
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from likeness.console.pages.video.files import moment_asked
from likeness.console.pages.video.overview import begin_job, choices_of, place_of_job
from likeness.console.pages.video.words import (
    clip_name,
    collection_options,
    footage_options,
    job_row,
    kind_of,
    labels_of,
    match_said,
    purpose_options,
)
from likeness.console.router import Pages
from likeness.console.streams import events
from likeness.console.visit import Page, Redirect, Streamed, Visit, link
from likeness.errors import InvalidClip, InvalidRequest, NotFound
from likeness.jobs import KEPT, Job, JobState
from likeness.server import event, wait_within
from likeness.service.redact.findings import DoubtfulPlace
from likeness.service.redact.jobs import Redaction, redaction_of
from likeness.service.uses import opens_blurred
from likeness.service.video.asked import Asked, ClipAct
from likeness.service.video.clip_files import (
    asked_of,
    is_kept_here,
    purpose_of,
    remove_clip_of,
)
from likeness.service.video.correct import correct_sighting
from likeness.service.video.kept import ClipFacts
from likeness.service.video.manage import required_job, show_job, stop_job, told_of_failure
from likeness.service.video.results import people_seen
from likeness.service.video.seen import ClipPerson, ClipSeen, Correction, Said
from likeness.terms import Action, Box, clock

job = Pages()

_WIDTH, _MOST_ROWS = 1000, 200
_LOOK_S, _LONGEST_S = 0.5, 300.0


@job.shows("/video/jobs/{id}", Action.READ)
def show_one_job(visit: Visit) -> Page:
    """Show a job over a clip, and what it found."""
    job_id = visit.params["id"]
    shown = show_job(visit.home, visit.caller("ShowJob"), job_id)
    if shown.act not in set(ClipAct):
        raise NotFound("This job is over no clip. Look among the live searches.")
    asked = asked_of(visit.home, shown)
    values = {
        **_facts(visit, shown, asked),
        "at": moment_asked(visit),
        "clip_here": is_kept_here(asked) and visit.may(Action.DETECT),
        "seen": None,
        "redaction": None,
        "blurred": opens_blurred(purpose_of(visit.home, shown)) and "unblurred" not in visit.query,
    }
    if shown.state is JobState.SUCCEEDED and visit.may(Action.DETECT):
        if shown.act == ClipAct.REDACT:
            of, redaction = redaction_of(visit.home, visit.caller("ShowRedaction"), job_id)
            if redaction is not None and of.facts is not None:
                values["redaction"] = _redaction(visit, redaction, of.facts)
        else:
            found = people_seen(visit.home, visit.caller("ShowPeople"), None, job_id)
            if found.seen is not None:
                values["seen"] = _timeline(visit, found.seen, shown.act)
    return Page("video/job.html", values)


@job.shows("/video/jobs/{id}/progress", Action.READ)
def follow_job(visit: Visit) -> Streamed:
    """Tell how far a job is, as it goes on."""
    shown = show_job(visit.home, visit.caller("ShowJob"), visit.params["id"])
    return events(visit, partial(_progress, visit, shown))


@job.does("/video/jobs/{id}/cancel", Action.DETECT, again=show_one_job)
def cancel(visit: Visit) -> Redirect:
    """Cancel a job."""
    job_id = visit.params["id"]
    stop_job(visit.home, visit.caller("CancelJob"), job_id)
    return Redirect(link("video", "jobs", job_id), visit.t("video.cancelled"))


@job.does("/video/jobs/{id}/again", Action.DETECT, again=show_one_job)
def do_more(visit: Visit) -> Redirect:
    """Do something else with the clip of a job."""
    begun = begin_job(visit, place_of_job(visit, visit.params["id"]))
    return Redirect(link("video", "jobs", begun.id), visit.t("video.begun"))


@job.does("/video/jobs/{id}/correct", Action.DETECT, again=show_one_job)
def correct(visit: Visit) -> Redirect:
    """Say who a person of a clip is, whatever was found."""
    job_id, number = visit.params["id"], _number(visit.form.text("person"))
    caller = visit.caller("CorrectSighting")
    correct_sighting(visit.home, caller, job_id, number, _correction(visit))
    return Redirect(link("video", "jobs", job_id), visit.t("video.corrected"))


@job.does("/video/jobs/{id}/remove-clip", Action.DETECT, again=show_one_job)
def remove_clip(visit: Visit) -> Redirect:
    """Delete the clip of a job from the server."""
    job_id = visit.params["id"]
    remove_clip_of(visit.home, visit.caller("RemoveClip"), job_id)
    return Redirect(link("video", "jobs", job_id), visit.t("video.clip_removed"))


def _correction(visit: Visit) -> Correction | None:
    said, _, whom = visit.form.text("verdict").partition(":")
    match said:
        case "found":
            return None
        case "nobody":
            return Correction(Said.NOBODY, by=visit.principal.id)
        case "is":
            try:
                return Correction(Said.IS, UUID(whom), by=visit.principal.id)
            except ValueError as error:
                raise InvalidRequest("Choose somebody from the list.") from error
        case "same":
            return Correction(Said.SAME, other=_number(whom), by=visit.principal.id)
    raise InvalidRequest("Choose who it is.")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 9):
        raise InvalidRequest("Choose somebody from the list.")
    return int(text)


def _facts(visit: Visit, shown: Job, asked: Asked) -> dict[str, object]:
    may_search, sampling, of = visit.may(Action.DETECT), asked.sampling, shown.collection_id
    until = None if sampling.to_s is None else clock(sampling.to_s)
    return {
        "job": job_row(visit, shown),
        "name": clip_name(asked),
        "collection": None if of is None else visit.home.name_of_collection(of),
        "part": None if not (sampling.from_s or until) else (clock(sampling.from_s), until),
        "hiding": asked.hiding,
        "reason": told_of_failure(shown),
        "can_be_read": shown.failure != InvalidClip.__name__,
        "kept_until": None if shown.ended_at is None else f"{shown.ended_at + KEPT:%Y-%m-%d}",
        "may_search": may_search,
        "collections": collection_options(visit) if may_search else [],
        "purposes": purpose_options(visit),
        "footages": footage_options(visit),
        **choices_of(visit),
    }


def _timeline(visit: Visit, seen: ClipSeen, act: str) -> dict[str, object]:
    """Draw who is seen when: a line for each person, as wide as the part that was looked at."""
    labels, at = labels_of(visit, seen, act), moment_asked(visit)
    scale = _WIDTH / max(seen.to_s - seen.from_s, 0.001)
    first = _first_row(visit)
    listed = seen.people[first : first + _MOST_ROWS]
    rows = [_row(visit, one, act, labels[one.number], seen.from_s, scale) for one in listed]
    clip = seen.clip
    return {
        "rows": rows,
        "before": max(0, first - _MOST_ROWS) if first else None,
        "after": first + _MOST_ROWS if len(seen.people) > first + _MOST_ROWS else None,
        "others": [
            (one.number, labels[one.number]) for one in seen.people[:_MOST_ROWS] if not one.withheld
        ],
        "from": clock(seen.from_s),
        "to": clock(seen.to_s),
        "from_s": seen.from_s,
        "lasts_s": max(seen.to_s - seen.from_s, 0.001),
        "clip": f"{clip.width}x{clip.height}, {clip.codec}",
        "size": (clip.width, clip.height),
        "remarks": seen.remarks,
        "cases": seen.case_ids,
        "boxes": [] if at is None else _boxes(seen.people, labels, at),
    }


def _first_row(visit: Visit) -> int:
    text = visit.query.get("first", "0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0


def _row(
    visit: Visit, person: ClipPerson, act: str, label: str, from_s: float, scale: float
) -> dict[str, object]:
    matches = [
        {
            "name": one.name,
            "said": match_said(visit, one),
            "match": one.match,
            "reference": one.reference_id,
        }
        for one in person.candidates
    ]
    spans = [
        {
            "at": _at(one.begins_s),
            "x": round(scale * (one.begins_s - from_s), 2),
            "width": round(max(3.0, scale * (one.ends_s - one.begins_s)), 2),
            "said": f"{clock(one.begins_s)}-{clock(one.ends_s)}",
        }
        for one in person.intervals
    ]
    return {
        "number": person.number,
        "correction": None if person.correction is None else person.correction.said.value,
        "joined": [number + 1 for number in person.joined],
        "withheld": person.withheld,
        "label": label,
        "kind": kind_of(person, act),
        "matches": matches,
        "case": person.case_id,
        "decided": person.decided,
        "best": None if person.best_s is None else (_at(person.best_s), clock(person.best_s)),
        "spans": spans,
    }


def _at(seconds: float) -> float:
    """Give a moment for an address, never before the one that is meant: nobody is there yet."""
    return math.ceil(100 * seconds) / 100


def _boxes(
    people: Sequence[ClipPerson], labels: Mapping[int, str], at: float
) -> list[tuple[Box, str]]:
    found = ((one.box_at(at), labels[one.number]) for one in people)
    return [(box, label) for box, label in found if box is not None]


def _redaction(visit: Visit, redaction: Redaction, facts: ClipFacts) -> dict[str, object]:
    """Say what was hidden, and where a person should look."""
    at = moment_asked(visit)
    return {
        "tracks": redaction.tracks,
        "copy_at": None if at is None else round(max(0.0, at - facts.from_ms / 1000), 2),
        "hidden": redaction.hidden,
        "frames": redaction.frames,
        "sound": redaction.sound,
        "remarks": redaction.remarks,
        "size": (facts.clip.width, facts.clip.height),
        "places": [_place(visit, one) for one in redaction.places],
        "visible": [
            (_at(one.begins_s), f"{clock(one.begins_s)}-{clock(one.ends_s)}")
            for one in redaction.visible
        ],
        "boxes": []
        if at is None
        else [(one.box, "") for one in redaction.places if one.begins_s <= at <= one.ends_s + 0.01],
    }


def _place(visit: Visit, place: DoubtfulPlace) -> dict[str, object]:
    return {
        "at": _at(place.begins_s),
        "said": f"{clock(place.begins_s)}-{clock(place.ends_s)}",
        "doubts": [visit.t(f"video.doubt.{one.name.lower()}") for one in place.doubts],
        "px": round(min(place.box.width, place.box.height)),
    }


async def _progress(visit: Visit, shown: Job, over: asyncio.Event) -> AsyncGenerator[bytes, None]:
    """Tell of a job until it has ended; whoever listens for long asks anew."""
    home, job_id, said = visit.home, shown.id, ""
    read = partial(required_job, home, visit.caller("ShowJob"), job_id)
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + _LONGEST_S
    while not over.is_set() and loop.time() < ends_s:
        row = job_row(visit, await run_in_threadpool(read))
        told = {name: row[name] for name in ("percent", "said", "state", "ended")}
        if (data := json.dumps(told)) != said:
            said = data
            yield event("progress", data)
        if row["ended"]:
            return
        await wait_within(over, _LOOK_S)
