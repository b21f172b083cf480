"""One candidate beside the face that was searched for, and the verdict."""

from likeness.console.pages.review.cases import next_of
from likeness.console.pages.review.inputs import (
    case_of,
    chosen,
    is_unblurred,
    one_line,
    said_of_features,
)
from likeness.console.pages.review.words import as_image, blurring, facts_of_face
from likeness.console.router import Pages
from likeness.console.visit import Page, Redirect, Visit, link
from likeness.errors import InvalidRequest, NotFound
from likeness.review import Feature, Finding, Findings, Standing, Support, Verdict
from likeness.service.review import cases as acts
from likeness.service.review.cases import SeenCandidate, SeenCase
from likeness.service.review.compare import (
    LEVEL_SIZE,
    Pair,
    Regions,
    ShownFace,
    show_pair,
    show_regions,
)
from likeness.terms import Action

pairs = Pages()


@pairs.shows("/review/{case:uuid}/{number:int}", Action.REVIEW, sees=True)
def show_candidate(visit: Visit) -> Page | Redirect:
    """Show a candidate beside the face that was searched for."""
    seen = acts.show_case(visit.home, visit.caller("ShowCase"), case_of(visit))
    if seen.owes_note:
        return Redirect(link("review", case_of(visit)), visit.t("review.note_first"))
    pair = show_pair(
        visit.home,
        visit.caller("ShowFace"),
        case_of(visit),
        _number(visit),
        unblurred=is_unblurred(visit),
    )
    return _page(visit, seen, pair, None)


@pairs.does(
    "/review/{case:uuid}/{number:int}/regions", Action.REVIEW, again=show_candidate, sees=True
)
@pairs.shows("/review/{case:uuid}/{number:int}/regions", Action.REVIEW, sees=True)
def show_what_counts(visit: Visit) -> Page | Redirect:
    """Show which regions of both faces made them alike or different to the network."""
    seen = acts.show_case(visit.home, visit.caller("ShowCase"), case_of(visit))
    if seen.owes_note:
        return Redirect(link("review", case_of(visit)), visit.t("review.note_first"))
    pair, probe, candidate = show_regions(
        visit.home,
        visit.caller("ShowRegions"),
        case_of(visit),
        _number(visit),
        unblurred=is_unblurred(visit),
    )
    return _page(visit, seen, pair, (probe, candidate))


@pairs.does("/review/{case:uuid}/{number:int}", Action.REVIEW, again=show_candidate, sees=True)
def decide(visit: Visit) -> Redirect:
    """Give a verdict on a candidate."""
    form = visit.form
    support = chosen(visit, "support", Support)
    with visit.about("features"):
        findings = Findings(support, said_of_features(form, Finding))
    with visit.about("reason"):
        reason = one_line(form.text("reason"))
        if not reason:
            raise InvalidRequest(visit.t("review.no_reason"))
        if len(reason) > 2000:
            raise InvalidRequest(f"The reason has {len(reason)} characters, of at most 2000.")
    case_id = case_of(visit)
    acts_seen = acts.show_case(visit.home, visit.caller("ShowCase"), case_id)
    if acts_seen.owes_note:
        return Redirect(link("review", case_id), visit.t("review.note_first"))
    seen = acts.decide_case(
        visit.home,
        visit.caller("DecideCase"),
        case_id,
        _number(visit),
        support.verdict,
        reason,
        findings,
    )
    standing = _candidate(seen, _number(visit)).standing
    said = visit.t(f"review.given.{standing}", number=_number(visit))
    suffix = str(blurring(visit, seen.facts.case.purpose)["suffix"])
    return Redirect(next_of(seen, visit) + suffix, said)


def _number(visit: Visit) -> int:
    return int(visit.params["number"])


def _candidate(seen: SeenCase, number: int) -> SeenCandidate:
    for one in seen.candidates:
        if one.number == number:
            return one
    raise NotFound(f"No such candidate of case {seen.facts.case.id}: {number}.")


def _page(
    visit: Visit, seen: SeenCase, pair: Pair, regions: tuple[Regions, Regions] | None
) -> Page:
    candidate, case = _candidate(seen, _number(visit)), seen.facts.case
    judged = any(one.reviewer_id == visit.principal.id for one in candidate.verdicts)
    has_both = pair.probe is not None and pair.candidate is not None
    values = {
        "seen": seen,
        "case": case,
        "candidate": candidate,
        "is_open": candidate.standing is Standing.OPEN and not judged,
        "faces": (
            ("probe", _shown(pair.probe), regions[0] if regions else None),
            ("candidate", _shown(pair.candidate), regions[1] if regions else None),
        ),
        "has_regions": regions is not None,
        "can_align": has_both
        and all(one and one.level_jpeg for one in (pair.probe, pair.candidate)),
        "level_size": LEVEL_SIZE,
        "features": list(Feature),
        "findings": list(Finding),
        "supports": [one for one in Support if has_both or one.verdict is Verdict.CANNOT_TELL],
        "has_both": has_both,
        **blurring(visit, case.purpose),
    }
    return Page("review/pair.html", values)


def _shown(face: ShownFace | None) -> dict[str, object] | None:
    if face is None:
        return None
    return {
        "kept": as_image(face.jpeg),
        "level": as_image(face.level_jpeg),
        "zoom": face.zoom,
        "measured": facts_of_face(face),
    }
