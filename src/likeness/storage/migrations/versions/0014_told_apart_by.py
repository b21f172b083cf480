"""Let a pair that was told apart remember how many people agreed on it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column; of a pair from before, no more than one person is known."""
    column = sa.Column("reviews", sa.Integer, nullable=False, server_default="1")
    op.add_column("review_told_apart", column)
