"""Keep report cards that were accepted as evidence about a model."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Instant

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the table of accepted report cards; none was accepted before."""
    op.create_table(
        "policy_evidence",
        sa.Column("id", Identifier, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("test", sa.String(64), nullable=False),
        sa.Column("least_true_positives", sa.BigInteger(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("card_digest", sa.String(64), nullable=False),
        sa.Column("public_key", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.Column("accepted_at", Instant, nullable=False),
        sa.Column("accepted_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_evidence")),
        sa.UniqueConstraint("card_digest", name=op.f("uq_policy_evidence_card_digest")),
    )
