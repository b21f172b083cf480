"""Where do rows lie? In one SQL database, reached by acts that read and acts that write."""

from likeness.storage.database import Database, open_database
from likeness.storage.installation import Installation, read_installation
from likeness.storage.metadata import METADATA, Identifier, Instant, Serial
from likeness.storage.migrate import current, head, migrate, require_schema
from likeness.storage.one_of import OneOf
from likeness.storage.scrub import Scrubbing, scrub

__all__ = [
    "METADATA",
    "Database",
    "Identifier",
    "Installation",
    "Instant",
    "OneOf",
    "Scrubbing",
    "Serial",
    "current",
    "head",
    "migrate",
    "open_database",
    "read_installation",
    "require_schema",
    "scrub",
]
