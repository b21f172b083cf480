"""Let people sign in: passwords beside access keys, sessions, and wrong guesses."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Instant

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "access_passwords",
        sa.Column("key_id", Identifier, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["key_id"], ["access_keys.id"], name=op.f("fk_access_passwords_key_id_access_keys")
        ),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_access_passwords")),
    )
    op.create_table(
        "access_sessions",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("key_id", Identifier, nullable=False),
        sa.Column("proof", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("seen_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["key_id"], ["access_keys.id"], name=op.f("fk_access_sessions_key_id_access_keys")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_access_sessions")),
    )
    op.create_index("ix_access_sessions_key_id", "access_sessions", ["key_id"])
    op.create_table(
        "access_guesses",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_access_guesses")),
    )
    op.create_index("ix_access_guesses_last_at", "access_guesses", ["last_at"])
