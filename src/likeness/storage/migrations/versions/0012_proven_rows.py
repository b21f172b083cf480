"""Make what lets every program's indexes let go of the erased, and proofs of references' rows."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Serial

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make them; who holds the keys writes the proofs of rows that are there."""
    for table, proof in (
        ("gallery_references", "statistics_proof"),
        ("gallery_references", "subject_proof"),
        ("gallery_staged", "statistics_proof"),
    ):
        op.add_column(table, sa.Column(proof, sa.LargeBinary(16)))
    op.create_index(
        op.f("ix_gallery_references_subject_number_collection_id"),
        "gallery_references",
        ["subject_number", "collection_id"],
    )
    op.drop_index(op.f("ix_gallery_references_subject_number"), "gallery_references")
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
