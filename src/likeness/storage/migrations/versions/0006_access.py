"""Make the tables of access keys."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Instant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make them, and the one row that counts changes."""
    op.create_table(
        "access_keys",
        sa.Column("id", Identifier, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("organisation", sa.String(255), nullable=False),
        sa.Column("sector", sa.String, nullable=False),
        sa.Column("jurisdiction", sa.String, nullable=False),
        sa.Column("purposes", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("disabled_at", Instant),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_keys")),
        sa.UniqueConstraint("name", name=op.f("uq_access_keys_name")),
    )
    op.create_table(
        "access_secrets",
        sa.Column("access_key_id", sa.String(20), nullable=False),
        sa.Column("key_id", Identifier, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("ends_at", Instant),
        sa.PrimaryKeyConstraint("access_key_id", name=op.f("pk_access_secrets")),
        sa.ForeignKeyConstraint(
            ["key_id"], ["access_keys.id"], name=op.f("fk_access_secrets_key_id")
        ),
    )
    op.create_index(op.f("ix_access_secrets_key_id"), "access_secrets", ["key_id"])
    state = op.create_table(
        "access_state",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("sealed_token_key", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_state")),
    )
    op.bulk_insert(state, [{"id": 1, "revision": 0}])
    op.create_table(
        "access_request_tokens",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("input_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed_response", sa.LargeBinary, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_access_request_tokens")),
    )
    op.create_index(
        op.f("ix_access_request_tokens_created_at"), "access_request_tokens", ["created_at"]
    )
