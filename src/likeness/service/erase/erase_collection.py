"""Erase a collection, its key first."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from likeness.gallery import Collection, Erasure, Gallery
from likeness.service.erase.carry_through import carry_through
from likeness.service.uses.record import Outcome, Record


def erase_collection(
    record: Record, gallery: Gallery, collection: Collection, now: datetime
) -> None:
    """Erase a collection; no answer that starts after this holds anything of it.

    Raises:
        NotFound: it is erased already.
    """
    carry_through(gallery, [begin_erasing(record, collection, now)])


def begin_erasing(record: Record, collection: Collection, now: datetime) -> Erasure:
    """Destroy a collection's key, and what others keep of it; what has to follow is noted.

    Raises:
        NotFound: it is erased already.
    """

    def erase(connection: Connection) -> tuple[Erasure, list[UUID]]:
        return collection.begin_erasure(connection, now)

    def outcome(result: tuple[Erasure, list[UUID]]) -> Outcome:
        begun, everybody = result
        return Outcome(certificate_id=begun.id, forgotten=everybody, forgets_collection=True)

    return record.write(erase, outcome)[0]
