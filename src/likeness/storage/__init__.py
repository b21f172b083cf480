"""Rows, in one SQL database: read by many acts at a time, written by one."""

from likeness.storage.database import Database, Freshness, open_database
from likeness.storage.engine import (
    PostgresServer,
    SqliteFile,
    faults_of,
    read_address,
    reading_engine,
)
from likeness.storage.metadata import (
    METADATA,
    Identifier,
    Installation,
    Instant,
    OneOf,
    Serial,
    read_installation,
)
from likeness.storage.schema import current, head, migrate
from likeness.storage.scrubbing import Scrubbing, scrub

__all__ = [
    "METADATA",
    "Database",
    "Freshness",
    "Identifier",
    "Installation",
    "Instant",
    "OneOf",
    "PostgresServer",
    "Scrubbing",
    "Serial",
    "SqliteFile",
    "current",
    "faults_of",
    "head",
    "migrate",
    "open_database",
    "read_address",
    "read_installation",
    "reading_engine",
    "scrub",
]
