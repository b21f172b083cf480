"""Keep stream processors: live searches under names, to be started and stopped."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Instant

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Make the table of stream processors; none was defined before."""
    op.create_table(
        "sources_processors",
        sa.Column("id", Identifier, nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("made_at", Instant, nullable=False),
        sa.Column("made_by", sa.String(255), nullable=False),
        sa.Column("changed_at", Instant, nullable=False),
        sa.Column("job_id", sa.String(64)),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_definition", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources_processors")),
        sa.UniqueConstraint("name", name=op.f("uq_sources_processors_name")),
    )
