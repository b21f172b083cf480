"""Whose are references? Given to subjects and taken from them, as functions over a connection.

That changes what a subject's references fuse to, and no new reference tells of it: each change has
a number of its own, by which the index of subjects follows. See `Gallery.follow_assignment`.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import Conflict
from likeness.gallery import erasure, proofs, references, subjects
from likeness.gallery.collections import StoredCollection
from likeness.gallery.erasure import Erasure
from likeness.gallery.journals import note_reassigned
from likeness.gallery.seal import Seal
from likeness.gallery.tables import REFERENCES


def give(
    connection: Connection, seal: Seal, subject_id: UUID, reference_ids: Sequence[UUID]
) -> int:
    """Make references a subject's, all or none; those that are theirs already stay so.

    Gives the number that indexes have to follow.

    Raises:
        NotFound: the collection has no such subject, or one of the references not.
        Conflict: one is another subject's.
        KeyUnusable: one was changed from outside.
    """
    subject = subjects.by_id(connection, seal, subject_id)
    for one in references.by_ids(connection, seal, reference_ids):
        if one.subject_number not in (None, subject.number):
            raise Conflict(
                f"references of nobody were expected and {one.id} is another subject's: take it"
                " from them first"
            )
    proofs.assign(
        connection, seal, REFERENCES.c.id.in_(reference_ids), (subject.number, subject.id)
    )
    return note_reassigned(connection, seal.collection_id, [subject.number])


def take(
    connection: Connection, seal: Seal, subject_id: UUID, reference_ids: Sequence[UUID]
) -> int:
    """Take references from a subject, all or none; they stay enrolled, unnamed.

    Gives the number that indexes have to follow.

    Raises:
        NotFound: the collection has no such subject, or one of the references not.
        Conflict: one is not the subject's.
    """
    subject = subjects.by_id(connection, seal, subject_id)
    for one in references.by_ids(connection, seal, reference_ids):
        if one.subject_number != subject.number:
            raise Conflict(
                f"references of subject {subject_id} were expected and {one.id} is none: leave it"
                " out"
            )
    proofs.assign(connection, seal, REFERENCES.c.id.in_(reference_ids), None)
    return note_reassigned(connection, seal.collection_id, [subject.number])


def dissolve(
    connection: Connection,
    collection: StoredCollection,
    seal: Seal,
    subject_id: UUID,
    now: datetime,
) -> Erasure:
    """Begin to erase a subject alone; all their references stay enrolled, unnamed.

    Raises:
        NotFound: the collection has no such subject.
    """
    subject = subjects.by_id(connection, seal, subject_id)
    proofs.assign(connection, seal, REFERENCES.c.subject_number == subject.number, None)
    return erasure.begin(connection, collection, now, subject_ids=[subject_id])
