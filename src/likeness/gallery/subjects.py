"""Who is in a collection? Subjects, as functions over a connection."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, insert, select

from likeness.errors import AlreadyExists, KeyUnusable, NotFound
from likeness.gallery import collections
from likeness.gallery.seal import Seal
from likeness.gallery.tables import REFERENCES, SUBJECTS
from likeness.storage import OneOf
from likeness.terms import checked_name, composed, spellings


@dataclass(frozen=True, slots=True)
class Subject:
    """A person in a collection; `number` is what indexes know them by."""

    number: int
    id: UUID
    name: str
    created_at: datetime


_COLUMNS = [SUBJECTS.c[name] for name in ("number", "id", "sealed_name", "created_at")]
_NUMBERED = OneOf(
    SUBJECTS.c.number,
    lambda some: select(*_COLUMNS).where(
        SUBJECTS.c.collection_id == bindparam("collection_id"), some
    ),
)


def create(connection: Connection, seal: Seal, name: str, now: datetime) -> Subject:
    """Make a subject without references.

    Raises:
        InvalidRequest: the name cannot be kept.
        AlreadyExists: the collection has one of that name, however it is spelt.
    """
    if (known := find(connection, seal, name)) is not None:
        raise AlreadyExists(
            f"a new subject was expected and {known.id} has that name: enrol references of theirs"
        )
    ensured(connection, seal, [name], now)
    return get(connection, seal, name)


def ensured(
    connection: Connection, seal: Seal, names: Sequence[str], now: datetime
) -> dict[str, tuple[int, UUID]]:
    """Give the numbers and ids of subjects by name; those that the collection lacks are made.

    Raises:
        InvalidRequest: a name cannot be kept.
        KeyUnusable: a row was changed so that another subject has the name's digest.
    """
    known = _spelt(connection, seal, names)
    there = {
        name: (found[0].number, found[0].id)
        for name in names
        if (found := [known[one] for one in spellings(name) if one in known])
    }
    ids = {composed(name): uuid4() for name in names if name not in there}
    rows = [
        {
            "id": one,
            "collection_id": seal.collection_id,
            "sealed_name": seal.name(one, name),
            "name_digest": seal.name_digest(name),
            "created_at": now,
        }
        for name, one in ids.items()
    ]
    if rows:
        made = insert(SUBJECTS).returning(SUBJECTS.c.number, sort_by_parameter_order=True)
        numbers = dict(zip(ids, connection.execute(made, rows).scalars(), strict=True))
        for name in names:
            if name not in there:
                there[name] = numbers[composed(name)], ids[composed(name)]
        collections.grow(connection, seal.collection_id, subjects=len(rows))
    return there


def find(connection: Connection, seal: Seal, name: str) -> Subject | None:
    """Find a subject by name, in the spelling that came before any other; None if there is none.

    Raises:
        InvalidRequest: the name is none that can be kept.
        KeyUnusable: a row was changed so that another subject has the name's digest.
    """
    return next(iter(of_any_spelling(connection, seal, name)), None)


def of_any_spelling(connection: Connection, seal: Seal, name: str) -> list[Subject]:
    """Find the subjects of a name, the one whose spelling came first; two where they differ.

    Raises:
        InvalidRequest: the name is none that can be kept.
        KeyUnusable: a row was changed so that another subject has the name's digest.
    """
    known = _spelt(connection, seal, [name])
    return [known[one] for one in spellings(name) if one in known]


def get(connection: Connection, seal: Seal, name: str) -> Subject:
    """Find a subject by name.

    Raises:
        InvalidRequest: the name is none that can be kept.
        NotFound: there is none.
    """
    subject = find(connection, seal, name)
    if subject is None:
        raise NotFound(
            "a subject of that name was expected and there is none: check the spelling; reports of"
            " `likeness enrol` have the names"
        )
    return subject


def by_id(connection: Connection, seal: Seal, subject_id: UUID) -> Subject:
    """Find a subject by id.

    Raises:
        NotFound: the collection has none.
    """
    for subject in _read(connection, seal, SUBJECTS.c.id == subject_id):
        return subject
    raise NotFound(
        f"a subject was expected and {subject_id} is none of this collection's, or is erased:"
        " nothing was done"
    )


def by_ids(connection: Connection, seal: Seal, ids: Sequence[UUID]) -> list[Subject]:
    """Find subjects by id, in the order they came; those that do not exist are left out."""
    return _read(connection, seal, SUBJECTS.c.id.in_(ids))


def by_numbers(connection: Connection, seal: Seal, numbers: Iterable[int]) -> dict[int, Subject]:
    """Find subjects by number; those that do not exist are left out."""
    rows = _NUMBERED.all(connection, list(numbers), collection_id=seal.collection_id)
    return {row.number: _subject(seal, row) for row in rows}


def page(connection: Connection, seal: Seal, *, after: int = 0, limit: int = 1000) -> list[Subject]:
    """List at most `limit` subjects whose number is above `after`, in the order they came."""
    return _read(connection, seal, SUBJECTS.c.number > after, limit)


def sizes(connection: Connection, seal: Seal, numbers: Iterable[int]) -> dict[int, int]:
    """Count the references of subjects, by number; those that have none are left out."""
    column = REFERENCES.c.subject_number
    counted = select(column, func.count()).where(
        REFERENCES.c.collection_id == seal.collection_id, column.in_(list(numbers))
    )
    return {number: count for number, count in connection.execute(counted.group_by(column))}


def _read(
    connection: Connection, seal: Seal, chosen: ColumnElement[bool], limit: int | None = None
) -> list[Subject]:
    rows = connection.execute(
        select(*_COLUMNS)
        .where(SUBJECTS.c.collection_id == seal.collection_id, chosen)
        .order_by(SUBJECTS.c.number)
        .limit(limit)
    )
    return [_subject(seal, row) for row in rows]


def _spelt(connection: Connection, seal: Seal, names: Iterable[str]) -> dict[str, Subject]:
    """Find the subjects of names, by the spelling in which each is kept."""
    by_digest = {
        seal.name_digest(spelling): spelling
        for name in names
        if checked_name(name, "a subject's name")
        for spelling in spellings(name)
    }
    columns = [*_COLUMNS, SUBJECTS.c.name_digest]
    rows = connection.execute(
        select(*columns).where(
            SUBJECTS.c.collection_id == seal.collection_id, SUBJECTS.c.name_digest.in_(by_digest)
        )
    )
    known = {by_digest[row.name_digest]: _subject(seal, row) for row in rows}
    for spelling, subject in known.items():
        _require_name(subject, spelling)
    return known


def _require_name(subject: Subject, name: str) -> None:
    # Digests are in the clear: one that was moved would let another be enrolled to, or erased.
    if subject.name != name:
        raise KeyUnusable(
            f"the name of subject {subject.id} was expected to be as Likeness wrote it and its"
            " digest was changed from outside: restore the row from a backup"
        )


def _subject(seal: Seal, row: Row[Any]) -> Subject:
    return Subject(row.number, row.id, seal.opened_name(row.id, row.sealed_name), row.created_at)
