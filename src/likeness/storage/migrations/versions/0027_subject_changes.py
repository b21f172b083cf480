"""Keep the last change of who a subject is, and whom a subject has taken up."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Instant

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Make the tables; nothing was changed before that could be undone."""
    op.create_table(
        "gallery_subject_changes",
        sa.Column("id", Identifier, nullable=False),
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("sealed_content", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gallery_subject_changes")),
    )
    op.create_index(
        op.f("ix_gallery_subject_changes_collection_id"),
        "gallery_subject_changes",
        ["collection_id"],
    )
    op.create_table(
        "gallery_changed_subjects",
        sa.Column("subject_id", Identifier, nullable=False),
        sa.Column("change_id", Identifier, nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_gallery_changed_subjects")),
        sa.ForeignKeyConstraint(
            ["change_id"],
            ["gallery_subject_changes.id"],
            name=op.f("fk_gallery_changed_subjects_change_id"),
        ),
    )
    op.create_index(
        op.f("ix_gallery_changed_subjects_change_id"), "gallery_changed_subjects", ["change_id"]
    )
    op.create_table(
        "gallery_taken_up",
        sa.Column("subject_id", Identifier, nullable=False),
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("by_id", Identifier, nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_gallery_taken_up")),
    )
    op.create_index(
        op.f("ix_gallery_taken_up_collection_id"), "gallery_taken_up", ["collection_id"]
    )
    op.create_index(op.f("ix_gallery_taken_up_by_id"), "gallery_taken_up", ["by_id"])
