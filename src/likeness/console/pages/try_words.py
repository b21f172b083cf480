"""Faces, comparisons and searches in words, for whoever reads a page."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from likeness.console.drawing import similarity
from likeness.console.visit import Visit
from likeness.service.search.identify import Candidate, Identification, Identified
from likeness.service.search.named import Named
from likeness.service.search.naming import Naming
from likeness.service.search.pictures import ComparedFace, ComparedFaces
from likeness.terms import Face, one_in

_IDENTICAL = 100.0
# What a head may be turned by without anybody calling it turned.
_STRAIGHT_DEGREES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceInWords:
    """A face: how fit it is to be recognised, and facts of it; marked as a `kind`."""

    face: Face
    label: str
    title: Markup
    quality: Markup
    is_fit: bool
    facts: tuple[tuple[Markup, Markup | str], ...]
    kind: str = "found"
    says: Markup | str = ""
    more: tuple[Markup | str, ...] = ()
    others: tuple[Markup | str, ...] = ()


def face_in_words(
    visit: Visit,
    face: Face,
    label: str,
    *,
    title: Markup | None = None,
    kind: str = "found",
    says: Markup | str = "",
    more: tuple[Markup | str, ...] = (),
    others: tuple[Markup | str, ...] = (),
) -> FaceInWords:
    """Say what there is to say of a face, and before it what came of it."""
    t, quality = visit.t, face.quality
    reasons = Markup(", ").join(t(f"quality.{reason}") for reason in quality.reasons)
    return FaceInWords(
        face=face,
        label=label,
        title=title or t("try.face", number=label),
        quality=t("try.fit") if quality.fit_to_enrol else t("try.unfit", reasons=reasons),
        is_fit=quality.fit_to_enrol,
        facts=(
            (t("try.size"), t("try.size_px", count=round(quality.size))),
            (t("try.sharpness"), t("try.of_100", number=round(quality.sharpness))),
            (t("try.brightness"), t("try.of_100", number=round(quality.brightness))),
            (t("try.pose"), _pose(visit, face)),
            (t("try.confidence"), f"{100 * face.confidence:.1f}%"),
        ),
        kind=kind,
        says=says,
        more=more,
        others=others,
    )


def _pose(visit: Visit, face: Face) -> Markup:
    pose = face.pose
    turns = [
        ("right" if pose.yaw > 0 else "left", pose.yaw),
        ("up" if pose.pitch > 0 else "down", pose.pitch),
        ("clockwise" if pose.roll > 0 else "anticlockwise", pose.roll),
    ]
    said = [
        visit.t(f"try.turned.{way}", degrees=round(abs(degrees)))
        for way, degrees in turns
        if abs(degrees) >= _STRAIGHT_DEGREES
    ]
    return Markup(", ").join(said) if said else visit.t("try.straight")


def compared_in_words(visit: Visit, found: ComparedFaces) -> tuple[FaceInWords, ...]:
    """Say of every face of the second picture whether it is likely the same person's."""
    compared = len(found.matches) + len(found.others)
    t, unlike = visit.t, no_match_in_words(visit)
    matches = [
        face_in_words(
            visit,
            one.face,
            str(number),
            kind="match",
            says=_same(visit, one, compared),
            more=(
                *_extrapolated(visit, is_so=one.expected.extrapolated),
                t("try.similarity", similarity=similarity(one.similarity)),
                *_alike(visit, one),
            ),
        )
        for number, one in enumerate(found.matches, 1)
    ]
    others = [
        face_in_words(visit, one.face, str(number), kind="other", says=unlike)
        for number, one in enumerate(found.others, len(matches) + 1)
    ]
    return (*matches, *others)


def no_match_in_words(visit: Visit) -> Markup:
    """Say what a comparison asks for that a face does not reach; how alike it is stays untold."""
    return visit.t("try.no_match", rate=one_in(visit.home.fmr))


def _same(visit: Visit, one: ComparedFace, compared: int) -> Markup:
    t, expected = visit.t, one.expected
    if one.similarity >= _IDENTICAL:
        return t("try.same_picture")
    rate = one_in(expected.by_any)
    if compared == 1:
        return t("try.same", rate=rate)
    return t("try.same_among", rate=rate, count=compared)


def _alike(visit: Visit, one: ComparedFace) -> tuple[Markup, ...]:
    rate = one.expected.by_those_at_hand
    if rate is None or one.similarity >= _IDENTICAL:
        return ()
    return (visit.t("try.at_hand.alike", rate=one_in(rate)),)


def searched_in_words(visit: Visit, named: Named, faces: Sequence[FaceInWords]) -> Markup | str:
    """Say first what came of a search."""
    t = visit.t
    if named.identified.withheld:
        return t("try.withheld")
    if not named.naming.compared:
        return t("try.empty")
    if not faces:
        return no_face_in_words(visit, named.search.located.search.smallest_face)
    if len(faces) == 1:
        return faces[0].says
    matches = sum(one.match is not None for one in named.identified.faces)
    return t("try.named_of", count=matches, faces=len(faces))


def compared_with(visit: Visit, named: Named) -> tuple[Markup, ...]:
    """Say how many references a search looked through; nothing of none."""
    naming = named.naming
    if not naming.compared:
        return ()
    expected = f"{naming.expected_false:.2g}"
    return (visit.t("try.compared_with", count=naming.compared, expected=expected),)


def cases_in_words(visit: Visit, identified: Identified) -> Markup | str:
    """Say why people are asked, and who acts now; nothing where they have decided."""
    if identified.decided or not identified.case_ids:
        return ""
    return visit.t(f"try.asked.{'owed' if identified.withheld else 'unsettled'}")


def no_face_in_words(visit: Visit, smallest_px: float) -> Markup:
    """Say that no face was found, and what a face has to be like."""
    return visit.t("try.no_face", smallest=round(smallest_px))


def named_in_words(visit: Visit, named: Named) -> tuple[FaceInWords, ...]:
    """Say of every face of a picture who of the collection it likely is."""
    withheld = named.identified.withheld
    return tuple(
        _named(visit, one, str(number), named.naming, withheld=withheld)
        for number, one in enumerate(named.identified.faces, 1)
    )


def _named(
    visit: Visit, one: Identification, label: str, naming: Naming, *, withheld: bool
) -> FaceInWords:
    t, match = visit.t, one.match
    others = tuple(
        _candidate(visit, other, naming) for other in one.candidates[0 if match is None else 1 :]
    )
    if match is None:
        says = _unnamed(visit, one, withheld=withheld)
        return face_in_words(visit, one.face, label, kind="other", says=says, others=others)
    more: tuple[Markup, ...] = (
        *_extrapolated(visit, is_so=naming.calibration.is_extrapolated(match.comparison.score)),
        t("try.similarity", similarity=similarity(match.similarity)),
        *_at_hand(visit, match, naming),
    )
    if match.similarity >= _IDENTICAL:
        says, more = t("try.is_picture_of", name=who_it_is(visit, match)), ()
    else:
        says = t("try.is", name=who_it_is(visit, match), rate=_rate_of(visit, match, naming))
    title = t("try.face_named", number=label, name=match.subject or match.external_id or match.name)
    return face_in_words(
        visit, one.face, label, title=title, kind="match", says=says, more=more, others=others
    )


def who_it_is(visit: Visit, one: Candidate) -> Markup:
    """Say who somebody is; of a face that nobody named, what a client called it, or its id."""
    if one.subject is not None:
        return Markup.escape(one.subject)
    if one.external_id is not None:
        return visit.t("try.unnamed_called", external_id=one.external_id)
    return visit.t("try.unnamed", id=one.name)


def _unnamed(visit: Visit, one: Identification, *, withheld: bool) -> Markup:
    """Say of a face that it has no name, and that somebody is much alike where that is so."""
    t, best = visit.t, next(iter(one.candidates), None)
    if withheld:
        return t("try.face_withheld")
    if best is None or best.verdict.unnamed_because is None:
        return t("try.nobody")
    return t("try.nobody_sure", name=who_it_is(visit, best))


def _candidate(visit: Visit, one: Candidate, naming: Naming) -> Markup:
    """Say how alike somebody is who is not named, or named beside another, and why that is."""
    t, also = visit.t, "also" if one.match else "next"
    said = t(
        f"try.{also}",
        name=who_it_is(visit, one),
        similarity=similarity(one.similarity),
        rate=_rate_of(visit, one, naming),
    )
    why = one.verdict.unnamed_because
    return said if why is None else Markup(" ").join((said, why))


def _at_hand(visit: Visit, one: Candidate, naming: Naming) -> tuple[Markup, ...]:
    rate = one.verdict.fmr_at_hand
    return () if rate is None else (visit.t(f"try.at_hand.{naming.whose}", rate=one_in(rate)),)


def _rate_of(visit: Visit, one: Candidate, naming: Naming) -> Markup:
    rate = Markup.escape(one_in(one.fmr))
    return visit.t("try.at_most", rate=rate) if one.fmr <= naming.calibration.lowest_fmr else rate


def _extrapolated(visit: Visit, *, is_so: bool) -> tuple[Markup, ...]:
    return (visit.t("try.extrapolated"),) if is_so else ()
