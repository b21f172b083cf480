"""What there is of video: clips are sent and jobs begun, and each job is a line of a list."""

import json
from collections.abc import Mapping
from dataclasses import replace

from likeness.console.forms import Form
from likeness.console.pages.in_force.rules import names_of_keys
from likeness.console.pages.video.words import (
    clip_name,
    collection_options,
    footage_options,
    job_row,
    purpose_options,
)
from likeness.console.router import Pages
from likeness.console.visit import Download, Page, Redirect, Visit, link
from likeness.errors import InvalidRequest, KeyUnusable, NotFound
from likeness.jobs import Job
from likeness.service.live.asked import LIVE_SEARCH
from likeness.service.live.manage import as_live_job
from likeness.service.redact.asked import Manner, Whom
from likeness.service.uses import Caller
from likeness.service.video.asked import Asked, BucketClip, ClipAct, Hiding, UploadedClip
from likeness.service.video.clip_files import asked_of
from likeness.service.video.manage import jobs_of, required_job
from likeness.service.video.start import start_detection, start_redaction, start_search
from likeness.service.video.uploads import MOST_AT_ONCE
from likeness.terms import Action, moment
from likeness.video import LOOK_EVERY_S, Sampling, Style

overview = Pages()

_A_PAGE = 25
# Slow lines send one within the minute that a body has.
_PIECE_BYTES = 2 << 20
_LONGEST_NAME = 255


@overview.shows("/video", Action.READ)
def show_video(visit: Visit) -> Page:
    """Show jobs, and what begins another."""
    every = jobs_of(visit.home, visit.caller("ListJobs"))
    number = _page_number(visit)
    listed = every[_A_PAGE * number : _A_PAGE * (number + 1)]
    may_search, names = visit.may(Action.DETECT), names_of_keys(visit)
    values = {
        "jobs": [_line(visit, one, names) for one in listed],
        "page": number,
        "is_last": len(every) <= _A_PAGE * (number + 1),
        "may_search": may_search,
        "may_watch": visit.may(Action.WATCH),
        "shows_everybodys": visit.may(Action.GOVERN),
        "piece_bytes": _PIECE_BYTES,
        "collections": collection_options(visit) if may_search else [],
        "purposes": purpose_options(visit),
        "footages": footage_options(visit),
        **choices_of(visit),
    }
    return Page("video/overview.html", values)


def choices_of(visit: Visit) -> dict[str, list[tuple[str, str]]]:
    """Name what can be done with a clip, and how faces are hidden."""
    return {
        "acts": [(one.value, visit.t(f"video.act.{one.value}")) for one in _ACTS],
        "whoms": [(one.value, visit.t(f"video.whom.{one.value}")) for one in Whom],
        "styles": [(one.value, visit.t(f"video.style.{one.value}")) for one in Style],
    }


_ACTS = (ClipAct.SEARCH, ClipAct.DETECT, ClipAct.REDACT)


@overview.does("/video/pieces", Action.DETECT)
def take_piece(visit: Visit) -> Download:
    """Take a piece of a clip that a script sends; the first makes room for all of it."""
    form, uploads, who = visit.form, visit.offered.uploads, visit.principal.id
    clip_id = form.text("clip") or uploads.begin(who, _count(form.text("bytes")))
    piece = form.file("piece")
    if piece is None or len(piece.content) > MOST_AT_ONCE:
        raise InvalidRequest(f"A piece has 1 to {MOST_AT_ONCE} bytes. Send such a one.")
    uploads.add(who, clip_id, _count(form.text("offset") or "0"), piece.content)
    return Download(json.dumps({"clip": clip_id}).encode(), "application/json")


@overview.does("/video", Action.DETECT, again=show_video)
def begin(visit: Visit) -> Redirect:
    """Begin a job over a clip that was sent, of another job, or in a bucket."""
    job = begin_job(visit, _place(visit))
    return Redirect(link("video", "jobs", job.id), visit.t("video.begun"))


def begin_job(visit: Visit, place: BucketClip | UploadedClip) -> Job:
    """Begin what a form asks for over a clip."""
    form, home, buckets = visit.form, visit.home, visit.offered.buckets
    with visit.about("act"):
        if form.text("act") not in set(ClipAct):
            raise InvalidRequest("Choose what is to be done with the clip.")
        act = ClipAct(form.text("act"))
    asked = Asked(place=place, sampling=_sampling(visit, act))
    if act is ClipAct.DETECT:
        return start_detection(home, buckets, _caller(visit, "StartFaceDetection"), asked)
    if act is ClipAct.SEARCH:
        with visit.about("collection"):
            caller = _caller(visit, "StartFaceSearch")
            return start_search(home, buckets, caller, _collection(visit), asked)
    hiding = _hiding(visit)
    collection = None if hiding.whom is Whom.ALL else _collection(visit)
    with visit.about("collection"):
        caller = _caller(visit, "StartRedaction")
        return start_redaction(home, buckets, caller, collection, replace(asked, hiding=hiding))


def _line(visit: Visit, job: Job, names: Mapping[str, str]) -> dict[str, object]:
    is_live = job.act == LIVE_SEARCH
    try:
        if is_live:
            name: str = as_live_job(visit.home, job).asked.source
        else:
            name = clip_name(asked_of(visit.home, job))
    except (KeyUnusable, NotFound, ValueError):  # damaged, or deleted meanwhile
        name = visit.t("video.unreadable")
    href = link("video", "live" if is_live else "jobs", job.id)
    by = names.get(job.principal_id, job.principal_id)
    return {**job_row(visit, job), "name": name, "href": href, "by": by}


def _place(visit: Visit) -> BucketClip | UploadedClip:
    """Say where the clip lies that a form names; one that comes with the form is kept first."""
    form, uploads, who = visit.form, visit.offered.uploads, visit.principal.id
    if form.text("of"):
        return place_of_job(visit, form.text("of"))
    if form.text("bucket") or form.text("key"):
        with visit.about("bucket"):
            if not (form.text("bucket") and form.text("key")):
                raise InvalidRequest("A clip in a bucket has a bucket and a name. Give both.")
            return BucketClip(form.text("bucket"), form.text("key"))
    with visit.about("file"):
        if form.text("clip"):
            size, called = _count(form.text("clip_bytes")), _called(form.text("clip_name"))
            return uploads.finish(who, form.text("clip"), size, called)
        file = form.file("file")
        if file is None:
            raise InvalidRequest("No clip is chosen. Choose a file, or name one in a bucket.")
        clip_id = uploads.begin(who, len(file.content))
        uploads.add(who, clip_id, 0, file.content)
        # Where something else is refused, it need not be sent again.
        sent = {"clip": clip_id, "clip_bytes": str(len(file.content)), "clip_name": file.name}
        visit.form = Form({**form.fields, **{name: [value] for name, value in sent.items()}})
        return uploads.finish(who, clip_id, len(file.content), _called(file.name))


def place_of_job(visit: Visit, job_id: str) -> BucketClip | UploadedClip:
    """Say where the clip of a job lies, to do something else with it."""
    job = required_job(visit.home, visit.caller("ShowJob"), job_id)
    if job.act not in set(ClipAct):
        raise NotFound("This job is over no clip. Look among the live searches.")
    place = asked_of(visit.home, job).place
    if not isinstance(place, BucketClip | UploadedClip):
        raise InvalidRequest("The clip of this job was named at the command line. Use it there.")
    return place


def _sampling(visit: Visit, act: ClipAct) -> Sampling:
    form, every_s = visit.form, 0.0 if act is ClipAct.REDACT else LOOK_EVERY_S
    with visit.about("from"):
        from_s = moment(form.text("from")) if form.text("from") else 0.0
    with visit.about("to"):
        to_s = moment(form.text("to")) if form.text("to") else None
        return Sampling(every_s, from_s, to_s)


def _hiding(visit: Visit) -> Hiding:
    form = visit.form
    with visit.about("whom"):
        if form.text("whom") not in set(Whom):
            raise InvalidRequest("Choose whose faces are hidden.")
    with visit.about("style"):
        if form.text("style") not in set(Style):
            raise InvalidRequest("Choose what is seen in place of a face.")
    manner = Manner(Style(form.text("style")), careful=not form.has("fast"))
    return Hiding(Whom(form.text("whom")), manner)


def _collection(visit: Visit) -> str:
    with visit.about("collection"):
        if not visit.form.text("collection"):
            raise InvalidRequest("Choose the collection whose people are looked for.")
        return visit.form.text("collection")


def _caller(visit: Visit, operation: str) -> Caller:
    form = visit.form
    stated = {name: form.text(name) or None for name in ("case", "warrant", "footage")}
    return visit.caller(operation, form.text("purpose"), **stated)


def _called(name: str) -> str:
    """Give what a clip is called: the last part of what a browser says, as far as it prints."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(one for one in last if one.isprintable())[:_LONGEST_NAME] or "clip"


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise InvalidRequest("This did not come from the page whole. Choose the clip again.")
    return int(text)


def _page_number(visit: Visit) -> int:
    text = visit.query.get("page", "0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
