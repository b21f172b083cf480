"""Where sources and stream processors lie: names in the clear, all else under a key for each.

A row's key is in it, sealed by the installation's.
"""

from sqlalchemy import Column, LargeBinary, String, Table, UniqueConstraint

from likeness.storage import METADATA, Identifier, Instant

SOURCES = Table(
    "sources_sources",
    METADATA,
    Column("id", Identifier, primary_key=True),
    Column("name", String(128), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("footage", String(64), nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("added_by", String(255), nullable=False),
    Column("sealed_key", LargeBinary, nullable=False),
    # JSON: the address with user and password, that without them, and where the source looks.
    Column("sealed_address", LargeBinary, nullable=False),
    UniqueConstraint("name"),
)

# AWS's word: a live search under a name, to be started and stopped.
PROCESSORS = Table(
    "sources_processors",
    METADATA,
    Column("id", Identifier, primary_key=True),
    Column("name", String(128), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_by", String(255), nullable=False),
    Column("changed_at", Instant, nullable=False),
    # The job that was started of it last; that may be deleted by now.
    Column("job_id", String(64)),
    Column("sealed_key", LargeBinary, nullable=False),
    # JSON: what it searches, and tells.
    Column("sealed_definition", LargeBinary, nullable=False),
    UniqueConstraint("name"),
)
