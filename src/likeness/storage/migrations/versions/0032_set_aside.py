"""Keep which unnamed faces people do not want to be asked about."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Instant

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Add the column; nobody was asked before."""
    op.add_column("gallery_references", sa.Column("set_aside_at", Instant, nullable=True))
    set_aside = sa.text("set_aside_at IS NOT NULL")
    op.create_index(
        "ix_gallery_references_set_aside",
        "gallery_references",
        ["subject_number", "collection_id"],
        sqlite_where=set_aside,
        postgresql_where=set_aside,
    )
