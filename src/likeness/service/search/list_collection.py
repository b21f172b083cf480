"""Who is in a collection, and as what? A page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection

from likeness.errors import InvalidRequest
from likeness.gallery import Collections, Reference, Subject

T = TypeVar("T")

MOST_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list; `after` is where the next begins, None at the end of the list."""

    listed: Sequence[T]
    total: int
    after: int | None


@dataclass(frozen=True, slots=True)
class ListedSubject:
    """A subject and how many references they have."""

    subject: Subject
    references: int


@dataclass(frozen=True, slots=True)
class ListedReference:
    """A reference and whose it is, None where nobody named it."""

    reference: Reference
    subject: Subject | None


def list_subjects(
    collections: Collections, name: str, *, after: int, limit: int
) -> Page[ListedSubject]:
    """List subjects in the order they came.

    Raises:
        NotFound: there is no such collection.
        InvalidRequest: the limit is too low or too high.
    """
    _check_limit(limit)

    def read(connection: Connection) -> Page[ListedSubject]:
        collection = collections.named(connection, name)
        subjects = collection.within(connection).subjects
        found = subjects.page(after=after, limit=limit + 1)
        sizes = subjects.sizes([one.number for one in found])
        return _page(
            [ListedSubject(one, sizes.get(one.number, 0)) for one in found],
            [one.number for one in found],
            collection.size.subjects,
            limit,
        )

    return collections.database.read(read)


def list_references(
    collections: Collections,
    name: str,
    *,
    subject: str | None = None,
    after: int,
    limit: int,
) -> Page[ListedReference]:
    """List references in the order they came, all or those of the subject of a name.

    Raises:
        NotFound: there is no such collection or subject.
        InvalidRequest: the limit is too low or too high.
    """
    _check_limit(limit)

    def read(connection: Connection) -> Page[ListedReference]:
        collection = collections.named(connection, name)
        rows = collection.within(connection)
        number, total = None, collection.size.references
        if subject is not None:
            number = rows.subjects.get(subject).number
            total = rows.subjects.sizes([number]).get(number, 0)
        found = rows.references.page(after=after, limit=limit + 1, subject_number=number)
        known = rows.subjects.of(found)
        return _page(
            [ListedReference(one, known.get(one.subject_number or 0)) for one in found],
            [one.number for one in found],
            total,
            limit,
        )

    return collections.database.read(read)


def _page(listed: Sequence[T], numbers: Sequence[int], total: int, limit: int) -> Page[T]:
    """Make a page of one more than it holds, where there is one."""
    return Page(listed[:limit], total, numbers[limit - 1] if len(listed) > limit else None)


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MOST_AT_ONCE:
        raise InvalidRequest(f"{limit} is no number to list at once. Give 1 to {MOST_AT_ONCE}.")
