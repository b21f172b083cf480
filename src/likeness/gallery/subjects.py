"""Who is in a collection? Subjects, as functions over a connection."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, insert, select

from likeness.errors import AlreadyExists, NotFound
from likeness.gallery.names import checked_name
from likeness.gallery.seal import Seal
from likeness.gallery.tables import SUBJECTS


@dataclass(frozen=True, slots=True)
class Subject:
    """A person in a collection; `number` is what indexes know them by."""

    number: int
    id: UUID
    name: str
    created_at: datetime


def create(connection: Connection, seal: Seal, name: str, now: datetime) -> Subject:
    """Make a subject without references.

    Raises:
        InvalidRequest: the name cannot be kept.
        AlreadyExists: the collection has one of that name.
    """
    if (known := find(connection, seal, name)) is not None:
        raise AlreadyExists(
            f"a new subject was expected and {known.id} has that name: enrol references of theirs"
        )
    subject_id = uuid4()
    row = {
        "id": subject_id,
        "collection_id": seal.collection_id,
        "sealed_name": seal.name(subject_id, checked_name(name, "a subject's name")),
        "name_digest": seal.name_digest(name),
        "created_at": now,
    }
    number = connection.execute(insert(SUBJECTS).returning(SUBJECTS.c.number), row).scalar_one()
    return Subject(number, subject_id, name, now)


def find(connection: Connection, seal: Seal, name: str) -> Subject | None:
    """Find a subject by name; None where there is none.

    Raises:
        InvalidRequest: the name is none that can be kept.
    """
    digest = seal.name_digest(checked_name(name, "a subject's name"))
    return next(iter(_read(connection, seal, SUBJECTS.c.name_digest == digest)), None)


def get(connection: Connection, seal: Seal, name: str) -> Subject:
    """Find a subject by name.

    Raises:
        InvalidRequest: the name is none that can be kept.
        NotFound: there is none.
    """
    subject = find(connection, seal, name)
    if subject is None:
        raise NotFound("a subject of that name was expected and there is none: list the subjects")
    return subject


def by_id(connection: Connection, seal: Seal, subject_id: UUID) -> Subject:
    """Find a subject by id.

    Raises:
        NotFound: the collection has none.
    """
    for subject in _read(connection, seal, SUBJECTS.c.id == subject_id):
        return subject
    raise NotFound(f"a subject was expected and {subject_id} is none: list the subjects")


def by_numbers(connection: Connection, seal: Seal, numbers: Iterable[int]) -> dict[int, Subject]:
    """Find subjects by number; those that do not exist are left out."""
    chosen = SUBJECTS.c.number.in_(list(numbers))
    return {subject.number: subject for subject in _read(connection, seal, chosen)}


def page(connection: Connection, seal: Seal, *, after: int = 0, limit: int = 1000) -> list[Subject]:
    """List at most `limit` subjects whose number is above `after`, in the order they came."""
    return _read(connection, seal, SUBJECTS.c.number > after, limit)


def _read(
    connection: Connection, seal: Seal, chosen: ColumnElement[bool], limit: int | None = None
) -> list[Subject]:
    columns = [SUBJECTS.c[name] for name in ("number", "id", "sealed_name", "created_at")]
    rows = connection.execute(
        select(*columns)
        .where(SUBJECTS.c.collection_id == seal.collection_id, chosen)
        .order_by(SUBJECTS.c.number)
        .limit(limit)
    )
    return [
        Subject(row.number, row.id, seal.opened_name(row.id, row.sealed_name), row.created_at)
        for row in rows
    ]
