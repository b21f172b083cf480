"""Remove a subject; all their references stay enrolled, as nobody's."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from likeness.gallery import Collection, Erasure, Gallery
from likeness.service.erase.carry_through import carry_through
from likeness.service.uses.record import Outcome, Record

Act = Callable[[Connection], UUID]


def dissolve_subject(
    record: Record,
    gallery: Gallery,
    collection: Collection,
    name: str,
    now: datetime,
    once: Callable[[Act], Act],
) -> None:
    """Remove the subject of a name; `once` lets a request that comes again change nothing.

    Raises:
        NotFound: there is no such subject.
    """
    begun: list[Erasure] = []  # stays empty where the request came before

    def dissolve(connection: Connection) -> UUID:
        rows = collection.within(connection)
        begun[:] = [rows.dissolve(rows.subjects.get(name).id, now)]
        return begun[0].id

    def outcome(erasure_id: UUID) -> Outcome:
        forgotten = [one for erasure in begun for one in erasure.erased.subject_ids]
        return Outcome(certificate_id=erasure_id, forgotten=forgotten)

    record.write(once(dissolve), outcome)
    carry_through(gallery, begun)
