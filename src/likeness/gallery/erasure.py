"""Erases somebody in two halves, of which the second is finished whatever happens.

1. In one transaction the rows go, and what has to follow them is noted: from then on no search
   finds them, and the indexes of every program on the database let go of them.
2. Vectors are taken out of the indexes, and snapshots written anew without them.
3. The database is scrubbed of the deleted rows.
4. The certificate is kept and issued. What is noted and has none is finished at the next start.

A collection goes key first; its other rows follow between 1 and 2, in portions.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    delete,
    func,
    insert,
    select,
)

from likeness.errors import Conflict
from likeness.gallery import own_strangers, stored_collections
from likeness.gallery.certificate import Erased, ErasureCertificate, Remainder, Verification
from likeness.gallery.erasure_rows import Erasure, keep_certificate, note_begun, noted
from likeness.gallery.marks import Marked, mark_ids, returned
from likeness.gallery.stored_collections import StoredCollection
from likeness.gallery.subjects import forget_changes_of, forget_taken_up, taken_up_by
from likeness.gallery.tables import (
    BETTER_MODELS,
    CHANGED_SUBJECTS,
    CHANGES,
    COHORTS,
    COLLECTIONS,
    ERASURES,
    OWN_STRANGERS,
    REASSIGNMENTS,
    REFERENCES,
    REMOVALS,
    STAGED,
    SUBJECT_CHANGES,
    SUBJECTS,
    TAGS,
    TAKEN_UP,
)
from likeness.secrets import Keyring
from likeness.storage import Database, scrub
from likeness.terms import in_batches

T = TypeVar("T")

_logger = logging.getLogger(__name__)

_AT_ONCE = 10_000
SCRUBBED = (
    *(STAGED, REFERENCES, SUBJECTS, TAGS, COHORTS, OWN_STRANGERS, COLLECTIONS),
    *(CHANGED_SUBJECTS, SUBJECT_CHANGES, TAKEN_UP),
)
_DONE = (
    "rows deleted",
    "vectors removed from the indexes",
    "index snapshots written without them",
    "the database's deleted rows and log scrubbed",
)
_DONE_WITH_COLLECTION = ("the collection's key destroyed", *_DONE)
# What storage cannot know of.
_EXPORTS = (
    "exports and copies that somebody made",
    "answers that were given, and notices that were sent",
    "other collections, and watches in them",
)

Remainders = Callable[[Connection, UUID, datetime], tuple[Remainder, ...]]
"""Says what others leave of who was erased from a collection, from a moment on."""


def begin(
    connection: Connection,
    collection: StoredCollection,
    now: datetime,
    *,
    subject_ids: Sequence[UUID] = (),
    reference_ids: Sequence[UUID] = (),
    with_emptied: bool = False,
) -> Erasure:
    """Delete subjects with all their references, and single references; note what has to follow.

    Ids that the collection does not have are passed over. `with_emptied` takes subjects along that
    have no reference left.
    """
    collection_id = collection.id
    subjects = _rows(connection, SUBJECTS, collection_id, SUBJECTS.c.id, subject_ids)
    numbers = list(subjects)
    references = {
        **_rows(connection, REFERENCES, collection_id, REFERENCES.c.id, reference_ids),
        **_rows(connection, REFERENCES, collection_id, REFERENCES.c.subject_number, numbers),
    }
    touched = _subjects_of(connection, list(references))
    if references:
        # What they had a part in is measured anew without them.
        own_strangers.forget(connection, collection_id)
    _delete(connection, STAGED.c.reference_number, list(references))
    _delete(connection, REFERENCES.c.number, list(references))
    affected = sorted(touched - set(numbers))
    if with_emptied:
        emptied = sorted(set(affected) - _with_references(connection, affected))
        subjects |= _rows(connection, SUBJECTS, collection_id, SUBJECTS.c.number, emptied)
        affected = sorted(set(affected) - set(emptied))
    _delete(connection, SUBJECTS.c.number, list(subjects))
    gone = list(subjects.values())
    # What was theirs under another name goes with them, and so does what could bring it back.
    taken_up = taken_up_by(connection, gone)
    staying = _rows(connection, SUBJECTS, collection_id, SUBJECTS.c.number, affected)
    forget_changes_of(connection, [*gone, *staying.values()])
    forget_taken_up(connection, gone)
    note_removed(connection, collection_id, list(references))
    note_reassigned(connection, collection_id, [*subjects, *affected])
    stored_collections.grow(
        connection, collection_id, subjects=-len(subjects), references=-len(references)
    )
    erased = Erased(
        whole_collection=False,
        subject_ids=(*gone, *taken_up),
        subject_numbers=tuple(subjects),
        affected_subjects=tuple(affected),
        reference_numbers=tuple(sorted(references)),
        subjects=len(subjects),
        references=len(references),
    )
    return note_begun(connection, collection, _models(connection, collection), erased, now)


def begin_collection(
    connection: Connection, collection: StoredCollection, now: datetime
) -> Erasure:
    """Destroy a collection's key; note what has to follow.

    Raises:
        NotFound: it is erased already.
    """
    size = stored_collections.size(connection, collection.id)
    models = _models(connection, collection)
    stored_collections.destroy_key(connection, collection.id)
    changes = select(SUBJECT_CHANGES.c.id).where(SUBJECT_CHANGES.c.collection_id == collection.id)
    connection.execute(delete(CHANGED_SUBJECTS).where(CHANGED_SUBJECTS.c.change_id.in_(changes)))
    for table in (
        *(CHANGES, COHORTS, OWN_STRANGERS, TAGS, BETTER_MODELS),
        *(SUBJECT_CHANGES, TAKEN_UP),
    ):
        connection.execute(delete(table).where(table.c.collection_id == collection.id))
    erased = Erased(True, (), (), (), (), size.subjects, size.references)
    return note_begun(connection, collection, models, erased, now)


def note_reassigned(
    connection: Connection, collection_id: UUID, subject_numbers: Sequence[int]
) -> int:
    """Note that subjects' references are others, or that the subjects are gone.

    Only the last note of each is kept. Gives the number that indexes have to follow.
    """
    for some in in_batches(subject_numbers, _AT_ONCE):
        connection.execute(delete(REASSIGNMENTS).where(REASSIGNMENTS.c.subject_number.in_(some)))
        rows = [{"collection_id": collection_id, "subject_number": number} for number in some]
        connection.execute(insert(REASSIGNMENTS), rows)
    latest = select(func.max(REASSIGNMENTS.c.number))
    ours = REASSIGNMENTS.c.collection_id == collection_id
    return connection.execute(latest.where(ours)).scalar() or 0


def note_removed(
    connection: Connection, collection_id: UUID, reference_numbers: Sequence[int]
) -> None:
    """Note that references are gone."""
    for some in in_batches(reference_numbers, _AT_ONCE):
        rows = [{"collection_id": collection_id, "reference_number": number} for number in some]
        connection.execute(insert(REMOVALS), rows)


def finish(
    database: Database,
    keyring: Keyring,
    erasures: Sequence[Erasure],
    forget: Callable[[Erasure], tuple[str, ...]],
    scrubbed_too: Sequence[Table],
    remainders: Remainders,
    clock: Callable[[], datetime],
) -> list[ErasureCertificate]:
    """Take what was begun from everywhere else, and issue the certificates.

    `forget` takes an erasure's vectors out of indexes and snapshots, and gives, in words, where
    they may be found nevertheless. `scrubbed_too` are others' tables that something of the erased
    was deleted from, and `remainders` gives what stays there.

    Raises:
        Conflict: a program that reads the database stands in the way; the erasures stay noted.
        Exception: whatever `forget` raises; likewise.
    """
    left: dict[UUID, tuple[str, ...]] = {}
    for erasure in erasures:
        if erasure.erased.whole_collection:
            _delete_all(database, keyring, erasure)
        left[erasure.id] = forget(erasure)
    if not erasures:
        return []
    scrubbing = scrub(database, (*SCRUBBED, *scrubbed_too))
    if not scrubbing.complete:
        raise Conflict(
            f"Deleted rows cannot be scrubbed from the database: {scrubbing.stood_in_way}. They are"
            " gone from every search; the next sweep or start finishes the erasure."
        )
    now = clock()

    def certify(connection: Connection) -> list[ErasureCertificate]:
        certificates = [
            _certificate(
                noted(connection, erasure),
                now,
                (*left[erasure.id], *scrubbing.out_of_reach, *_EXPORTS),
                remainders(connection, erasure.collection_id, now),
            )
            for erasure in erasures
        ]
        return [keep_certificate(connection, one) for one in certificates]

    return database.write(certify)


def verify(
    connection: Connection, keyring: Keyring, certificate: ErasureCertificate, vectors: int
) -> Verification:
    """Count what is left, and what came again anywhere.

    `vectors` were counted in indexes and snapshots already.
    """
    digest = connection.execute(
        select(ERASURES.c.digest).where(ERASURES.c.id == certificate.id)
    ).scalar_one_or_none()
    erased, collection_id = certificate.erased, certificate.collection_id
    if erased.whole_collection:
        rows = int(stored_collections.by_id(connection, collection_id) is not None)
        rows += sum(
            _count(connection, table.c.collection_id == collection_id)
            for table in (
                *(SUBJECTS, REFERENCES, REASSIGNMENTS, REMOVALS),
                *(STAGED, COHORTS, OWN_STRANGERS, TAGS, CHANGES, BETTER_MODELS),
                *(SUBJECT_CHANGES, TAKEN_UP),
            )
        )
    else:
        ids, numbers = erased.subject_ids, erased.subject_numbers
        rows = len(
            _rows(connection, SUBJECTS, collection_id, SUBJECTS.c.id, ids)
            | _rows(connection, SUBJECTS, collection_id, SUBJECTS.c.number, numbers)
        ) + len(
            _rows(
                connection,
                REFERENCES,
                collection_id,
                REFERENCES.c.number,
                erased.reference_numbers,
            )
            | _rows(connection, REFERENCES, collection_id, REFERENCES.c.subject_number, numbers)
        )
        rows += sum(
            _count(connection, STAGED.c.reference_number.in_(some))
            for some in in_batches(erased.reference_numbers, _AT_ONCE)
        )
    again, unreadable = returned(connection, keyring, certificate)
    return Verification(digest == certificate.digest, rows, vectors, again, unreadable)


def _models(connection: Connection, collection: StoredCollection) -> tuple[tuple[str, int], ...]:
    """Give the models that a collection may have indexes of, each with its dimensions."""
    columns = [CHANGES.c.model, CHANGES.c.dimensions]
    columns += [CHANGES.c.replaced_model, CHANGES.c.replaced_dimensions]
    chosen = select(*columns).where(CHANGES.c.collection_id == collection.id)
    models = {(collection.model, collection.dimensions)}
    for row in connection.execute(chosen):
        models |= {(row.model, row.dimensions), (row.replaced_model, row.replaced_dimensions)}
    return tuple(sorted(models))


def _certificate(
    erasure: Erasure,
    now: datetime,
    out_of_reach: tuple[str, ...],
    remainders: tuple[Remainder, ...],
) -> ErasureCertificate:
    done = _DONE_WITH_COLLECTION if erasure.erased.whole_collection else _DONE
    return ErasureCertificate(
        erasure.id,
        erasure.collection_id,
        erasure.erased,
        erasure.begun_at,
        now,
        (*done, *erasure.done),
        out_of_reach,
        (*erasure.remainders, *remainders),
    )


def _rows(
    connection: Connection,
    table: Table,
    collection_id: UUID,
    column: Column[T],
    values: Sequence[T],
) -> dict[int, UUID]:
    """Give number and id of the collection's rows that have one of some values, by number."""
    found = {
        row.number: row.id
        for some in in_batches(values, _AT_ONCE)
        for row in connection.execute(
            select(table.c.number, table.c.id).where(
                table.c.collection_id == collection_id, column.in_(some)
            )
        )
    }
    # Not sorted there: SQLite would read the whole collection in order instead.
    return dict(sorted(found.items()))


def _subjects_of(connection: Connection, numbers: Sequence[int]) -> set[int]:
    return {
        number
        for some in in_batches(numbers, _AT_ONCE)
        for number in connection.execute(
            select(REFERENCES.c.subject_number).where(REFERENCES.c.number.in_(some))
        ).scalars()
        if number is not None
    }


def _with_references(connection: Connection, subject_numbers: Sequence[int]) -> set[int]:
    """Give those of some subjects that have references."""
    column = REFERENCES.c.subject_number
    return {
        number
        for some in in_batches(subject_numbers, _AT_ONCE)
        for number in connection.execute(
            select(column).where(column.in_(some)).distinct()
        ).scalars()
    }


def _count(connection: Connection, chosen: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).where(chosen)).scalar_one()


def _delete(connection: Connection, column: Column[int], numbers: Sequence[int]) -> None:
    for some in in_batches(numbers, _AT_ONCE):
        connection.execute(delete(column.table).where(column.in_(some)))


def _delete_all(database: Database, keyring: Keyring, erasure: Erasure) -> None:
    """Delete a collection's references and subjects, in acts that keep nobody waiting for long.

    Subjects, and references that are nobody's, are marked.
    """
    tables = (REFERENCES, REASSIGNMENTS, REMOVALS, SUBJECTS)
    for key in (STAGED.c.reference_number, *(table.c.number for table in tables)):

        def delete_some(connection: Connection, key: Column[int] = key) -> int:
            table = key.table
            chosen = select(key).where(table.c.collection_id == erasure.collection_id)
            some = chosen.order_by(key).limit(_AT_ONCE)
            if table in (REFERENCES, SUBJECTS):
                gone = select(table.c.id).where(key.in_(some))
                if table is REFERENCES:
                    gone = gone.where(REFERENCES.c.subject_number.is_(None))
                ids = connection.execute(gone).scalars().all()
                mark_ids(connection, keyring, erasure.id, ids, Marked.WHOLE)
            return connection.execute(delete(table).where(key.in_(some))).rowcount

        while database.write(delete_some):
            pass
