"""What is a collection to become? It is staged beside what it is, until all of it can switch.

1. A change is begun: to another model, or to another cohort of the same model.
2. Its references are staged, sealed for the places that they will have. Searches and enrolments go
   on with what is there; what is erased is erased from here too.
3. Once every reference is staged, one transaction switches vectors, statistics, model and cohort.
   A crash leaves the collection wholly what it was or wholly what it is to be; what is staged
   stays, and is gone on from.
4. What was replaced is taken from indexes, snapshots and the database's files, at the latest at the
   next start.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from likeness.errors import Conflict, InvalidRequest, ModelMismatch
from likeness.gallery import collections, proofs
from likeness.gallery.collections import StoredCollection
from likeness.gallery.erasure import SCRUBBED
from likeness.gallery.references import Reference
from likeness.gallery.seal import Seal
from likeness.gallery.tables import CHANGES, COHORTS, COLLECTIONS, REFERENCES, STAGED
from likeness.index import checked_vectors
from likeness.storage import Database, scrub
from likeness.terms import CohortStatistics, Face, Template


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


def begin(
    connection: Connection,
    collection: StoredCollection,
    now: datetime,
    *,
    model: str,
    dimensions: int,
    cohort_version: str,
) -> Change:
    """Begin a change, or go on with the same one.

    Raises:
        NotFound: the collection was erased meanwhile.
        InvalidRequest: there is nothing to change.
        Conflict: another change has begun.
    """
    current = collections.by_id(connection, collection.id)
    if current is None:
        raise collections.erased(collection.id)
    if (model, cohort_version) == (current.model, current.cohort_version):
        raise InvalidRequest(
            f"another model or cohort was expected, and collection {collection.id} is of"
            f" {model} with cohort {cohort_version} already: there is nothing to do"
        )
    begun = of(connection, collection.id)
    if begun is None:
        begun = Change(
            collection.id,
            model,
            dimensions,
            cohort_version,
            current.model,
            current.dimensions,
            now,
            None,
        )
        row = {name: getattr(begun, name) for name in Change.__dataclass_fields__}
        connection.execute(insert(CHANGES), row)
    elif begun.ended_at is not None or (begun.model, begun.cohort_version) != (
        model,
        cohort_version,
    ):
        raise Conflict(
            f"no other change was expected, and collection {collection.id} is changing to"
            f" {begun.model} with cohort {begun.cohort_version} since"
            f" {begun.begun_at:%Y-%m-%d %H:%M}: finish that one, or discard it"
        )
    return begun


def of(connection: Connection, collection_id: UUID) -> Change | None:
    """Find the change of a collection that has begun and is not finished."""
    chosen = select(*_COLUMNS).where(CHANGES.c.collection_id == collection_id)
    row = connection.execute(chosen).first()
    return None if row is None else _change(row)


def require_open(connection: Connection, change: Change) -> None:
    """Refuse a change that does not go on.

    Raises:
        Conflict: it was ended meanwhile.
    """
    if of(connection, change.collection_id) != change or change.ended_at is not None:
        raise Conflict(
            f"the change of collection {change.collection_id} was expected to go on and was ended"
            " meanwhile: begin it anew"
        )


def staged(connection: Connection, change: Change) -> int:
    """Count the references that are staged."""
    counted = select(func.count()).where(STAGED.c.collection_id == change.collection_id)
    return connection.execute(counted).scalar_one()


def unstaged(
    connection: Connection, change: Change, *, after: int = 0, limit: int | None = None
) -> list[int]:
    """List the numbers of references, above `after`, that are not staged."""
    chosen = (
        select(REFERENCES.c.number)
        .where(_missing(change), REFERENCES.c.number > after)
        .order_by(REFERENCES.c.number)
        .limit(limit)
    )
    return list(connection.execute(chosen).scalars())


def waiting(connection: Connection, change: Change, numbers: Sequence[int]) -> set[int]:
    """Give those of some references that are there and not staged."""
    chosen = select(REFERENCES.c.number).where(_missing(change), REFERENCES.c.number.in_(numbers))
    return set(connection.execute(chosen).scalars())


def stage_templates(
    connection: Connection, change: Change, seal: Seal, found: Sequence[FoundAgain]
) -> None:
    """Stage what references are to be in another model.

    Raises:
        Conflict: the change was ended meanwhile.
        ModelMismatch: a template is of another model or cohort.
        InvalidRequest: a vector is not of length one.
    """
    require_open(connection, change)
    for one in found:
        if one.template.model != change.model:
            raise ModelMismatch(
                f"templates of {change.model} are to be staged and one of {one.template.model}"
                " came: use the model that the change was begun with"
            )
        _require_cohort(change, one.template.cohort)
        checked_vectors(one.template.vector[None], change.model, change.dimensions)
    wanted = waiting(connection, change, [one.reference.number for one in found])
    rows: dict[int, dict[str, Any]] = {}
    taken: set[bytes] = set()
    for one in found:
        reference = one.reference
        if reference.number not in wanted or reference.number in rows:
            continue
        row = _row(change, seal, reference.number, one.template.cohort)
        row["sealed_vector"] = seal.vector(reference.id, one.template.vector)
        details = reference.details
        digest = seal.face_digest(details.sample_sha256, one.face.box, details.external_id)
        # Where another reference has that place already, this one keeps the one it had.
        if digest not in taken and not _is_taken(connection, change, reference.number, digest):
            taken.add(digest)
            row["face_digest"] = digest
            row["sealed_details"] = seal.details(reference.id, replace(details, face=one.face))
        rows[reference.number] = row
    _insert(connection, list(rows.values()))


def switch(connection: Connection, change: Change, now: datetime) -> None:
    """Make the collection what it is to be, all of it at once.

    Raises:
        NotFound: the collection was erased meanwhile.
        Conflict: a reference is not staged, or the change was ended meanwhile.
    """
    require_open(connection, change)
    missing = connection.execute(select(func.count()).where(_missing(change))).scalar_one()
    if missing:
        raise Conflict(
            f"every reference of collection {change.collection_id} was expected to be staged and"
            f" {missing} are not: stage them too"
        )
    kept = ("sealed_vector", "sealed_details", "face_digest")
    becomes = {name: func.coalesce(STAGED.c[name], REFERENCES.c[name]) for name in kept}
    connection.execute(
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
    connection.execute(
        update(COLLECTIONS)
        .where(COLLECTIONS.c.id == change.collection_id)
        .values(
            model=change.model,
            dimensions=change.dimensions,
            cohort_version=change.cohort_version,
        )
    )
    _end(connection, change, now, COHORTS.c.version != change.cohort_version)


def discard(connection: Connection, change: Change, now: datetime) -> None:
    """Drop what is staged; the collection stays what it is.

    Raises:
        Conflict: the change was ended meanwhile.
    """
    require_open(connection, change)
    _end(connection, change, now, COHORTS.c.version == change.cohort_version)


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
            "what a change replaced was expected to be scrubbed from the database and"
            f" {scrubbing.stood_in_way}: it is in no search any more, and the rest is done with"
            " the next erasure or at the next start"
        )
    ours = CHANGES.c.collection_id.in_([change.collection_id for change in changes])
    database.write(
        lambda connection: connection.execute(
            delete(CHANGES).where(ours, CHANGES.c.ended_at.is_not(None))
        )
    )


def _ended(connection: Connection) -> list[Change]:
    rows = connection.execute(select(*_COLUMNS).where(CHANGES.c.ended_at.is_not(None)))
    return [_change(row) for row in rows]


def _end(
    connection: Connection, change: Change, now: datetime, replaced: ColumnElement[bool]
) -> None:
    connection.execute(delete(STAGED).where(STAGED.c.collection_id == change.collection_id))
    ours = COHORTS.c.collection_id == change.collection_id
    connection.execute(delete(COHORTS).where(ours, replaced))
    begun = CHANGES.c.collection_id == change.collection_id
    connection.execute(update(CHANGES).where(begun).values(ended_at=now))


def _missing(change: Change) -> ColumnElement[bool]:
    is_staged = exists().where(STAGED.c.reference_number == REFERENCES.c.number)
    return (REFERENCES.c.collection_id == change.collection_id) & ~is_staged


def _is_taken(connection: Connection, change: Change, number: int, digest: bytes) -> bool:
    enrolled = exists().where(
        REFERENCES.c.collection_id == change.collection_id,
        REFERENCES.c.face_digest == digest,
        REFERENCES.c.number != number,
    )
    waiting = exists().where(
        STAGED.c.collection_id == change.collection_id, STAGED.c.face_digest == digest
    )
    return bool(connection.execute(select(or_(enrolled, waiting))).scalar_one())


def _row(change: Change, seal: Seal, number: int, statistics: CohortStatistics) -> dict[str, Any]:
    return {
        "reference_number": number,
        "collection_id": change.collection_id,
        "sealed_vector": None,
        "sealed_details": None,
        "face_digest": None,
        "cohort_mean": statistics.mean,
        "statistics_proof": proofs.of_statistics(seal, number, statistics),
    }


def _insert(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(STAGED), rows)


def _require_cohort(change: Change, statistics: CohortStatistics) -> None:
    if statistics.version != change.cohort_version:
        raise ModelMismatch(
            f"statistics by cohort {change.cohort_version} are to be staged and some by"
            f" {statistics.version} came: use the cohort that the change was begun with"
        )


def _change(row: Row[Any]) -> Change:
    return Change(**row._mapping)
