"""Finds whether somebody who was just enrolled is known under another name.

That is a search, so it is done only where the rules let its caller search and owe nobody's look;
who is told of is on record, as one who was found. People who were told apart are not proposed.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

from likeness.errors import Denied, LikenessError
from likeness.gallery import Candidate, CollectionRows, OpenCollection, Reference, Subject
from likeness.service.enrol.enrolled_looks import are_told_apart
from likeness.service.search.search import named_from
from likeness.service.uses import OF_PEOPLE, Caller, Home, Outcome, Record
from likeness.terms import Action, Decision, Duty, Template

_logger = logging.getLogger(__name__)

# Somebody's own name takes one place of a search, and their own references many.
_FEW = 4
_MOST_OWN = 50


@dataclass(frozen=True, slots=True, eq=False)
class LooksLike:
    """An enrolled face that looks like a subject of another name; `similarity` is 0 to 100."""

    reference: Reference
    subject: Subject
    similarity: float

    @property
    def remark(self) -> str:
        """Say so; what is no 100 is not said to be."""
        similarity = math.floor(100 * self.similarity) / 100
        return (
            f"looks like {self.subject.name!r} as well (similarity {similarity:g}): see whether"
            " they are one person"
        )


def look_alikes(
    home: Home,
    caller: Caller,
    of: OpenCollection,
    record: Record,
    enrolled: Sequence[tuple[Reference, Template]],
) -> dict[int, LooksLike]:
    """Find who is known under another name, by the numbers of their references.

    Of each, the most alike whom a search would call a match. What stands against it, such as an
    index that is away, keeps nobody from being enrolled: nobody is told of then.
    """
    decision = record.decision_as(Action.SEARCH)
    if decision is None or not enrolled:
        return {}
    try:
        found = _found(home, of, decision, enrolled)
        if not found:
            return {}
        with home.record(caller, Action.SEARCH, of) as search:
            if any(one.duty in OF_PEOPLE for one in search.decision.obligations):
                found = []
            search.answered(
                Outcome(
                    faces=len(enrolled),
                    candidates=len(found),
                    subject_ids=tuple(dict.fromkeys(one.subject.id for one in found)),
                )
            )
    except Denied:
        return {}
    except LikenessError as error:
        _logger.warning("nobody was looked for under another name: %s", type(error).__name__)
        return {}
    return {one.reference.number: one for one in found}


def _found(
    home: Home,
    of: OpenCollection,
    decision: Decision,
    enrolled: Sequence[tuple[Reference, Template]],
) -> list[LooksLike]:
    naming = named_from(home, of, fmr=home.fmr, fpir=home.fpir)
    floor = decision.amount_of(Duty.SIMILARITY) or 0.0
    found = []
    for reference, template in _near(of, enrolled, naming.point.threshold):
        others = _others(of, reference, template)
        own_scores: Sequence[float | None] | None = of.own_scores(template, others)
        if own_scores is None:
            own_scores = [None] * len(others)
        for other, own_score in zip(others, own_scores, strict=True):
            score = other.comparison.score
            similarity = naming.calibration.similarity(score)
            if (
                naming.verdict(score, own_score).match
                and similarity >= floor
                and other.subject is not None
                and not _are_told_apart(home, of, reference, other)
            ):
                found.append(LooksLike(reference, other.subject, similarity))
                break
    return found


def _near(
    of: OpenCollection, enrolled: Sequence[tuple[Reference, Template]], threshold: float
) -> list[tuple[Reference, Template]]:
    """Give those that are near to somebody of another name: of most, that is all there is to do."""
    scored = of.nearest([template for _, template in enrolled], _MOST_OWN)
    return [
        one
        for one, found in zip(enrolled, scored, strict=True)
        if (
            (found.even >= threshold)
            & (found.groups > 0)
            & (found.groups != (one[0].subject_number or 0))
        ).any()
    ]


def _others(of: OpenCollection, reference: Reference, template: Template) -> list[Candidate]:
    """Give whom a face is like of those who are named otherwise, most alike first."""
    return [
        one
        for one in of.search(template, _FEW)
        if one.subject is not None and one.subject.number != reference.subject_number
    ]


def _are_told_apart(home: Home, of: OpenCollection, reference: Reference, other: Candidate) -> bool:
    subject = other.subject

    def read(its: CollectionRows) -> bool:
        own = its.subjects.of([reference]).values()
        return subject is not None and any(are_told_apart(home, its, one, subject) for one in own)

    return of.read(read)
