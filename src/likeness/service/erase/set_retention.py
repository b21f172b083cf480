"""Choose how long a collection keeps its references."""

from sqlalchemy import Connection

from likeness.gallery import Collection, Collections
from likeness.service.uses.record import Outcome, Record


def set_retention(
    record: Record, collections: Collections, name: str, days: int | None
) -> Collection:
    """Keep references so many days, None for good; the next sweep goes by it.

    Raises:
        NotFound: there is no such collection.
        InvalidRequest: it is no number of days.
    """

    def act(connection: Connection) -> Collection:
        collections.named(connection, name).within(connection).set_retention(days)
        return collections.named(connection, name)

    kept = "for good" if days is None else str(days)
    return record.write(act, lambda _: Outcome(details={"retention_days": kept}))
