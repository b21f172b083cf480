"""Make the tables of the gallery: collections, subjects, references, erasures."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Instant, Serial

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "gallery_collections",
        sa.Column("id", Identifier, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("dimensions", sa.Integer, nullable=False),
        sa.Column("cohort_version", sa.String, nullable=False),
        sa.Column("sealed_key", sa.LargeBinary, nullable=False),
        sa.Column("retention_days", sa.Integer),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gallery_collections")),
        sa.UniqueConstraint("name", name=op.f("uq_gallery_collections_name")),
        sa.CheckConstraint("retention_days > 0", name=op.f("ck_gallery_collections_retention")),
    )
    op.create_table(
        "gallery_subjects",
        sa.Column("number", Serial, nullable=False),
        sa.Column("id", Identifier, nullable=False),
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("sealed_name", sa.LargeBinary, nullable=False),
        sa.Column("name_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_gallery_subjects")),
        sa.UniqueConstraint("id", name=op.f("uq_gallery_subjects_id")),
        sa.UniqueConstraint(
            "collection_id",
            "name_digest",
            name=op.f("uq_gallery_subjects_collection_id_name_digest"),
        ),
        sqlite_autoincrement=True,
    )
    _index("gallery_subjects", "collection_id", "number")
    op.create_table(
        "gallery_references",
        sa.Column("number", Serial, nullable=False),
        sa.Column("id", Identifier, nullable=False),
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("subject_number", Serial),
        sa.Column("sample_id", Identifier, nullable=False),
        sa.Column("face_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed_vector", sa.LargeBinary, nullable=False),
        sa.Column("sealed_details", sa.LargeBinary, nullable=False),
        sa.Column("cohort_mean", sa.Float(53), nullable=False),
        sa.Column("cohort_deviation", sa.Float(53), nullable=False),
        sa.Column("cohort_version", sa.String, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("expires_at", Instant),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_gallery_references")),
        sa.UniqueConstraint("id", name=op.f("uq_gallery_references_id")),
        sa.UniqueConstraint(
            "collection_id",
            "face_digest",
            name=op.f("uq_gallery_references_collection_id_face_digest"),
        ),
        sa.ForeignKeyConstraint(
            ["subject_number"],
            ["gallery_subjects.number"],
            name=op.f("fk_gallery_references_subject_number"),
        ),
        sqlite_autoincrement=True,
    )
    _index("gallery_references", "subject_number")
    _index("gallery_references", "collection_id", "number")
    _index("gallery_references", "collection_id", "created_at")
    _index("gallery_references", "collection_id", "expires_at")
    op.create_table(
        "gallery_erasures",
        sa.Column("id", Identifier, nullable=False),
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("begun_at", Instant, nullable=False),
        sa.Column("certificate", sa.Text),
        sa.Column("digest", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gallery_erasures")),
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f("_".join(("ix", table, *columns))), table, list(columns))
