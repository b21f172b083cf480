"""Let jobs last until somebody asks for their end."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Instant

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Say which jobs last; none of before does."""
    op.add_column(
        "jobs_jobs", sa.Column("lasting", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("jobs_jobs", sa.Column("asked_to_end_at", Instant))
