"""Keep marks of who is erased."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Make the tables; of who was erased before, the erasures keep the ids of subjects."""
    op.create_table(
        "gallery_marks_key",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gallery_marks_key")),
    )
    op.create_table(
        "gallery_marks",
        sa.Column("erasure_id", Identifier, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("mark", sa.LargeBinary(16), nullable=False),
        sa.PrimaryKeyConstraint("erasure_id", "kind", "mark", name=op.f("pk_gallery_marks")),
    )
    op.create_index("ix_gallery_marks_mark", "gallery_marks", ["mark"])
