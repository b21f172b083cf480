"""Sweep: erase what has been kept long enough, collection by collection, each part on record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import Denied
from likeness.gallery import Collection, Erasure, ErasureCertificate, Gallery
from likeness.service.uses.record import Desk, Outcome
from likeness.terms import Action, Principal, Use


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep erased; a subject goes with the last of their references.

    Among the certificates are those of erasures begun before, which the sweep finished.
    """

    at: datetime
    certificates: tuple[ErasureCertificate, ...]

    @property
    def references(self) -> int:
        """How many references were erased."""
        return sum(one.erased.references for one in self.certificates)

    @property
    def subjects(self) -> int:
        """How many subjects were erased."""
        return sum(one.erased.subjects for one in self.certificates)


def sweep_collections(
    gallery: Gallery, desk: Desk, principal: Principal, now: datetime
) -> SweepReport:
    """Erase references past their date or their collection's days; finish what was begun before.

    Raises:
        Denied: a rule forbids it of a collection; of all others it is done.
        Conflict, IndexUnavailable, SnapshotUnusable, DatabaseUnavailable: as for `Erasing.finish`.
    """
    begun, denied = gallery.erasing.pending(), list[Denied]()
    for collection in gallery.collections():
        try:
            while due := collection.due(now):
                begun.append(_swept(gallery, desk, principal, collection, due, now))
        except Denied as error:
            denied.append(error)
    report = SweepReport(now, tuple(gallery.erasing.finish(begun)))
    if denied:
        raise denied[0]
    return report


def _swept(
    gallery: Gallery,
    desk: Desk,
    principal: Principal,
    collection: Collection,
    due: Sequence[UUID],
    now: datetime,
) -> Erasure:
    def begin(connection: Connection) -> Erasure:
        rows = collection.within(connection)
        return rows.begin_erasure(now, reference_ids=due, with_emptied=True)

    def outcome(begun: Erasure) -> Outcome:
        subject_ids = begun.erased.subject_ids
        return Outcome(
            reference_ids=tuple(due),
            subject_ids=subject_ids,
            certificate_id=begun.id,
            forgotten=(*due, *subject_ids),
        )

    use = Use(principal, Action.ERASE, "SweepCollection", collection.id)
    with desk.record(use) as record:
        return record.write(begin, outcome)
