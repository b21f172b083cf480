"""Keep sources: cameras, streams and files that an admin registered."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Instant

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Make the table of sources; none was registered before."""
    op.create_table(
        "sources_sources",
        sa.Column("id", Identifier, nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("footage", sa.String(64), nullable=False),
        sa.Column("added_at", Instant, nullable=False),
        sa.Column("added_by", sa.String(255), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_address", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources_sources")),
        sa.UniqueConstraint("name", name=op.f("uq_sources_sources_name")),
    )
