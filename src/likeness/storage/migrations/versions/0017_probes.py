"""Know the face that is searched for by where it is in its sample, at every door alike."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the table of faces that cases are of; what older cases are of is found as it was."""
    op.create_table(
        "review_probes",
        sa.Column("sample_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("place", sa.String(255), nullable=False),
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("probe_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("left", sa.Float(53), nullable=False),
        sa.Column("top", sa.Float(53), nullable=False),
        sa.Column("right", sa.Float(53), nullable=False),
        sa.Column("bottom", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("sample_digest", "place", name=op.f("pk_review_probes")),
    )
    for name in ("collection_id", "probe_digest"):
        op.create_index(op.f(f"ix_review_probes_{name}"), "review_probes", [name])
