"""What comes with ids of its own? The rows of a collection that was elsewhere, put in as they were.

Subjects and references keep their ids and dates. What is keyed, digests and the ids of samples, is
made anew with the key of the collection that they come into.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Table, insert, select

from likeness.errors import Conflict, InvalidRequest
from likeness.gallery import collections
from likeness.gallery.collections import StoredCollection
from likeness.gallery.references import insert_rows, require_model, row_of
from likeness.gallery.seal import Details, Seal
from likeness.gallery.tables import REFERENCES, SUBJECTS
from likeness.index import checked_vectors
from likeness.terms import Template, checked_text


@dataclass(frozen=True, slots=True)
class ArrivingSubject:
    """A subject as it was elsewhere."""

    id: UUID
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, eq=False)
class ArrivingReference:
    """A reference as it was elsewhere; `subject_id` is None for somebody unnamed."""

    id: UUID
    subject_id: UUID | None
    template: Template
    details: Details
    created_at: datetime
    expires_at: datetime | None


def insert_subjects(
    connection: Connection, seal: Seal, arriving: Sequence[ArrivingSubject]
) -> None:
    """Put in up to a few thousand subjects, their names spelt as they came.

    Where an older Likeness kept one name in two spellings, they stay two subjects.

    Raises:
        InvalidRequest: a name cannot be kept, or comes twice.
        Conflict: an id is taken.
    """
    _require_free(connection, SUBJECTS, [one.id for one in arriving])
    digests = [seal.name_digest(checked_text(one.name, "a subject's name")) for one in arriving]
    taken = select(SUBJECTS.c.id).where(
        SUBJECTS.c.collection_id == seal.collection_id, SUBJECTS.c.name_digest.in_(digests)
    )
    if len(set(digests)) < len(digests) or connection.execute(taken).first() is not None:
        raise InvalidRequest("subjects of different names were expected and two share one")
    rows = [
        {
            "id": one.id,
            "collection_id": seal.collection_id,
            "sealed_name": seal.name(one.id, one.name),
            "name_digest": digest,
            "created_at": one.created_at,
        }
        for one, digest in zip(arriving, digests, strict=True)
    ]
    if rows:
        connection.execute(insert(SUBJECTS), rows)
        collections.grow(connection, seal.collection_id, subjects=len(rows))


def insert_references(
    connection: Connection,
    collection: StoredCollection,
    seal: Seal,
    arriving: Sequence[ArrivingReference],
) -> None:
    """Put in up to a few thousand references, whose subjects are there already.

    Raises:
        InvalidRequest: a template is not of length one, an external id cannot be kept, a subject is
            not there, or a face comes twice.
        ModelMismatch: a template is of another model or cohort than the collection's.
        Conflict: an id is taken.
    """
    for one in arriving:
        require_model(one.template, collection)
        checked_vectors(one.template.vector[None], collection.model, collection.dimensions)
        if one.details.external_id is not None:
            checked_text(one.details.external_id, "an external id")
    _require_free(connection, REFERENCES, [one.id for one in arriving])
    numbers = _numbers_of(connection, seal, {one.subject_id for one in arriving} - {None})
    rows = [
        row_of(
            seal,
            one.id,
            None if one.subject_id is None else numbers[one.subject_id],
            one.template,
            one.details,
            one.created_at,
            one.expires_at,
        )
        for one in arriving
    ]
    digests = [row["face_digest"] for row in rows]
    taken = select(REFERENCES.c.id).where(
        REFERENCES.c.collection_id == seal.collection_id, REFERENCES.c.face_digest.in_(digests)
    )
    if len(set(digests)) < len(digests) or connection.execute(taken).first() is not None:
        raise InvalidRequest("different faces were expected and one face of one picture came twice")
    ids = {numbers[one.subject_id]: one.subject_id for one in arriving if one.subject_id}
    insert_rows(connection, seal, rows, ids)


def _require_free(connection: Connection, table: Table, ids: Sequence[UUID]) -> None:
    taken = connection.execute(select(table.c.id).where(table.c.id.in_(ids))).scalar()
    if taken is not None:
        raise Conflict(
            f"ids that are not taken were expected and {taken} exists here: erase the collection"
            " that has it, or leave this one where it is"
        )
    if len(set(ids)) < len(ids):
        raise InvalidRequest("ids of their own were expected and one came twice")


def _numbers_of(connection: Connection, seal: Seal, ids: Iterable[UUID | None]) -> dict[UUID, int]:
    rows = connection.execute(
        select(SUBJECTS.c.id, SUBJECTS.c.number).where(
            SUBJECTS.c.collection_id == seal.collection_id, SUBJECTS.c.id.in_(list(ids))
        )
    )
    numbers = {row.id: row.number for row in rows}
    if missing := {one for one in ids if one is not None} - numbers.keys():
        raise InvalidRequest(f"the subject of a reference was expected and {min(missing)} is none")
    return numbers
