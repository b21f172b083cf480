"""Keep how far the results of jobs were delivered."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Instant, Serial

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Make the table of deliveries; nothing was delivered before."""
    op.create_table(
        "jobs_deliveries",
        sa.Column("job_number", Serial, autoincrement=False, nullable=False),
        sa.Column("part", sa.String(16), nullable=False),
        sa.Column("arrived", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("job_number", name=op.f("pk_jobs_deliveries")),
        sa.ForeignKeyConstraint(
            ["job_number"], ["jobs_jobs.number"], name=op.f("fk_jobs_deliveries_job_number")
        ),
    )
    op.create_index(op.f("ix_jobs_deliveries_due_at"), "jobs_deliveries", ["due_at"])
