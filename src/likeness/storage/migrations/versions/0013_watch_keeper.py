"""Let a watch remember what its keeper declared when it was admitted."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the column; of a watch begun before, nothing is known."""
    op.add_column("review_watches", sa.Column("sealed_keeper", sa.LargeBinary))
