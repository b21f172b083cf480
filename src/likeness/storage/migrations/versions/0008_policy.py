"""Make the tables of policy, with the packs that are enabled from the beginning."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Instant

revision = "0008"
down_revision = "0007"

_FROM_THE_BEGINNING = ("amazon-2020", "authenticated-use", "real-time")


def upgrade() -> None:
    """Make them, and the one row that counts changes."""
    now = datetime.now(UTC)
    packs = op.create_table(
        "policy_packs",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("choices", sa.Text, nullable=False),
        sa.Column("facts", sa.Text),
        sa.Column("rules", sa.Text),
        sa.Column("changed_at", Instant, nullable=False),
        sa.Column("changed_by", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_policy_packs")),
        sa.CheckConstraint("(facts IS NULL) = (rules IS NULL)", name=op.f("ck_policy_packs_own")),
    )
    op.bulk_insert(
        packs,
        [
            {"name": name, "choices": "{}", "changed_at": now, "changed_by": "installation"}
            for name in _FROM_THE_BEGINNING
        ],
    )
    op.create_table(
        "policy_suspensions",
        sa.Column("id", Identifier, nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", Instant, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_suspensions")),
        sa.UniqueConstraint("scope", "subject", name=op.f("uq_policy_suspensions_scope_subject")),
    )
    state = op.create_table(
        "policy_state",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("changed_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_state")),
    )
    op.bulk_insert(state, [{"id": 1, "revision": 0, "changed_at": now}])
