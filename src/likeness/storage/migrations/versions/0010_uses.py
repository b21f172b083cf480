"""Make the table that counts the uses of a day."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make it."""
    op.create_table(
        "policy_uses",
        sa.Column("organisation", sa.String(255), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("uses", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("organisation", "day", name=op.f("pk_policy_uses")),
    )
