"""Rows, in one SQL database: read by many acts at a time, written by one."""

from likeness.storage.damage import (
    Damage,
    DamagedRow,
    leaving_out,
    legible,
    legible_named,
    legible_page,
    legible_rows,
    note_damage,
)
from likeness.storage.database import Database, Freshness, open_database
from likeness.storage.engine import (
    PostgresServer,
    SqliteFile,
    faults_of,
    read_address,
    reading_engine,
)
from likeness.storage.integrity import problems_of, require_sound
from likeness.storage.metadata import (
    METADATA,
    AsStored,
    DatabaseIdentity,
    Identifier,
    Instant,
    OneOf,
    Serial,
    read_identity,
    select_as_stored,
)
from likeness.storage.schema import current, head, migrate
from likeness.storage.scrubbing import Scrubbing, scrub

__all__ = [
    "METADATA",
    "AsStored",
    "Damage",
    "DamagedRow",
    "Database",
    "DatabaseIdentity",
    "Freshness",
    "Identifier",
    "Instant",
    "OneOf",
    "PostgresServer",
    "Scrubbing",
    "Serial",
    "SqliteFile",
    "current",
    "faults_of",
    "head",
    "leaving_out",
    "legible",
    "legible_named",
    "legible_page",
    "legible_rows",
    "migrate",
    "note_damage",
    "open_database",
    "problems_of",
    "read_address",
    "read_identity",
    "reading_engine",
    "require_sound",
    "scrub",
    "select_as_stored",
]
