"""Clips and copies for players, moments of them as pictures, and who is seen as captions."""

from typing import BinaryIO

from likeness.console.pages.video.words import labels_of
from likeness.console.router import Pages
from likeness.console.streams import part_of
from likeness.console.visit import Download, Streamed, Visit
from likeness.errors import InvalidRequest
from likeness.service.video.clip_files import moment_of, open_clip, open_copy
from likeness.service.video.results import people_seen
from likeness.terms import Action
from likeness.vision.encode import shown_jpeg

files = Pages()

_MP4 = "video/mp4"
_KINDS = ((4, b"ftyp", _MP4), (0, b"\x1aE\xdf\xa3", "video/webm"), (0, b"OggS", "video/ogg"))


@files.shows("/video/jobs/{id}/clip", Action.DETECT)
def play_clip(visit: Visit) -> Streamed:
    """Send the part of a clip that a player asks for."""
    file = open_clip(visit.home, visit.caller("ShowClip"), visit.params["id"])
    return part_of(visit, file, {"content-type": _kind(file)})


@files.shows("/video/jobs/{id}/copy", Action.DETECT)
def play_copy(visit: Visit) -> Streamed:
    """Send the part of a copy that a player asks for, or all of it to be saved."""
    job_id = visit.params["id"]
    file = open_copy(visit.home, visit.offered.uploads, visit.caller("ShowCopy"), job_id)
    kind = {"content-type": _MP4}
    if "save" in visit.query:
        kind["content-disposition"] = f'attachment; filename="redacted-{job_id[:8]}.mp4"'
    return part_of(visit, file, kind)


@files.shows("/video/jobs/{id}/moment", Action.DETECT, sees=True)
def show_moment(visit: Visit) -> Download:
    """Show a clip at a moment, for who has no player for it."""
    at_s, caller = moment_asked(visit) or 0.0, visit.caller("ShowMoment")
    return _still(open_clip(visit.home, caller, visit.params["id"]), at_s)


@files.shows("/video/jobs/{id}/copy/moment", Action.DETECT, sees=True)
def show_moment_of_copy(visit: Visit) -> Download:
    """Show a copy at a moment."""
    at_s, caller = moment_asked(visit) or 0.0, visit.caller("ShowMoment")
    file = open_copy(visit.home, visit.offered.uploads, caller, visit.params["id"])
    return _still(file, at_s)


@files.shows("/video/jobs/{id}/who.vtt", Action.DETECT)
def caption(visit: Visit) -> Download:
    """Say who is in view as captions of a player (WebVTT)."""
    job_id = visit.params["id"]
    found = people_seen(visit.home, visit.caller("ShowPeople"), None, job_id)
    lines = ["WEBVTT", ""]
    if found.seen is not None:
        labels = labels_of(visit, found.seen, found.of.job.act)
        for person in found.seen.people:
            for span in person.intervals:
                end_s = max(span.ends_s, span.begins_s + 0.1)
                lines += [f"{_stamp(span.begins_s)} --> {_stamp(end_s)}"]
                lines += [_as_cue(labels[person.number]), ""]
    return Download("\n".join(lines).encode(), "text/vtt; charset=utf-8")


def moment_asked(visit: Visit, name: str = "at") -> float | None:
    """Read the moment that an address names; None where it names none.

    Raises:
        InvalidRequest: it is none.
    """
    text = visit.query.get(name, "")
    if not text:
        return None
    try:
        at_s = float(text)
    except ValueError as error:
        raise InvalidRequest("This is no moment of a clip. Choose one on the page.") from error
    if not 0 <= at_s < 1e6:
        raise InvalidRequest("This is no moment of a clip. Choose one on the page.")
    return at_s


def _still(file: BinaryIO, at_s: float) -> Download:
    return Download(shown_jpeg(moment_of(file, at_s)), "image/jpeg")


def _kind(file: BinaryIO) -> str:
    """Say what sort of clip a file is as far as browsers play it, by how it begins."""
    head = file.read(12)
    found = (kind for at, mark, kind in _KINDS if head[at : at + len(mark)] == mark)
    return next(found, "application/octet-stream")


def _stamp(seconds: float) -> str:
    whole_ms = round(1000 * seconds)
    minutes, rest_ms = divmod(whole_ms, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest_ms // 1000:02}.{rest_ms % 1000:03}"


def _as_cue(text: str) -> str:
    """Give a text as a cue: nothing in it is a tag, or ends it."""
    plain = " ".join(str(text).split()) or "-"
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
