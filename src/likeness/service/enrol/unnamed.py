"""Unnamed faces that are likely one person's: list them, set them aside, and list them again."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from sqlalchemy import Connection

from likeness.gallery import Collection, CollectionRows, Reference, Subject
from likeness.service.enrol.proposals import ProposedPerson
from likeness.service.uses import Caller, Outcome, Rows
from likeness.terms import Action


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """A proposed person as they are now: the faces that are nobody's still, and whom they are like.

    `shown` are the first of them.
    """

    proposed: ProposedPerson
    reference_ids: tuple[UUID, ...]
    shown: tuple[Reference, ...]
    like: Subject | None


@dataclass(frozen=True, slots=True)
class ListedUnnamed:
    """The first of some proposed people of whom something is left, and how many are `left` in all.

    `are_any`, and `are_any_set_aside`, are of all unnamed faces.
    """

    collection: Collection
    people: tuple[ListedPerson, ...]
    left: int
    are_any: bool
    are_any_set_aside: bool


def list_unnamed(
    rows: Rows,
    caller: Caller,
    name: str,
    people: Sequence[ProposedPerson],
    *,
    limit: int,
    shown: int,
) -> ListedUnnamed:
    """List proposed people: faces that were named or set aside since are left out, or all of one.

    Of each of `limit` people so many faces are `shown`.

    Raises:
        NoSuchCollection: there is none.
    """
    of = rows.collection(caller, Action.READ, name)

    def read(its: CollectionRows) -> ListedUnnamed:
        wanted = [each for one in people for each in one.reference_ids]
        numbers = {one.id: one.number for one in its.unnamed.among(wanted)}
        left = [
            (one, ids)
            for one in people
            if (ids := tuple(each for each in one.reference_ids if each in numbers))
        ]
        some = left[:limit]
        read = its.references.by_numbers(
            numbers[each] for _, ids in some for each in islice(ids, shown)
        )
        known = {one.id: one for one in read.values()}
        alike = [one.like_id for one, _ in some if one.like_id is not None]
        like = {one.id: one for one in its.subjects.by_ids(alike)}
        listed = tuple(
            ListedPerson(
                one,
                ids,
                tuple(known[each] for each in ids[:shown] if each in known),
                None if one.like_id is None else like.get(one.like_id),
            )
            for one, ids in some
        )
        are_any = bool(its.unnamed.page(limit=1))
        return ListedUnnamed(of, listed, len(left), are_any, its.unnamed.are_any_set_aside())

    with rows.record(caller, Action.READ, of) as record:
        listed = of.read(read)
        record.answered(Outcome(faces=sum(len(one.shown) for one in listed.people)))
    return listed


def set_aside(rows: Rows, caller: Caller, name: str, reference_ids: Sequence[UUID]) -> int:
    """Propose some unnamed faces no more; say how many those are.

    They stay enrolled, and searches find them as before.

    Raises:
        NoSuchCollection: there is none.
    """
    of = rows.collection(caller, Action.ARRANGE, name)

    def put_aside(connection: Connection) -> list[UUID]:
        return of.within(connection).unnamed.set_aside(reference_ids, rows.clock())

    with rows.record(caller, Action.ARRANGE, of) as record:
        return len(record.write(put_aside, lambda ids: Outcome(reference_ids=tuple(ids))))


def propose_again(rows: Rows, caller: Caller, name: str) -> int:
    """Propose all faces again that were set aside; say how many those are.

    Raises:
        NoSuchCollection: there is none.
    """
    of = rows.collection(caller, Action.ARRANGE, name)
    with rows.record(caller, Action.ARRANGE, of) as record:
        return record.write(
            lambda connection: of.within(connection).unnamed.list_again(),
            lambda count: Outcome(faces=count),
        )
