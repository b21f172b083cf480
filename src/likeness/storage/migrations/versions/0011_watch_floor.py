"""Let a watch remember from which similarity on rules let it propose somebody."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the column."""
    column = sa.Column("least_similarity", sa.Float(53), nullable=False, server_default="0")
    op.add_column("review_watches", column)
