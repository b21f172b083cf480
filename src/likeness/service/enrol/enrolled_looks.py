"""What the people of a collection look like: their templates, and what people said of two."""

from collections.abc import Iterable

from likeness import review
from likeness.errors import NotFound
from likeness.gallery import Collection, CollectionRows, KnownReference, Reference, Subject
from likeness.service.enrol.unlike import FMR
from likeness.service.uses import Rows
from likeness.terms import Template

MOST_COMPARED = 200
"""Of one person so many templates say what they look like."""


def alike_from(rows: Rows, of: Collection) -> float | None:
    """Give the score from which two templates look alike; None where nobody measured scores."""
    try:
        return rows.calibration_of(of).point(FMR).threshold
    except NotFound:
        return None


def templates_of(
    of: Collection, its: CollectionRows, references: Iterable[Reference | KnownReference]
) -> list[Template]:
    """Read the templates of one person's references, as the collection's cohort sees them.

    Of very many, the first so many.
    """
    numbers = [one.number for one in references][:MOST_COMPARED]
    read = its.references.templates(numbers)
    kept = [read[one] for one in numbers if one in read]
    if any(one.cohort.version != of.cohort_version for one in kept):
        return list(of.as_evened_out(kept))
    return kept


def are_told_apart(rows: Rows, its: CollectionRows, one: Subject, other: Subject) -> bool:
    """Say whether people told two subjects apart, or references of theirs, in a review."""
    if not review.is_anything_kept_of(its.connection, its.collection.id):
        return False
    some, others = (
        {each.id, *(reference.id for reference in its.references.of_subject(each.id))}
        for each in (one, other)
    )
    return review.are_told_apart(its.connection, rows.keyring, its.collection.id, some, others)
