"""Where sources lie: names in the clear, addresses sealed, under a key for each source.

A source's key is in its row, sealed by the installation's.
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
