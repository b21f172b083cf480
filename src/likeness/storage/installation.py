"""Which installation is this? One row, made with the database."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, Connection, Table, select

from likeness.storage.metadata import METADATA, Identifier, Instant

INSTALLATION = Table(
    "installation",
    METADATA,
    Column("id", Identifier, primary_key=True),
    Column("created_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Installation:
    """What tells one database of Likeness from another."""

    id: UUID
    created_at: datetime


def read_installation(connection: Connection) -> Installation:
    """Read what installation a migrated database is."""
    row = connection.execute(select(INSTALLATION.c.id, INSTALLATION.c.created_at)).one()
    return Installation(row.id, row.created_at)
