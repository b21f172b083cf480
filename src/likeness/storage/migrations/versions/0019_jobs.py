"""Keep jobs: long work, what it has done so far, and what came of it."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Instant, Serial

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Make the tables of jobs; there were none before."""
    op.create_table(
        "jobs_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs_state")),
    )
    op.create_table(
        "jobs_jobs",
        sa.Column("number", Serial, nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("act", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("principal_id", sa.String(255), nullable=False),
        sa.Column("collection_id", Identifier),
        sa.Column("made_at", Instant, nullable=False),
        sa.Column("begun_at", Instant),
        sa.Column("ended_at", Instant),
        sa.Column("beat_at", Instant),
        sa.Column("runner", sa.String(64)),
        sa.Column("done_ms", sa.BigInteger(), nullable=False),
        sa.Column("total_ms", sa.BigInteger(), nullable=False),
        sa.Column("failure", sa.String(64)),
        sa.Column("sealed_failure_text", sa.LargeBinary()),
        sa.Column("local", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("same_as_digest", sa.LargeBinary(32)),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_request", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_told", sa.LargeBinary()),
        sa.Column("notice_due_at", Instant),
        sa.Column("notice_attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_jobs_jobs")),
        sa.UniqueConstraint("id", name=op.f("uq_jobs_jobs_id")),
        sqlite_autoincrement=True,
    )
    for name in (
        "state",
        "principal_id",
        "collection_id",
        "ended_at",
        "same_as_digest",
        "notice_due_at",
    ):
        op.create_index(op.f(f"ix_jobs_jobs_{name}"), "jobs_jobs", [name])
    _create_part(
        "jobs_segments",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        key=("number",),
    )
    _create_part(
        "jobs_results",
        sa.Column("part", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        key=("part", "number"),
    )
    by_owner = ["job_number", "part", "owner", "number"]
    op.create_index(op.f(f"ix_jobs_results_{'_'.join(by_owner)}"), "jobs_results", by_owner)
    _create_part(
        "jobs_mentions",
        sa.Column("owner", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rank", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reference_id", Identifier),
        sa.Column("subject_id", Identifier),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        key=("owner", "rank"),
    )
    for name in ("reference_id", "subject_id"):
        op.create_index(op.f(f"ix_jobs_mentions_{name}"), "jobs_mentions", [name])


def _create_part(table: str, *columns: sa.Column[object], key: tuple[str, ...]) -> None:
    """Make a table whose rows belong to a job each."""
    op.create_table(
        table,
        sa.Column("job_number", Serial, autoincrement=False, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("job_number", *key, name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(
            ["job_number"], ["jobs_jobs.number"], name=op.f(f"fk_{table}_job_number")
        ),
    )
