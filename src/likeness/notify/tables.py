"""Where does what is to be told lie? Targets with their secrets, and messages until they arrive."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Table, Text

from likeness.storage import METADATA, Identifier, Instant

TARGETS = Table(
    "notify_targets",
    METADATA,
    Column("id", Identifier, primary_key=True),
    # JSON: the URL, which may hold a token, and what signs; sealed by the installation's key.
    Column("sealed_address", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
)

OUTBOX = Table(
    "notify_outbox",
    METADATA,
    Column("id", Identifier, primary_key=True),
    Column("target_id", Identifier, ForeignKey(TARGETS.c.id), nullable=False, index=True),
    # JSON: ids of ours alone.
    Column("payload", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False, index=True),
)
