"""Make the tables for changing models: collections' own cohorts, changes, staged references."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Instant, Serial

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "gallery_cohorts",
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("sealed_cohort", sa.LargeBinary, nullable=False),
        sa.Column("calibration", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("collection_id", "version", name=op.f("pk_gallery_cohorts")),
    )
    op.create_table(
        "gallery_changes",
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("dimensions", sa.Integer, nullable=False),
        sa.Column("cohort_version", sa.String, nullable=False),
        sa.Column("replaced_model", sa.String, nullable=False),
        sa.Column("replaced_dimensions", sa.Integer, nullable=False),
        sa.Column("begun_at", Instant, nullable=False),
        sa.Column("ended_at", Instant),
        sa.PrimaryKeyConstraint("collection_id", name=op.f("pk_gallery_changes")),
    )
    op.create_table(
        "gallery_staged",
        sa.Column("reference_number", Serial, autoincrement=False, nullable=False),
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("sealed_vector", sa.LargeBinary),
        sa.Column("sealed_details", sa.LargeBinary),
        sa.Column("face_digest", sa.LargeBinary(32)),
        sa.Column("cohort_mean", sa.Float(53), nullable=False),
        sa.Column("cohort_deviation", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("reference_number", name=op.f("pk_gallery_staged")),
        sa.UniqueConstraint(
            "collection_id",
            "face_digest",
            name=op.f("uq_gallery_staged_collection_id_face_digest"),
        ),
        sa.ForeignKeyConstraint(
            ["reference_number"],
            ["gallery_references.number"],
            name=op.f("fk_gallery_staged_reference_number"),
        ),
    )
    op.create_index(
        op.f("ix_gallery_staged_collection_id_reference_number"),
        "gallery_staged",
        ["collection_id", "reference_number"],
    )
