"""What a collection knows of the strangers in it: who joins its cohort, and their rates.

The first references of up to a thousand subjects join the cohort, drawn anew whenever it is
measured. Which they are, and what scores mean among them, lies in a row under the collection's key;
their vectors are read from their own rows, so that whoever is erased is gone from here too.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select

from likeness.gallery import proofs, stored_collections
from likeness.gallery.seal import Seal
from likeness.gallery.stored_collections import StoredCollection, Unit
from likeness.gallery.tables import OWN_STRANGERS, REASSIGNMENTS, REFERENCES
from likeness.storage import Database, legible, legible_rows
from likeness.terms import Calibration, Joining


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a collection's own strangers.

    `joining` are the numbers of the references that joined its cohort; it had so many `references`
    and `subjects` then, and was evened out by `cohort_version`. `own` says what own scores mean,
    `plain` what the scores mean that every comparison gives.
    """

    joining: tuple[int, ...]
    references: int
    subjects: int
    cohort_version: str
    own: Calibration
    plain: Calibration


@dataclass(frozen=True, slots=True, eq=False)
class Strangers:
    """What was measured of a collection's own strangers, and those who joined its cohort for it."""

    measured: Measured
    joining: Joining


class KnownStrangers:
    """Reads what was measured once; safe to use from many threads."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal
        self._known: tuple[State, Strangers] | None = None
        self._forgotten = 0

    def of(self, collection: StoredCollection) -> Strangers | None:
        """Find what was measured of a collection by its present model and cohort.

        Raises:
            KeyUnusable: something that was sealed does not open.
        """
        return self._database.read(partial(self.read, collection=collection))

    def at(self, state: "State | None", collection: StoredCollection) -> Strangers | None:
        """Find what was measured at a state; what is known of it already is not read again."""
        known = self._known
        if state is None:
            return None
        if known is not None and known[0] == state:
            return known[1] if _is_of(known[1].measured, collection) else None
        return self.of(collection)

    def read(self, connection: Connection, collection: StoredCollection) -> Strangers | None:
        """Find the same in a transaction; see `of`."""
        known, forgotten = self._known, self._forgotten
        at = state_of(connection, collection.id)
        if at is None:
            self._known = None
            return None
        if known is not None and known[0] == at:
            return known[1] if _is_of(known[1].measured, collection) else None
        found = self._read_anew(connection, collection)
        # Whoever was erased while this was read is not held on to.
        if found is not None and forgotten == self._forgotten:
            self._known = at, found
        return found

    def forget(self) -> None:
        """Hold nothing of who may have been erased."""
        self._forgotten += 1
        self._known = None

    def let_go(self) -> None:
        """Hold nothing of whom another program has erased."""
        known = self._known
        if known is not None and not self._database.read(
            partial(are_those, collection_id=self._seal.collection_id, joining=known[1].joining)
        ):
            self.forget()

    def _read_anew(self, connection: Connection, collection: StoredCollection) -> Strangers | None:
        strangers = OwnStrangers(connection, self._seal, collection)
        measured = strangers.find()
        if measured is None:
            return None
        numbers = np.array(measured.joining, np.int64)
        return Strangers(measured, strangers.joining(numbers, measured.own.one_person))


class OwnStrangers(Unit):
    """What a collection knows of the strangers in it."""

    __slots__ = ()

    def keep(self, measured: Measured, joining: Joining, now: datetime) -> bool:
        """Keep what was measured; not if model or cohort changed since, or who joined is erased."""
        present = stored_collections.by_id(self.connection, self.collection.id)
        if not self.collection.is_comparable_with(present) or not are_those(
            self.connection, self.collection.id, joining
        ):
            return False
        forget(self.connection, self.seal.collection_id)
        content = {
            "joining": measured.joining,
            "references": measured.references,
            "subjects": measured.subjects,
            "cohort_version": measured.cohort_version,
            "own": measured.own.as_json(),
            "plain": measured.plain.as_json(),
        }
        row = {
            "collection_id": self.seal.collection_id,
            "sealed_content": self.seal.own_strangers(json.dumps(content).encode()),
            "measured_at": now,
        }
        self.connection.execute(insert(OWN_STRANGERS), row)
        return True

    def find(self) -> Measured | None:
        """Find what was measured by the present model and cohort; None for nothing.

        What is damaged is nothing: it is measured again.
        """
        of = OWN_STRANGERS.c.collection_id
        chosen = select(of, OWN_STRANGERS.c.sealed_content).where(of == self.collection.id)
        rows = legible_rows(self.connection, of, chosen)
        for measured in legible(self.connection, of, rows, self._measured):
            return measured if _is_of(measured, self.collection) else None
        return None

    def _measured(self, row: Row[Any]) -> Measured:
        content = json.loads(self.seal.opened_own_strangers(row.sealed_content))
        own, plain = (Calibration.from_json(content[name]) for name in ("own", "plain"))
        return Measured(
            tuple(content["joining"]),
            content["references"],
            content["subjects"],
            content["cohort_version"],
            own,
            plain,
        )

    def first_of_each_subject(self) -> NDArray[np.int64]:
        """List the number of the first reference of every subject, ascending."""
        ours = REFERENCES.c.collection_id == self.collection.id
        named = REFERENCES.c.subject_number.is_not(None)
        first = select(func.min(REFERENCES.c.number)).where(ours, named)
        numbers = (
            self.connection.execute(first.group_by(REFERENCES.c.subject_number)).scalars().all()
        )
        return np.sort(np.array(numbers, np.int64))

    def joining(self, numbers: NDArray[np.int64], one_person: float) -> Joining:
        """Read the vectors of references that join, and whose they are.

        Those that are erased or damaged are left out, and those that are not fit to enrol: poor
        pictures are alike whoever they show.
        """
        # Not by `rows_as_vectors`: what reads rows alone loads no index.
        columns = [*proofs.PROVEN, REFERENCES.c.sealed_vector, REFERENCES.c.sealed_details]
        chosen = select(*columns).select_from(proofs.WITH_SUBJECTS)
        ours = REFERENCES.c.collection_id == self.seal.collection_id
        number = REFERENCES.c.number
        theirs = chosen.where(ours, number.in_(numbers.tolist()))
        found = sorted(legible_rows(self.connection, number, theirs), key=lambda row: row.number)
        opened = legible(self.connection, number, found, self._opened)
        rows = [(row, vector) for row, vector in opened if vector is not None]
        return Joining(
            np.array([row.number for row, _ in rows], np.int64),
            np.array([row.subject_number or 0 for row, _ in rows], np.int64),
            np.stack([vector for _, vector in rows]) if rows else np.empty((0, 0), np.float32),
            one_person,
        )

    def _opened(self, row: Row[Any]) -> tuple[Row[Any], NDArray[np.float32] | None]:
        """Open the vector of a reference; None where it is not fit to enrol."""
        proofs.require(self.seal, row)
        if not self.seal.opened_details(row.id, row.sealed_details).face.quality.fit_to_enrol:
            return row, None
        return row, self.seal.opened_vector(row.id, row.sealed_vector)


def _is_of(measured: Measured, collection: StoredCollection) -> bool:
    """Whether it was measured by a collection's present model and cohort."""
    by = (measured.own.model, measured.cohort_version)
    return by == (collection.model, collection.cohort_version)


State = tuple[datetime, int]
"""When strangers were measured, and the last note of whose references are others since."""

# Made once: every search comes here.
_STATE = select(
    OWN_STRANGERS.c.measured_at,
    select(func.max(REASSIGNMENTS.c.number))
    .where(REASSIGNMENTS.c.collection_id == bindparam("collection_id"))
    .scalar_subquery()
    .label("noted"),
).where(OWN_STRANGERS.c.collection_id == bindparam("collection_id"))


def state_of(connection: Connection, collection_id: UUID) -> State | None:
    """Say how far what is known of a collection's strangers has come; None where nothing is."""
    row = connection.execute(_STATE, {"collection_id": collection_id}).first()
    return None if row is None else (row.measured_at, row.noted or 0)


def are_those(connection: Connection, collection_id: UUID, joining: Joining) -> bool:
    """Whether the references that join are all still there, and their subjects' still."""
    columns = (REFERENCES.c.number, REFERENCES.c.subject_number)
    ours = REFERENCES.c.collection_id == collection_id
    chosen = select(*columns).where(ours, REFERENCES.c.number.in_(joining.numbers.tolist()))
    found = {row.number: row.subject_number or 0 for row in connection.execute(chosen)}
    return found == dict(zip(joining.numbers.tolist(), joining.subjects.tolist(), strict=True))


def forget(connection: Connection, collection_id: UUID) -> None:
    """Delete what was measured; strangers who are alike stand for them until it is again."""
    connection.execute(delete(OWN_STRANGERS).where(OWN_STRANGERS.c.collection_id == collection_id))
