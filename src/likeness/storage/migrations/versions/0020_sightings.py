"""Keep people seen in clips as candidates of cases: under ids of their own, with their pictures."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add what is known of a sighting; no older candidate is one."""
    for table in ("review_candidates", "review_probes"):
        op.add_column(table, sa.Column("sighting_id", Identifier))
        op.create_index(op.f(f"ix_{table}_sighting_id"), table, ["sighting_id"])
    op.add_column("review_candidates", sa.Column("sealed_crop", sa.LargeBinary()))
