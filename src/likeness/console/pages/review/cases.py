"""The queue of cases, and one case: the face that was searched for, by itself first."""

from likeness.console.pages.review.inputs import (
    case_of,
    chosen,
    is_unblurred,
    one_line,
    page_of,
    said_of_features,
)
from likeness.console.pages.review.words import as_image, blurring, facts_of_face, state_of
from likeness.console.router import Pages
from likeness.console.visit import Page, Redirect, Visit, link
from likeness.review import Clarity, Feature, ProbeNote, Standing, Suitability
from likeness.service.review import cases as acts
from likeness.service.review.cases import SeenCase
from likeness.service.review.compare import note_probe, show_probe
from likeness.terms import Action

review = Pages()

_AT_A_TIME = 50
_ORDER = ("yours", "unauthorised", "others", "own", "authorised", "empty", "decided")


@review.shows("/review", Action.REVIEW)
def show_queue(visit: Visit) -> Page:
    """Show which cases there are, those first that wait for whoever looks."""
    facts = acts.list_cases(visit.home, visit.caller("ListCases"))
    states = [(state_of(one, visit), one) for one in facts]
    states.sort(key=lambda pair: _ORDER.index(pair[0]))
    yours = sum(state == "yours" for state, _ in states)
    listed, page, more = page_of(states, visit.query.get("page", ""), _AT_A_TIME)
    values = {"cases": listed, "yours": yours, "page": page, "more": more, "count": len(states)}
    return Page("review/queue.html", values)


@review.shows("/review/{case:uuid}", Action.REVIEW, sees=True)
def show_case(visit: Visit) -> Page:
    """Show a case; the face that was searched for alone, until its features are noted."""
    seen = acts.show_case(visit.home, visit.caller("ShowCase"), case_of(visit))
    probe = None
    if seen.probe_picture:
        probe = show_probe(
            visit.home, visit.caller("ShowFace"), case_of(visit), unblurred=is_unblurred(visit)
        )
    case = seen.facts.case
    values = {
        "seen": seen,
        "case": case,
        "state": state_of(seen.facts, visit),
        "probe": None if probe is None else as_image(probe.level_jpeg or probe.jpeg),
        "probe_kept": None if probe is None else as_image(probe.jpeg),
        "measured": facts_of_face(probe),
        "features": list(Feature),
        "clarities": list(Clarity),
        "suitabilities": list(Suitability),
        "is_own": case.principal_id == visit.principal.id,
        **blurring(visit, case.purpose),
    }
    return Page("review/case.html", values)


@review.does("/review/{case:uuid}", Action.REVIEW, again=show_case, sees=True)
def keep_note(visit: Visit) -> Redirect:
    """Note the features of the face that was searched for."""
    form, case_id = visit.form, case_of(visit)
    suitability = chosen(visit, "suitability", Suitability)
    with visit.about("features"):
        features = said_of_features(form, Clarity)
        note = ProbeNote(suitability, features)
    with visit.about("remark"):
        note = ProbeNote(suitability, features, one_line(form.text("remark")))
    note_probe(visit.home, visit.caller("NoteProbe"), case_id, note)
    seen = acts.show_case(visit.home, visit.caller("ShowCase"), case_id)
    suffix = str(blurring(visit, seen.facts.case.purpose)["suffix"])
    return Redirect(next_of(seen, visit) + suffix, visit.t("review.noted"))


@review.does("/review/{case:uuid}/consent", Action.AUTHORISE, again=show_case, sees=True)
def consent(visit: Visit) -> Redirect:
    """Record that an authority consents."""
    form = visit.form
    with visit.about("authority" if not form.text("authority") else "number"):
        acts.authorise_case(
            visit.home,
            visit.caller("AuthoriseCase"),
            case_of(visit),
            one_line(form.text("authority")),
            one_line(form.text("number")),
        )
    return Redirect(link("review", case_of(visit)), visit.t("review.consented"))


@review.shows("/review/{case:uuid}/consent", Action.AUTHORISE)
def show_consent(visit: Visit) -> Redirect:
    """Go to the case whose consent is recorded."""
    return Redirect(link("review", case_of(visit)))


def next_of(seen: SeenCase, visit: Visit) -> str:
    """Give the page of the next candidate whom they have not decided about, else of the case."""
    case_id = seen.facts.case.id
    for one in seen.candidates:
        judged = any(given.reviewer_id == visit.principal.id for given in one.verdicts)
        if one.standing is Standing.OPEN and not judged and seen.facts.yours:
            return link("review", case_id, one.number)
    return link("review", case_id)
