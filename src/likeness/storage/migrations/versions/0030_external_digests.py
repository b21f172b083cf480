"""Keep digests of the ids that clients chose for references, so that they are found."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Add the column; rows from before are opened when somebody looks for such an id."""
    op.add_column("gallery_references", sa.Column("external_digest", sa.LargeBinary(32)))
    op.create_index(
        "ix_gallery_references_external_digest",
        "gallery_references",
        ["collection_id", "external_digest"],
    )
