"""Index references by their sample, whose id is now a keyed digest of its bytes.

Ids that were drawn, before, belong to no release: their rows stay as they are.
"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the index."""
    name = op.f("ix_gallery_references_collection_id_sample_id")
    op.create_index(name, "gallery_references", ["collection_id", "sample_id"])
