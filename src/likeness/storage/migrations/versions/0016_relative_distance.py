"""Score by relative distance, which needs no deviations, and let collections know their strangers.

What an older Likeness computed against its cohort says nothing any more: it is computed anew from
the templates, which need no picture for that. Cohorts that were made of a collection's own people
are dropped; its references join its cohort by themselves now. Of which better models a collection's
users were told is remembered from now on.
"""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Instant

revision = "0016"
down_revision = "0014"

_OLDER = ""


def upgrade() -> None:
    """Drop what is not needed, and mark what has to be computed anew."""
    references = sa.table(
        "gallery_references",
        sa.column("cohort_version", sa.String),
        sa.column("statistics_proof", sa.LargeBinary),
    )
    op.execute(references.update().values(cohort_version=_OLDER, statistics_proof=None))
    watches = sa.table("review_watches", sa.column("cohort_version", sa.String))
    op.execute(watches.update().values(cohort_version=_OLDER))
    # Changes of a cohort alone are made in place now, those of a model begin anew.
    for name in ("gallery_staged", "gallery_cohorts"):
        op.execute(sa.table(name).delete())
    changes = sa.table("gallery_changes", sa.column("ended_at"))
    op.execute(changes.delete().where(changes.c.ended_at.is_(None)))
    for name in ("gallery_references", "gallery_staged", "review_watches"):
        op.drop_column(name, "cohort_deviation")
    op.create_table(
        "gallery_own_strangers",
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("sealed_content", sa.LargeBinary, nullable=False),
        sa.Column("measured_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("collection_id", name=op.f("pk_gallery_own_strangers")),
    )
    op.create_table(
        "gallery_better_models",
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("recogniser", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint(
            "collection_id", "recogniser", name=op.f("pk_gallery_better_models")
        ),
    )
