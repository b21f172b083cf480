"""Make what lets every program's indexes let go of the erased."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Serial

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make it."""
    op.create_table(
        "gallery_removals",
        sa.Column("number", Serial, nullable=False),
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("reference_number", Serial, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_gallery_removals")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_gallery_removals_collection_id_number"),
        "gallery_removals",
        ["collection_id", "number"],
    )
