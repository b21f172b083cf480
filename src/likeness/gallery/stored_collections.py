"""The rows of collections, and their keys."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, bindparam, delete, insert, select, update

from likeness.errors import AlreadyExists, Conflict, InvalidRequest, KeyUnusable, NotFound
from likeness.gallery.seal import Seal
from likeness.gallery.tables import COLLECTIONS, REFERENCES, SUBJECTS, TAKEN_UP
from likeness.secrets import Keyring, count_by_key
from likeness.storage import legible, legible_rows
from likeness.terms import checked_name, spellings


@dataclass(frozen=True, slots=True)
class Size:
    """How much a collection holds."""

    subjects: int
    references: int


@dataclass(frozen=True, slots=True)
class StoredCollection:
    """What a collection is, as its row says, and how large it was then."""

    id: UUID
    name: str
    model: str
    dimensions: int
    cohort_version: str
    retention_days: int | None
    created_at: datetime
    size: Size = field(default=Size(0, 0), compare=False)

    def is_comparable_with(self, other: "StoredCollection | None") -> bool:
        """Whether what is known of one's templates holds for the other's."""
        return other is not None and (self.id, self.model, self.cohort_version) == (
            other.id,
            other.model,
            other.cohort_version,
        )


@dataclass(frozen=True, slots=True)
class Unit:
    """A transaction in a collection: its connection, the collection's key, and what it is."""

    connection: Connection
    seal: Seal
    collection: StoredCollection


_FIELDS = tuple(name for name in StoredCollection.__dataclass_fields__ if name != "size")
_COUNTS = (COLLECTIONS.c.subject_count, COLLECTIONS.c.reference_count)
_COLUMNS = [*(COLLECTIONS.c[name] for name in _FIELDS), *_COUNTS]
# Made once: every act comes here.
_NAMED = select(*_COLUMNS).where(COLLECTIONS.c.name == bindparam("name"))
_BY_ID = select(*_COLUMNS).where(COLLECTIONS.c.id == bindparam("collection_id"))
_SIZE = select(*_COUNTS).where(COLLECTIONS.c.id == bindparam("collection_id"))


def add(connection: Connection, keyring: Keyring, collection: StoredCollection) -> None:
    """Add an empty collection, with a key of its own.

    Raises:
        AlreadyExists: there is one of that name.
    """
    if _named(connection, collection.name) is not None:
        raise AlreadyExists(f"Collection {collection.name!r} exists. Choose another name.")
    _, sealed_key = keyring.new_data_key(key_context(collection.id))
    row = {name: getattr(collection, name) for name in _FIELDS}
    connection.execute(insert(COLLECTIONS), {**row, "sealed_key": sealed_key})


def get(connection: Connection, name: str) -> StoredCollection:
    """Find a collection by its name, however that is spelt.

    Raises:
        InvalidRequest: the name is none that can be kept.
        NotFound: there is none.
    """
    checked_name(name, "A collection's name")
    found = _named(connection, name)
    if found is None:
        raise NotFound(
            f"No such collection {name!r}. `likeness collections list` shows what there is,"
            " `likeness collections create` makes one."
        )
    return found


def by_id(connection: Connection, collection_id: UUID) -> StoredCollection | None:
    """Find a collection by its id; None where it is erased."""
    row = connection.execute(_BY_ID, {"collection_id": collection_id}).first()
    return None if row is None else _collection(row)


def required_by_id(connection: Connection, collection_id: UUID) -> StoredCollection:
    """Find a collection by its id.

    Raises:
        NotFound: it is erased.
    """
    found = by_id(connection, collection_id)
    if found is None:
        raise erased(collection_id)
    return found


def every(connection: Connection) -> list[StoredCollection]:
    """List all collections by name; damaged ones are left out."""
    rows = legible_rows(connection, COLLECTIONS.c.id, select(*_COLUMNS).order_by("name"))
    return legible(connection, COLLECTIONS.c.id, rows, _collection)


def every_id(connection: Connection) -> list[UUID]:
    """List the ids of all collections, damaged ones too."""
    return list(connection.execute(select(COLLECTIONS.c.id)).scalars())


def models_in_use(connection: Connection) -> dict[str, str]:
    """Give the model of every collection, by the collection's name."""
    return {one.name: one.model for one in every(connection)}


def size(connection: Connection, collection_id: UUID) -> Size:
    """Say how many subjects and references a collection has, none where it is erased."""
    row = connection.execute(_SIZE, {"collection_id": collection_id}).first()
    return Size(*(row or (0, 0)))


def everybody(connection: Connection, collection_id: UUID) -> list[UUID]:
    """List the ids of all subjects and references of a collection, and of whom they took up."""
    return [
        one
        for column in (SUBJECTS.c.id, REFERENCES.c.id, TAKEN_UP.c.subject_id)
        for one in connection.execute(
            select(column).where(column.table.c.collection_id == collection_id)
        ).scalars()
    ]


def grow(
    connection: Connection, collection_id: UUID, *, subjects: int = 0, references: int = 0
) -> None:
    """Keep the size up with rows that were added, or deleted where the numbers are negative."""
    change(
        connection,
        collection_id,
        subject_count=COLLECTIONS.c.subject_count + subjects,
        reference_count=COLLECTIONS.c.reference_count + references,
    )


def seal_of(connection: Connection, keyring: Keyring, collection: StoredCollection) -> Seal:
    """Open a collection's key.

    Raises:
        NotFound: the collection is erased.
        Conflict: it has switched to another model meanwhile.
        KeyUnusable: the installation's key is gone or another's.
    """
    row = connection.execute(
        select(COLLECTIONS.c.sealed_key, COLLECTIONS.c.model).where(
            COLLECTIONS.c.id == collection.id
        )
    ).first()
    if row is None:
        raise erased(collection.id)
    if row.model != collection.model:
        raise Conflict(
            f"Collection {collection.id} has switched from {collection.model} to {row.model}. Do it"
            " again."
        )
    return Seal(collection.id, keyring.open_data_key(row.sealed_key, key_context(collection.id)))


def rewrap_keys(connection: Connection, keyring: Keyring) -> int:
    """Seal with the installation's newest key what an older one seals; say how many that were.

    Raises:
        KeyUnusable: as for `Keyring.rewrap`.
    """
    rewrapped = 0
    for row in connection.execute(select(COLLECTIONS.c.id, COLLECTIONS.c.sealed_key)).all():
        sealed_key = keyring.rewrap(row.sealed_key, key_context(row.id))
        if sealed_key != row.sealed_key:
            change(connection, row.id, sealed_key=sealed_key)
            rewrapped += 1
    return rewrapped


def key_context(collection_id: UUID) -> bytes:
    """Say where a collection's key belongs: with rows that are proven."""
    return b"key of collection with proven rows " + collection_id.bytes


def counts_by_key(connection: Connection) -> Counter[str]:
    """Count the collections by the id of the installation's key that seals theirs."""
    sealed = connection.execute(select(COLLECTIONS.c.sealed_key)).scalars()
    return count_by_key(sealed)


def destroy_key(connection: Connection, collection_id: UUID) -> None:
    """Delete a collection's row, and the key in it: nothing that it sealed ever opens again.

    Raises:
        NotFound: it is erased already.
    """
    if not connection.execute(
        delete(COLLECTIONS).where(COLLECTIONS.c.id == collection_id)
    ).rowcount:
        raise erased(collection_id)


def erased(collection_id: UUID) -> NotFound:
    """Say that a collection is gone."""
    return NotFound(f"Collection {collection_id} is erased. Nothing was done.")


def _named(connection: Connection, name: str) -> StoredCollection | None:
    for spelling in spellings(name):
        if row := connection.execute(_NAMED, {"name": spelling}).first():
            return _collection(row)
    return None


def _collection(row: Row[Any]) -> StoredCollection:
    said = dict(row._mapping)
    texts = (said["name"], said["model"], said["cohort_version"])
    numbers = (said["dimensions"], said["subject_count"], said["reference_count"])
    if not (
        all(isinstance(one, str) for one in texts)
        and all(isinstance(one, int) for one in numbers)
        and isinstance(said["retention_days"], int | None)
    ):
        raise KeyUnusable(
            f"The row of collection {said['id']} was changed from outside. Restore it from a"
            " backup."
        )
    size = Size(said.pop("subject_count"), said.pop("reference_count"))
    return StoredCollection(**said, size=size)


def change(connection: Connection, collection_id: UUID, **values: object) -> None:
    """Change what the row of a collection says."""
    ours = COLLECTIONS.c.id == collection_id
    connection.execute(update(COLLECTIONS).where(ours).values(**values))


def check_retention(days: int | None) -> None:
    """Refuse what is no number of days to keep references; None keeps them for good.

    Raises:
        InvalidRequest: it is none.
    """
    if days is not None and not 1 <= days <= 36_500:
        raise InvalidRequest(f"Not a number of days to keep references: {days}. Give 1 to 36500.")


def require_free_ids(connection: Connection, table: Table, ids: Sequence[UUID]) -> None:
    """Refuse ids of an export that a table has rows of.

    Raises:
        Conflict: one is taken.
        InvalidRequest: one comes twice.
    """
    taken = connection.execute(select(table.c.id).where(table.c.id.in_(ids))).scalar()
    if taken is not None:
        raise Conflict(
            f"The id {taken} of the export is taken here. Erase the collection that has it, or"
            " leave this one where it is."
        )
    if len(set(ids)) < len(ids):
        raise InvalidRequest("One id is in the export twice. Export it anew.")
