"""Erasures as services do them, with nothing of anybody else's in the same transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from likeness.gallery import (
    Erasure,
    ErasureCertificate,
    Gallery,
    SweepReport,
    assignment,
    collections,
    erasure,
    references,
    subjects,
)
from likeness.service.erase.sweep import sweep_collections
from likeness.service.uses.record import Desk
from likeness.terms import Principal, Role
from tests.service.unrecorded import UnrecordedDesk


def subject(gallery: Gallery, name: str, subject_id: UUID) -> ErasureCertificate:
    """Erase a subject and all their references."""
    collection, opened = gallery.open(name)

    def begin(connection: Connection) -> Erasure:
        ids = [subjects.by_id(connection, opened.seal, subject_id).id]
        return erasure.begin(connection, collection, gallery._clock(), subject_ids=ids)

    return _erased(gallery, begin)


def subject_alone(gallery: Gallery, name: str, subject_id: UUID) -> ErasureCertificate:
    """Erase a subject whose references stay enrolled, unnamed."""
    collection, opened = gallery.open(name)
    return _erased(
        gallery,
        lambda connection: assignment.dissolve(
            connection, collection, opened.seal, subject_id, gallery._clock()
        ),
    )


def some_references(
    gallery: Gallery, name: str, reference_ids: Sequence[UUID]
) -> ErasureCertificate:
    """Erase references; their subjects stay."""
    collection, opened = gallery.open(name)

    def begin(connection: Connection) -> Erasure:
        references.by_ids(connection, opened.seal, reference_ids)
        return erasure.begin(connection, collection, gallery._clock(), reference_ids=reference_ids)

    return _erased(gallery, begin)


def collection(gallery: Gallery, name: str) -> ErasureCertificate:
    """Erase a collection."""
    return _erased(
        gallery,
        lambda connection: erasure.begin_collection(
            connection, collections.get(connection, name), gallery._clock()
        ),
    )


def sweep(gallery: Gallery, now: datetime | None = None, desk: Desk | None = None) -> SweepReport:
    """Erase what has been kept long enough."""
    database, somebody = gallery.database, Principal("local:test", Role.ADMIN)
    desk = desk or UnrecordedDesk(database)
    return sweep_collections(gallery, desk, somebody, now or gallery._clock())


def _erased(gallery: Gallery, begin: Callable[[Connection], Erasure]) -> ErasureCertificate:
    return gallery.erasing.finish([gallery.database.write(begin)])[0]
