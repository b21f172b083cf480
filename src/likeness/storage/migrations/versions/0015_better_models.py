"""Make the table that remembers which collections' users were told of a better model."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make it; nobody was told yet."""
    op.create_table(
        "gallery_better_models",
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("recogniser", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint(
            "collection_id", "recogniser", name=op.f("pk_gallery_better_models")
        ),
    )
