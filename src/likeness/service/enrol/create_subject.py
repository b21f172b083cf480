"""Make a subject, who has no references yet."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from likeness.gallery import Collection
from likeness.service.uses.record import Outcome, Record

Act = Callable[[Connection], UUID]


def create_subject(
    record: Record, collection: Collection, name: str, now: datetime, once: Callable[[Act], Act]
) -> UUID:
    """Make a subject of a collection; `once` lets a request that comes again change nothing.

    Raises:
        InvalidRequest: the name cannot be kept.
        AlreadyExists: the collection has one of that name.
        NotFound: the collection was erased meanwhile.
    """

    def create(connection: Connection) -> UUID:
        return collection.within(connection).subjects.create(name, now).id

    return record.write(once(create), lambda made: Outcome(subject_ids=(made,)))
