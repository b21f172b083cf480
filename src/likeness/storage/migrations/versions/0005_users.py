"""Make what Rekognition's users add to the gallery: sizes at hand, reassignments, tags."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Serial

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make them."""
    for counted in ("subject", "reference"):
        column = sa.Column(f"{counted}_count", sa.Integer, nullable=False, server_default="0")
        op.add_column("gallery_collections", column)
        op.execute(
            f"UPDATE gallery_collections SET {counted}_count = (SELECT count(*)"
            f" FROM gallery_{counted}s WHERE collection_id = gallery_collections.id)"
        )
    op.create_table(
        "gallery_reassignments",
        sa.Column("number", Serial, nullable=False),
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("subject_number", Serial, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_gallery_reassignments")),
        sa.UniqueConstraint("subject_number", name=op.f("uq_gallery_reassignments_subject_number")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_gallery_reassignments_collection_id_number"),
        "gallery_reassignments",
        ["collection_id", "number"],
    )
    op.create_table(
        "gallery_tags",
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("key_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed_tag", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("collection_id", "key_digest", name=op.f("pk_gallery_tags")),
    )
