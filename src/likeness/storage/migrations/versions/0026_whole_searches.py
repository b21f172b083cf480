"""Keep of which ongoing search a case is a part, and what an authority consents to."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Add both; no older case is of such a search."""
    op.add_column("review_cases", sa.Column("whole_id", Identifier))
    op.create_index(op.f("ix_review_cases_whole_id"), "review_cases", ["whole_id"])
    op.add_column("review_cases", sa.Column("sealed_statement", sa.LargeBinary()))
