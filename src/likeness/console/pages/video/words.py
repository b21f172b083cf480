"""What pages about video say of jobs, people and matches, from the texts of the reader's language.

`labels_of` names the people of a clip: by their names, or by a number of their kind.
"""

from collections import Counter
from collections.abc import Mapping

from markupsafe import Markup

from likeness.console.drawing import minute, rate, similarity
from likeness.console.visit import Visit
from likeness.jobs import Job
from likeness.service.enrol.collections import list_collections
from likeness.service.video.asked import Asked, ClipAct
from likeness.service.video.seen import ClipMatch, ClipPerson, ClipSeen
from likeness.terms import UNDECLARED, Footage


def job_row(visit: Visit, job: Job) -> dict[str, object]:
    """Say of a job how far it is, as lists and its own page have it."""
    percent = min(100, 100 * job.done_ms // job.total_ms) if job.total_ms else 0
    return {
        "id": job.id,
        "act": job.act,
        "state": job.state.value,
        "said": visit.t(f"video.state.{job.state.value}"),
        "ended": job.state.ended,
        "percent": 100 if job.state.value == "succeeded" else percent,
        "made_at": minute(job.made_at),
    }


def clip_name(asked: Asked) -> str:
    """Give what the clip of a job is called."""
    return getattr(asked.place, "called", None) or asked.place.name


def labels_of(visit: Visit, seen: ClipSeen, act: str) -> Mapping[int, str]:
    """Say what each person of a clip is called, by number."""
    counts: Counter[str] = Counter()
    found: dict[int, str] = {}
    for person in seen.people:
        kind = kind_of(person, act)
        if kind == "known" and person.match is not None:
            found[person.number] = person.match.name
        else:
            counts[kind] += 1
            found[person.number] = visit.t(f"video.who.{kind}", number=counts[kind])
    return found


def kind_of(person: ClipPerson, act: str) -> str:
    """Say what sort of answer there is of a person."""
    if person.match is not None:
        return "known"
    if person.withheld:
        return "withheld"
    if act != ClipAct.SEARCH:
        return "person"
    return "stranger" if person.seen_well else "unclear"


def match_said(visit: Visit, match: ClipMatch) -> Markup:
    """Say in words how like somebody a person is."""
    return visit.t(
        "video.match",
        similarity=similarity(match.similarity),
        rate=rate(visit.t, match.fmr, extrapolated=match.extrapolated),
        agreeing=match.agreeing,
        looks=match.looks,
    )


def collection_options(visit: Visit) -> list[tuple[str, str]]:
    """Name the collections that there are to choose from."""
    every = list_collections(visit.home, visit.caller("ListCollections"))
    return [("", visit.t("video.choose")), *((one.name, one.name) for one in every)]


def purpose_options(visit: Visit) -> list[tuple[str, str]]:
    """Name the purposes that somebody may state."""
    granted = visit.principal.purposes
    return [("", visit.t("video.first_purpose")), *((one, one) for one in granted)]


def footage_options(visit: Visit) -> list[tuple[str, str]]:
    """Name the sorts of source."""
    return [
        ("" if one == UNDECLARED else one.value, visit.t(f"video.footage.{one.value}"))
        for one in Footage
    ]
