"""What a collection is to become: staged beside what it is, until all of it can switch.

1. A change is begun: to another model, or to another cohort of the same model.
2. Its references are staged, sealed for the places that they will have. Searches and enrolments go
   on with what is there; what is erased is erased from here too.
3. Once every reference is staged, one transaction switches vectors, statistics, model and cohort.
   A crash leaves the collection wholly what it was or wholly what it is to be; what is staged
   stays, and is gone on from.
4. What was replaced is taken from indexes, snapshots and the database's files, at the latest at the
   next start.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from likeness.errors import Conflict, InvalidRequest, ModelMismatch
from likeness.gallery import proofs, stored_collections
from likeness.gallery.erasure import SCRUBBED
from likeness.gallery.references import Reference
from likeness.gallery.stored_collections import Unit
from likeness.gallery.tables import CHANGES, COHORTS, REFERENCES, STAGED
from likeness.index import checked_vectors
from likeness.storage import Database, scrub
from likeness.terms import Face, Template


@dataclass(frozen=True, slots=True)
class Change:
    """What a collection is to be, and the model that it had; `ended_at` once that is decided."""

    collection_id: UUID
    model: str
    dimensions: int
    cohort_version: str
    replaced_model: str
    replaced_dimensions: int
    begun_at: datetime
    ended_at: datetime | None

    @property
    def replaces_vectors(self) -> bool:
        """Whether it is to another model, not only to another cohort."""
        return self.model != self.replaced_model


@dataclass(frozen=True, slots=True, eq=False)
class FoundAgain:
    """A reference's face as the new model sees it in the same sample."""

    reference: Reference
    template: Template
    face: Face


_COLUMNS = [CHANGES.c[name] for name in Change.__dataclass_fields__]


class Changes(Unit):
    """The change of a collection to another model or cohort."""

    __slots__ = ()

    def begin(self, now: datetime, *, model: str, dimensions: int, cohort_version: str) -> Change:
        """Begin a change, or go on with the same one.

        Raises:
            NotFound: the collection was erased meanwhile.
            InvalidRequest: there is nothing to change.
            Conflict: another change has begun.
        """
        current = stored_collections.required_by_id(self.connection, self.collection.id)
        if (model, cohort_version) == (current.model, current.cohort_version):
            raise InvalidRequest(
                f"Collection {self.collection.id} is of {model} with cohort {cohort_version}"
                " already. There is nothing to do."
            )
        begun = self.find()
        if begun is None:
            begun = Change(
                self.collection.id,
                model,
                dimensions,
                cohort_version,
                current.model,
                current.dimensions,
                now,
                None,
            )
            row = {name: getattr(begun, name) for name in Change.__dataclass_fields__}
            self.connection.execute(insert(CHANGES), row)
        elif begun.ended_at is not None or (begun.model, begun.cohort_version) != (
            model,
            cohort_version,
        ):
            raise Conflict(
                f"Collection {self.collection.id} is changing to {begun.model} with cohort"
                f" {begun.cohort_version} since {begun.begun_at:%Y-%m-%d %H:%M}. Finish that,"
                " or discard it."
            )
        return begun

    def find(self) -> Change | None:
        """Find the change that has begun and is not finished."""
        chosen = select(*_COLUMNS).where(CHANGES.c.collection_id == self.seal.collection_id)
        row = self.connection.execute(chosen).first()
        return None if row is None else Change(**row._mapping)

    def discard(self, change: Change, now: datetime) -> int:
        """Drop what is staged, and count it; the collection stays what it is.

        Raises:
            Conflict: the change was ended meanwhile.
        """
        self._require_open(change)
        return self._end(change, now, COHORTS.c.version == change.cohort_version)

    def unstaged(self, change: Change, *, after: int = 0, limit: int | None = None) -> list[int]:
        """List the numbers of references, above `after`, that are not staged."""
        chosen = (
            select(REFERENCES.c.number)
            .where(_missing(change), REFERENCES.c.number > after)
            .order_by(REFERENCES.c.number)
            .limit(limit)
        )
        return list(self.connection.execute(chosen).scalars())

    def waiting(self, change: Change, numbers: Sequence[int]) -> set[int]:
        """Give those of some references that are there and not staged."""
        these = REFERENCES.c.number.in_(numbers)
        chosen = select(REFERENCES.c.number).where(_missing(change), these)
        return set(self.connection.execute(chosen).scalars())

    def stage(self, change: Change, found: Sequence[FoundAgain]) -> None:
        """Stage what references are to be in another model.

        Raises:
            Conflict: the change was ended meanwhile.
            ModelMismatch: a template is of another model or cohort.
            InvalidRequest: a vector is not of length one.
        """
        self._require_open(change)
        for one in found:
            came = (one.template.model, one.template.cohort.version)
            if came != (change.model, change.cohort_version):
                raise ModelMismatch(
                    f"A template of {came[0]}, evened out by {came[1]}. The change was begun with"
                    f" {change.model} and {change.cohort_version}. Use these."
                )
            checked_vectors(one.template.vector[None], change.model, change.dimensions)
        wanted = self.waiting(change, [one.reference.number for one in found])
        rows: dict[int, dict[str, Any]] = {}
        taken: set[bytes] = set()
        for one in found:
            reference = one.reference
            if reference.number not in wanted or reference.number in rows:
                continue
            statistics = one.template.cohort
            row: dict[str, Any] = {
                "reference_number": reference.number,
                "collection_id": change.collection_id,
                "sealed_vector": self.seal.vector(reference.id, one.template.vector),
                "sealed_details": None,
                "face_digest": None,
                "cohort_mean": statistics.mean,
                "statistics_proof": proofs.of_statistics(self.seal, reference.number, statistics),
            }
            details = reference.details
            digest = self.seal.face_digest(details.sample_sha256, one.face.box, details.external_id)
            # Where another reference has that place already, this one keeps the one it had.
            if digest not in taken and not self._is_taken(change, reference.number, digest):
                taken.add(digest)
                row["face_digest"] = digest
                details = replace(details, face=one.face)
                row["sealed_details"] = self.seal.details(reference.id, details)
            rows[reference.number] = row
        if rows:
            self.connection.execute(insert(STAGED), list(rows.values()))

    def switch(self, change: Change, now: datetime) -> None:
        """Make the collection what it is to be, all of it at once.

        Raises:
            NotFound: the collection was erased meanwhile.
            Conflict: a reference is not staged, or the change was ended meanwhile.
        """
        self._require_open(change)
        missing = self.connection.execute(select(func.count()).where(_missing(change))).scalar_one()
        if missing:
            raise Conflict(
                f"{missing} references of collection {change.collection_id} are not staged. Stage"
                " them, too."
            )
        kept = ("sealed_vector", "sealed_details", "face_digest")
        becomes = {name: func.coalesce(STAGED.c[name], REFERENCES.c[name]) for name in kept}
        self.connection.execute(
            update(REFERENCES)
            .where(
                STAGED.c.collection_id == change.collection_id,
                STAGED.c.reference_number == REFERENCES.c.number,
            )
            .values(
                cohort_mean=STAGED.c.cohort_mean,
                cohort_version=change.cohort_version,
                statistics_proof=STAGED.c.statistics_proof,
                **(becomes if change.replaces_vectors else {}),
            )
        )
        stored_collections.change(
            self.connection,
            change.collection_id,
            model=change.model,
            dimensions=change.dimensions,
            cohort_version=change.cohort_version,
        )
        self._end(change, now, COHORTS.c.version != change.cohort_version)

    def _require_open(self, change: Change) -> None:
        if self.find() != change or change.ended_at is not None:
            raise Conflict(
                f"The change of collection {change.collection_id} was ended meanwhile. Begin it"
                " anew."
            )

    def _is_taken(self, change: Change, number: int, digest: bytes) -> bool:
        enrolled = exists().where(
            REFERENCES.c.collection_id == change.collection_id,
            REFERENCES.c.face_digest == digest,
            REFERENCES.c.number != number,
        )
        waiting = exists().where(
            STAGED.c.collection_id == change.collection_id, STAGED.c.face_digest == digest
        )
        return bool(self.connection.execute(select(or_(enrolled, waiting))).scalar_one())

    def _end(self, change: Change, now: datetime, replaced: ColumnElement[bool]) -> int:
        """Take away cohorts that are replaced, and what is staged; count the latter."""
        staged, cohorts, changes = (
            table.c.collection_id == change.collection_id for table in (STAGED, COHORTS, CHANGES)
        )
        count = self.connection.execute(delete(STAGED).where(staged)).rowcount
        self.connection.execute(delete(COHORTS).where(cohorts, replaced))
        self.connection.execute(update(CHANGES).where(changes).values(ended_at=now))
        return count


def finish(database: Database, forget: Callable[[Change], None]) -> None:
    """Take what changes replaced, that have ended, from everywhere else.

    `forget` takes the vectors that a change replaced out of indexes and snapshots.

    Raises:
        Conflict: a program that reads the database stands in the way; the changes stay noted.
        Exception: whatever `forget` raises; likewise.
    """
    changes = database.read(_ended)
    for change in changes:
        if change.replaces_vectors:
            forget(change)
    if not changes:
        return
    scrubbing = scrub(database, SCRUBBED)
    if not scrubbing.complete:
        raise Conflict(
            "What a change replaced cannot be scrubbed from the database:"
            f" {scrubbing.stood_in_way}. It is in no search any more; the next erasure or start"
            " does the rest."
        )
    ours = CHANGES.c.collection_id.in_([change.collection_id for change in changes])
    ended = delete(CHANGES).where(ours, CHANGES.c.ended_at.is_not(None))
    database.write(lambda connection: connection.execute(ended))


def _ended(connection: Connection) -> list[Change]:
    rows = connection.execute(select(*_COLUMNS).where(CHANGES.c.ended_at.is_not(None)))
    return [Change(**row._mapping) for row in rows]


def _missing(change: Change) -> ColumnElement[bool]:
    is_staged = exists().where(STAGED.c.reference_number == REFERENCES.c.number)
    return (REFERENCES.c.collection_id == change.collection_id) & ~is_staged
