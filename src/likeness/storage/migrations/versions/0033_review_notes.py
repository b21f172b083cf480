"""Keep what reviewers note of a face before they see candidates, and what they found in them."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Instant

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Add the table and the column."""
    op.create_table(
        "review_notes",
        sa.Column("case_id", Identifier, nullable=False),
        sa.Column("reviewer_id", sa.String(255), nullable=False),
        sa.Column("sealed_note", sa.LargeBinary(), nullable=False),
        sa.Column("given_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["review_cases.id"], name=op.f("fk_review_notes_case_id_review_cases")
        ),
        sa.PrimaryKeyConstraint("case_id", "reviewer_id", name=op.f("pk_review_notes")),
    )
    op.add_column("review_verdicts", sa.Column("sealed_findings", sa.LargeBinary()))
