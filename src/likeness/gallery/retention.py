"""What has been kept long enough? References past their own date or their collection's days."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, or_, select

from likeness.gallery.certificate import ErasureCertificate
from likeness.gallery.collections import StoredCollection
from likeness.gallery.tables import REFERENCES

# Of one erasure.
_AT_ONCE = 10_000


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


def due(connection: Connection, collection: StoredCollection, now: datetime) -> list[UUID]:
    """List references to be erased, not more than belong into one erasure."""
    past = [REFERENCES.c.expires_at <= now]
    if collection.retention_days is not None:
        past.append(REFERENCES.c.created_at <= now - timedelta(collection.retention_days))
    chosen = select(REFERENCES.c.id).where(REFERENCES.c.collection_id == collection.id, or_(*past))
    return list(connection.execute(chosen.limit(_AT_ONCE)).scalars())
