"""The check of a collection: whom it mixes up or misses, and what to mend."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from markupsafe import Markup

from likeness.console.background import Tell
from likeness.console.drawing import rate
from likeness.console.pages.background_acts import begin, last_act
from likeness.console.router import Pages
from likeness.console.visit import Page, Redirect, Visit, link
from likeness.service.enrol.check_subjects import check_subjects
from likeness.service.enrol.collections import describe_collection
from likeness.service.enrol.findings import Findings, show_findings
from likeness.terms import Action, one_in

checking = Pages()

_KIND = "check"


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a look has found, and when it ended."""

    findings: Findings
    at: datetime


@checking.shows("/collections/{name}/check", Action.SEARCH)
def show_check(visit: Visit) -> Page:
    """Show what the last look found that is not mended yet."""
    name = visit.params["name"]
    last = last_act(visit, _KIND, name)
    looked: _Looked | None = last.answer
    found = None
    if looked is None:
        of = describe_collection(visit.home, visit.caller("DescribeCollection"), name)
    else:
        found = show_findings(visit.home, visit.caller("ShowFindings"), name, looked.findings)
        of = found.collection
    values = {
        "of": of,
        "found": found,
        "looked_at": None if looked is None else looked.at,
        "work": last.work,
        "failed": last.failed,
        "one_in": one_in,
        "rate": partial(rate, visit.t),
        "often": partial(_often, visit),
        "fpir": visit.home.fpir,
    }
    return Page("subjects/check.html", values)


def _often(visit: Visit, expected: float | None) -> Markup:
    """Say how many false candidates a search gives, as people say it."""
    if expected is None:
        return visit.t("check.unknown")
    if expected >= 0.1:
        return visit.t("check.in_each", number=f"{expected:,.{0 if expected >= 10 else 1}f}")
    return visit.t("check.one_in", rate=one_in(expected))


@checking.does("/collections/{name}/check", Action.SEARCH, again=show_check)
def check(visit: Visit) -> Redirect:
    """Look through the collection."""
    name = visit.params["name"]
    act = partial(
        check_subjects, visit.home, visit.caller("CheckSubjects", visit.form.text("purpose")), name
    )

    def look(tell: Tell) -> _Looked:
        return _Looked(Findings.of(act(tell=tell)), visit.home.clock())

    begin(visit, _KIND, look, name)
    return Redirect(link("collections", name, "check"))
