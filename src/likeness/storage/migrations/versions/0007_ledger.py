"""Make the tables of the ledger."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Serial

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "ledger_entries",
        sa.Column("position", Serial, autoincrement=False, nullable=False),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.Column("mark", sa.LargeBinary(16), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_ledger_entries")),
    )
    op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_head")),
    )
    op.create_table(
        "ledger_keys",
        sa.Column("public_key", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed_signing_key", sa.LargeBinary, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("secret_since", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("public_key", name=op.f("pk_ledger_keys")),
    )
    op.create_table(
        "ledger_subject_keys",
        sa.Column("id", Identifier, nullable=False),
        sa.Column("sealed_key", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_subject_keys")),
    )
