"""Make an empty collection, of one model for good, with its tags."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from likeness.gallery import Collection, Collections
from likeness.service.uses.collection_facts import declared_by, require_known_tags
from likeness.service.uses.home import TemplatesOf
from likeness.service.uses.record import Outcome, Record


def create_collection(
    record: Record,
    collections: Collections,
    name: str,
    templates: TemplatesOf,
    tagged: Mapping[str, str],
    now: datetime,
    retention_days: int | None = None,
) -> Collection:
    """Make an empty collection with a key of its own.

    Raises:
        InvalidRequest: name or tags cannot be kept, rules do not know what a tag declares, or the
            retention is no number of days.
        AlreadyExists: there is one of that name.
    """
    require_known_tags(tagged)

    def create(connection: Connection) -> Collection:
        collection = collections.create(
            connection,
            name,
            model=templates.model,
            dimensions=templates.dimensions,
            cohort_version=templates.cohort_version,
            retention_days=retention_days,
            now=now,
        )
        collection.within(connection).tags.put(tagged)
        return collection

    return record.write(create, lambda _: Outcome(details=declared_by("tagged", tagged)))
