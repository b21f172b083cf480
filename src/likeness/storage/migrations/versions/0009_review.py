"""Make the tables of review and standing searches."""

import sqlalchemy as sa
from alembic import op

from likeness.storage.metadata import Identifier, Instant

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "review_keys",
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("sealed_key", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("collection_id", name=op.f("pk_review_keys")),
    )
    op.create_table(
        "review_cases",
        sa.Column("id", Identifier, nullable=False),
        sa.Column("search_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("probe_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("probe_id", Identifier),
        sa.Column("watch_id", Identifier),
        sa.Column("use_id", Identifier, nullable=False),
        sa.Column("principal_id", sa.String(255), nullable=False),
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("operation", sa.String(255), nullable=False),
        sa.Column("purpose", sa.String(255), nullable=False),
        sa.Column("reviews", sa.Integer, nullable=False),
        sa.Column("separately", sa.Boolean, nullable=False),
        sa.Column("opened_at", Instant, nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.Column("authorise_by", Instant),
        sa.Column("sealed_key", sa.LargeBinary, nullable=False),
        sa.Column("sealed_crop", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_cases")),
        sa.UniqueConstraint("search_digest", name=op.f("uq_review_cases_search_digest")),
    )
    for column in ("probe_id", "watch_id", "collection_id"):
        _index("review_cases", column)
    op.create_table(
        "review_candidates",
        sa.Column("case_id", Identifier, nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("reference_id", Identifier),
        sa.Column("subject_id", Identifier),
        sa.Column("similarity", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "number", name=op.f("pk_review_candidates")),
        sa.ForeignKeyConstraint(
            ["case_id"], ["review_cases.id"], name=op.f("fk_review_candidates_case_id")
        ),
    )
    for column in ("reference_id", "subject_id"):
        _index("review_candidates", column)
    op.create_table(
        "review_verdicts",
        sa.Column("case_id", Identifier, nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("reviewer_id", sa.String(255), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("sealed_reason", sa.LargeBinary, nullable=False),
        sa.Column("given_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint(
            "case_id", "number", "reviewer_id", name=op.f("pk_review_verdicts")
        ),
        sa.ForeignKeyConstraint(
            ["case_id", "number"],
            ["review_candidates.case_id", "review_candidates.number"],
            name=op.f("fk_review_verdicts_case_id_number"),
        ),
    )
    op.create_table(
        "review_authorisations",
        sa.Column("case_id", Identifier, nullable=False),
        sa.Column("principal_id", sa.String(255), nullable=False),
        sa.Column("sealed_authority", sa.LargeBinary, nullable=False),
        sa.Column("given_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_review_authorisations")),
        sa.ForeignKeyConstraint(
            ["case_id"], ["review_cases.id"], name=op.f("fk_review_authorisations_case_id")
        ),
    )
    op.create_table(
        "review_told_apart",
        sa.Column("probe_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("candidate_id", Identifier, nullable=False),
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("decided_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("probe_digest", "candidate_id", name=op.f("pk_review_told_apart")),
    )
    for column in ("candidate_id", "collection_id"):
        _index("review_told_apart", column)
    op.create_table(
        "review_crops",
        sa.Column("reference_id", Identifier, nullable=False),
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("sealed_crop", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("reference_id", name=op.f("pk_review_crops")),
    )
    _index("review_crops", "collection_id")
    op.create_table(
        "review_watches",
        sa.Column("id", Identifier, nullable=False),
        sa.Column("collection_id", Identifier, nullable=False),
        sa.Column("principal_id", sa.String(255), nullable=False),
        sa.Column("purpose", sa.String(255), nullable=False),
        sa.Column("reviews", sa.Integer, nullable=False),
        sa.Column("separately", sa.Boolean, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("cohort_mean", sa.Float(53), nullable=False),
        sa.Column("cohort_deviation", sa.Float(53), nullable=False),
        sa.Column("cohort_version", sa.String, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.Column("sealed_key", sa.LargeBinary, nullable=False),
        sa.Column("sealed_vector", sa.LargeBinary, nullable=False),
        sa.Column("sealed_crop", sa.LargeBinary, nullable=False),
        sa.Column("sealed_grounds", sa.LargeBinary, nullable=False),
        sa.Column("sealed_webhook", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_watches")),
    )
    _index("review_watches", "collection_id")
    op.create_table(
        "review_outbox",
        sa.Column("id", Identifier, nullable=False),
        sa.Column("watch_id", Identifier, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_outbox")),
        sa.ForeignKeyConstraint(
            ["watch_id"], ["review_watches.id"], name=op.f("fk_review_outbox_watch_id")
        ),
    )
    for column in ("watch_id", "due_at"):
        _index("review_outbox", column)


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
