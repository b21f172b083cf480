"""Make the table that says which installation this is, and its one row."""

from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Instant

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make it."""
    installation = op.create_table(
        "installation",
        sa.Column("id", Identifier, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.bulk_insert(installation, [{"id": uuid4(), "created_at": datetime.now(UTC)}])
