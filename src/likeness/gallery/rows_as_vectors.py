"""What an index should hold: vectors read from the rows, which are the truth.

The index of references holds the vector of each. The index of subjects holds one vector for each
subject that has references: the mean of theirs, brought to length one.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Column, ColumnElement, Connection, Row, distinct, exists, func, select

from likeness.gallery.seal import Seal
from likeness.gallery.tables import COLLECTIONS, REASSIGNMENTS, REFERENCES, REMOVALS, STAGED
from likeness.index import Reached
from likeness.storage import Database, legible, legible_rows

_ROWS_AT_ONCE = 2_000
_IDS_AT_ONCE = 100_000
_ABOVE_ALL = 2**62
# The mean of vectors that point away from each other has no direction to keep.
_SHORTEST_MEAN = 1e-6


class Vectors(NamedTuple):
    """(n, d) unit vectors under their (n,) ids; an index's come ascending."""

    ids: NDArray[np.int64]
    vectors: NDArray[np.float32]


class News(NamedTuple):
    """What a portion of rows changed: (n,) ids, and vectors of those that are still to be held."""

    reached: Reached
    changed: NDArray[np.int64]
    found: Vectors


class Journal(NamedTuple):
    """Rows whose numbers count up as something changes, and the ids in an index that it changes."""

    of: Literal["reference", "reassignment", "removal"]
    number: Column[int]
    id: Column[int]


class ReadVectors(Protocol):
    """Reads the vectors that belong to some numbers; those that do not exist are left out.

    If `staged`, those that references are to have, of the model that a collection changes to.
    """

    def __call__(
        self, connection: Connection, seal: Seal, numbers: list[int], *, staged: bool
    ) -> Vectors:
        """Read them."""


class RowsAsVectors:
    """What one index of a collection should hold; `of_references` and `of_subjects` make them."""

    def __init__(
        self,
        database: Database,
        seal: Seal,
        model: str,
        journals: Sequence[Journal],
        read: ReadVectors,
    ) -> None:
        self._database = database
        self._seal = seal
        self._model = model
        self._journals = journals
        self._column = journals[0].id
        # Made once: every search asks.
        self._latest = select(
            *(
                select(func.max(journal.number))
                .where(journal.number.table.c.collection_id == seal.collection_id)
                .scalar_subquery()
                .label(journal.of)
                for journal in journals
            )
        )
        self._read = read

    def ids(self) -> NDArray[np.int64]:
        """List all ids, (n,), ascending."""
        parts = [np.empty(0, np.int64)]
        while (found := self._ids_above(int(parts[-1][-1]) if len(parts) > 1 else 0)).size:
            parts.append(found)
        return np.concatenate(parts)

    def count(self, through: int) -> int:
        """Count the ids that references up to number `through` bring."""
        column = self._column if self._column.primary_key else distinct(self._column)
        counted = select(func.count(column)).where(self._ours(), REFERENCES.c.number <= through)
        return self._database.read(lambda connection: connection.execute(counted).scalar_one())

    def vectors(self, ids: NDArray[np.int64]) -> Iterator[Vectors]:
        """Read the vectors of (n,) ids, in portions.

        Those that do not exist, or are damaged, are left out.
        """
        for start in range(0, len(ids), _ROWS_AT_ONCE):
            some = ids[start : start + _ROWS_AT_ONCE].tolist()
            found = self._database.read(partial(self._vectors, numbers=some))
            if found.ids.size:
                yield found

    def newer(self, reached: Reached) -> Iterator[News]:
        """Read what has changed since, in portions."""
        for journal in self._journals:
            while news := self._database.read(
                partial(self._newer, journal=journal, reached=reached)
            ):
                yield news
                reached = news.reached

    def latest(self, connection: Connection) -> Reached:
        """Say how far the rows have come, whoever wrote them."""
        row = connection.execute(self._latest).one()
        return Reached(**{of: number or 0 for of, number in row._mapping.items()})

    def latest_read(self) -> Reached:
        """Say the same in a transaction of its own."""
        return self._database.read(self.latest)

    def _vectors(self, connection: Connection, numbers: list[int]) -> Vectors:
        staged = self._is_to_come(connection)
        return self._read(connection, seal=self._seal, numbers=numbers, staged=staged)

    def _is_to_come(self, connection: Connection) -> bool:
        """Whether the rows hold vectors of another model yet, and those of this one are staged."""
        chosen = select(COLLECTIONS.c.model).where(COLLECTIONS.c.id == self._seal.collection_id)
        return connection.execute(chosen).scalar() not in (None, self._model)

    def _ids_above(self, last: int) -> NDArray[np.int64]:
        some = (
            select(self._column)
            .distinct()
            .where(self._ours(), self._column > last)
            .order_by(self._column)
            .limit(_IDS_AT_ONCE)
        )
        found = self._database.read(lambda connection: connection.execute(some).scalars().all())
        return np.array(found, np.int64)

    def _newer(self, connection: Connection, journal: Journal, reached: Reached) -> News | None:
        ours = journal.number.table.c.collection_id == self._seal.collection_id
        if journal.of == "reference" and self._is_to_come(connection):
            # What is not staged holds back what came after it, or it would be passed over.
            ours &= REFERENCES.c.number < _first_unstaged(self._seal.collection_id)
        rows = connection.execute(
            select(journal.number.label("number"), journal.id.label("id"))
            .where(ours, journal.number > getattr(reached, journal.of))
            .order_by(journal.number)
            .limit(_ROWS_AT_ONCE)
        ).all()
        if not rows:
            return None
        changed = sorted({row.id for row in rows if row.id is not None})
        return News(
            reached._replace(**{journal.of: rows[-1].number}),
            np.array(changed, np.int64),
            self._vectors(connection, changed),
        )

    def _ours(self) -> ColumnElement[bool]:
        return REFERENCES.c.collection_id == self._seal.collection_id


def of_references(database: Database, seal: Seal, model: str) -> RowsAsVectors:
    """Give what the index of references should hold, under the numbers of references."""
    enrolled = Journal("reference", REFERENCES.c.number, REFERENCES.c.number)
    erased = Journal("removal", REMOVALS.c.number, REMOVALS.c.reference_number)
    return RowsAsVectors(database, seal, model, [enrolled, erased], reference_vectors)


def of_subjects(database: Database, seal: Seal, model: str) -> RowsAsVectors:
    """Give what the index of subjects should hold, under the numbers of subjects."""
    enrolled = Journal("reference", REFERENCES.c.number, REFERENCES.c.subject_number)
    assigned = Journal("reassignment", REASSIGNMENTS.c.number, REASSIGNMENTS.c.subject_number)
    return RowsAsVectors(database, seal, model, [enrolled, assigned], subject_vectors)


def vectors_of_subjects(
    connection: Connection, seal: Seal, numbers: list[int], *, staged: bool = False
) -> Vectors:
    """Open every vector of subjects, in the order they came; a subject's number may come often."""
    return _opened(connection, seal, REFERENCES.c.subject_number, numbers, staged)


def reference_vectors(
    connection: Connection, seal: Seal, numbers: list[int], *, staged: bool = False
) -> Vectors:
    """Open the vectors of references, by number; those that do not exist are left out."""
    return _opened(connection, seal, REFERENCES.c.number, numbers, staged)


def subject_vectors(
    connection: Connection, seal: Seal, numbers: list[int], *, staged: bool = False
) -> Vectors:
    """Fuse the vectors of subjects, by number; those without references are left out."""
    every = vectors_of_subjects(connection, seal, numbers, staged=staged)
    ids, first, place = np.unique(every.ids, return_index=True, return_inverse=True)
    sums = np.zeros((len(ids), *every.vectors.shape[1:]), np.float32)
    np.add.at(sums, place, every.vectors)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means = sums / np.maximum(lengths, _SHORTEST_MEAN)
    return Vectors(ids, np.where(lengths > _SHORTEST_MEAN, means, every.vectors[first]))


def _first_unstaged(collection_id: UUID) -> ColumnElement[int]:
    """Give the number of the first reference that is not staged, or one above all."""
    is_staged = exists().where(STAGED.c.reference_number == REFERENCES.c.number)
    found = select(func.coalesce(func.min(REFERENCES.c.number), _ABOVE_ALL))
    ours = REFERENCES.c.collection_id == collection_id
    return found.where(ours, ~is_staged).scalar_subquery()


def _opened(
    connection: Connection, seal: Seal, column: Column[int], values: list[int], staged: bool
) -> Vectors:
    source = STAGED if staged else REFERENCES
    number = REFERENCES.c.number.label("number")
    chosen = select(column.label("key"), number, REFERENCES.c.id, source.c.sealed_vector)
    if staged:
        chosen = chosen.join(STAGED, STAGED.c.reference_number == REFERENCES.c.number)
    ours = chosen.where(REFERENCES.c.collection_id == seal.collection_id, column.in_(values))
    found = legible_rows(connection, REFERENCES.c.number, ours)
    # Not sorted there: SQLite would read the whole collection in order instead.
    rows = sorted(found, key=lambda row: row.number)

    def opened(row: Row[Any]) -> tuple[int, NDArray[np.float32]]:
        return row.key, seal.opened_vector(row.id, row.sealed_vector)

    read = legible(connection, REFERENCES.c.number, rows, opened)
    vectors = np.stack([each for _, each in read]) if read else np.empty((0, 0), np.float32)
    return Vectors(np.array([key for key, _ in read], np.int64), vectors)
