"""What whoever changes subjects should look at: people who do not look alike, or do after all.

Told only where rules let the caller search, since it says who looks alike.
"""

from collections.abc import Collection as CollectionOf
from collections.abc import Sequence
from uuid import UUID

from likeness.gallery import Collection, CollectionRows, Subject
from likeness.service.enrol.enrolled_looks import alike_from, are_told_apart, templates_of
from likeness.service.enrol.unlike import count_unlike
from likeness.service.uses import Rows

_LOOK = "See whether they are one person."


def told_of_merge(
    rows: Rows, of: Collection, its: CollectionRows, gone: Sequence[Subject], into: Subject
) -> list[str]:
    """Say of each who is to be merged whether they look like none, or were told apart."""
    remarks = []
    for one in gone:
        who = f"{one.name}: " if len(gone) > 1 else ""
        theirs = [each.id for each in its.references.of_subject(one.id)]
        remarks += [who + said for said in _unlike(rows, of, its, theirs, into, "merged")]
        if are_told_apart(rows, its, one, into):
            remarks.append(f"{who}People told the two apart in a review. {_LOOK}")
    return remarks


def told_of_split(
    rows: Rows,
    of: Collection,
    its: CollectionRows,
    subject: Subject,
    reference_ids: CollectionOf[UUID],
) -> list[str]:
    """Say whether references that are to be split off look like those that stay."""
    alike = alike_from(rows, of)
    if alike is None:
        return []
    every = its.references.of_subject(subject.id)
    off, rest = (
        templates_of(of, its, [one for one in every if (one.id in reference_ids) is is_off])
        for is_off in (True, False)
    )
    like = len(off) - count_unlike(off, rest, alike) if rest else 0
    if not like:
        return []
    which = "All" if like == len(off) else f"{like} of {len(off)}"
    return [
        f"{which} references split off look like some of the others. See whether they are two"
        " people."
    ]


def told_of_given(
    rows: Rows,
    of: Collection,
    its: CollectionRows,
    to: Subject | None,
    reference_ids: Sequence[UUID],
) -> list[str]:
    """Say whether references that somebody is to get look like none of those that they have."""
    return [] if to is None else _unlike(rows, of, its, reference_ids, to, "added")


def _unlike(
    rows: Rows,
    of: Collection,
    its: CollectionRows,
    reference_ids: Sequence[UUID],
    to: Subject,
    what: str,
) -> list[str]:
    alike = alike_from(rows, of)
    if alike is None:
        return []
    some = templates_of(of, its, its.references.known(reference_ids))
    rest = templates_of(of, its, its.references.of_subject(to.id))
    unlike = count_unlike(some, rest, alike)
    if not unlike:
        return []
    which = "All" if unlike == len(some) else f"{unlike} of {len(some)}"
    return [f"{which} {what} references look like none of the others. {_LOOK}"]
