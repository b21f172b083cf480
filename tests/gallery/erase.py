"""Erasures as services do them, with nothing of anybody else's in the same transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import cast
from uuid import UUID

from sqlalchemy import Connection

from likeness.gallery import Erasure, ErasureCertificate, Gallery
from likeness.service.erase.erase import SweepReport, sweep_collections
from likeness.service.uses import Home
from likeness.service.uses.record import Desk
from likeness.terms import Principal, Role
from tests.service.unrecorded import UnrecordedDesk


def subject(gallery: Gallery, name: str, subject_id: UUID) -> ErasureCertificate:
    """Erase a subject and all their references."""
    collection = gallery.collection(name)

    def begin(connection: Connection) -> Erasure:
        rows = collection.within(connection)
        ids = [rows.subjects.by_id(subject_id).id]
        return rows.begin_erasure(gallery._clock(), subject_ids=ids)

    return _erased(gallery, begin)


def subject_alone(gallery: Gallery, name: str, subject_id: UUID) -> ErasureCertificate:
    """Erase a subject whose references stay enrolled, unnamed."""
    collection = gallery.collection(name)
    return _erased(gallery, lambda c: collection.within(c).dissolve(subject_id, gallery._clock()))


def some_references(
    gallery: Gallery, name: str, reference_ids: Sequence[UUID]
) -> ErasureCertificate:
    """Erase references; their subjects stay."""
    collection = gallery.collection(name)

    def begin(connection: Connection) -> Erasure:
        rows = collection.within(connection)
        rows.references.by_ids(reference_ids)
        return rows.begin_erasure(gallery._clock(), reference_ids=reference_ids)

    return _erased(gallery, begin)


def collection(gallery: Gallery, name: str) -> ErasureCertificate:
    """Erase a collection."""
    found = gallery.collection(name)
    return _erased(gallery, lambda c: found.begin_erasure(c, gallery._clock())[0])


def sweep(gallery: Gallery, now: datetime | None = None, desk: Desk | None = None) -> SweepReport:
    """Erase what has been kept long enough."""
    acting = SimpleNamespace(
        gallery=gallery,
        keyring=gallery._keyring,
        desk=desk or UnrecordedDesk(gallery.database),
        somebody=Principal("local:test", Role.ADMIN),
        clock=lambda: now or gallery._clock(),
    )
    return sweep_collections(cast(Home, acting))


def _erased(gallery: Gallery, begin: Callable[[Connection], Erasure]) -> ErasureCertificate:
    return gallery.erasing.finish([gallery.database.write(begin)])[0]
