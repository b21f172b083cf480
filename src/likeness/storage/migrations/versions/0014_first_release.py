"""Make the schema of 0.1.0, the first release, with the rows that every database begins with.

What was written before 0.1.0 has no migrations: nobody ran it.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.schema import SchemaItem

from likeness.storage.metadata import METADATA, Identifier, Instant, Serial

# The number that the last of its migrations had: databases of 0.1.0 say so of themselves.
revision = "0014"
down_revision = None

# Numbers that are never given twice, not even where the last row is deleted.
_COUNTING_UP = {
    "gallery_subjects",
    "gallery_references",
    "gallery_reassignments",
    "gallery_removals",
}


def upgrade() -> None:
    """Make the tables, and their first rows."""
    schema = MetaData(naming_convention=METADATA.naming_convention)
    for name, parts in _tables().items():
        Table(name, schema, *parts, sqlite_autoincrement=name in _COUNTING_UP)
    schema.create_all(op.get_bind())
    now = datetime.now(UTC)
    enabled = ("amazon-2020", "authenticated-use", "real-time")
    first_rows: dict[str, list[dict[str, Any]]] = {
        "installation": [{"id": uuid4(), "created_at": now}],
        "access_state": [{"id": 1, "revision": 0}],
        "policy_state": [{"id": 1, "revision": 0, "changed_at": now}],
        "policy_packs": [
            {"name": pack, "choices": "{}", "changed_at": now, "changed_by": "installation"}
            for pack in enabled
        ],
    }
    for name, rows in first_rows.items():
        op.bulk_insert(schema.tables[name], rows)


def _tables() -> dict[str, tuple[SchemaItem, ...]]:
    return {
        "installation": (
            Column("id", Identifier, primary_key=True),
            Column("created_at", Instant, nullable=False),
        ),
        "gallery_collections": (
            Column("id", Identifier, primary_key=True),
            Column("name", String(255), nullable=False),
            Column("model", String, nullable=False),
            Column("dimensions", Integer, nullable=False),
            Column("cohort_version", String, nullable=False),
            Column("sealed_key", LargeBinary, nullable=False),
            Column("retention_days", Integer),
            Column("created_at", Instant, nullable=False),
            Column("subject_count", Integer, nullable=False, server_default="0"),
            Column("reference_count", Integer, nullable=False, server_default="0"),
            UniqueConstraint("name"),
            CheckConstraint("retention_days > 0", name="retention"),
        ),
        "gallery_subjects": (
            Column("number", Serial, primary_key=True),
            Column("id", Identifier, nullable=False),
            Column("collection_id", Identifier, nullable=False),
            Column("sealed_name", LargeBinary, nullable=False),
            Column("name_digest", LargeBinary(32), nullable=False),
            Column("created_at", Instant, nullable=False),
            UniqueConstraint("id"),
            UniqueConstraint("collection_id", "name_digest"),
            Index("ix_gallery_subjects_collection_id_number", "collection_id", "number"),
        ),
        "gallery_references": (
            Column("number", Serial, primary_key=True),
            Column("id", Identifier, nullable=False),
            Column("collection_id", Identifier, nullable=False),
            Column("subject_number", Serial, ForeignKey("gallery_subjects.number")),
            Column("sample_id", Identifier, nullable=False),
            Column("face_digest", LargeBinary(32), nullable=False),
            Column("sealed_vector", LargeBinary, nullable=False),
            Column("sealed_details", LargeBinary, nullable=False),
            Column("cohort_mean", Float(53), nullable=False),
            Column("cohort_deviation", Float(53), nullable=False),
            Column("cohort_version", String, nullable=False),
            Column("statistics_proof", LargeBinary(16)),
            Column("subject_proof", LargeBinary(16)),
            Column("created_at", Instant, nullable=False),
            Column("expires_at", Instant),
            UniqueConstraint("id"),
            UniqueConstraint("collection_id", "face_digest"),
            Index("ix_gallery_references_collection_id_number", "collection_id", "number"),
            Index(
                "ix_gallery_references_subject_number_collection_id",
                "subject_number",
                "collection_id",
            ),
            Index("ix_gallery_references_collection_id_sample_id", "collection_id", "sample_id"),
            Index("ix_gallery_references_collection_id_created_at", "collection_id", "created_at"),
            Index("ix_gallery_references_collection_id_expires_at", "collection_id", "expires_at"),
        ),
        "gallery_reassignments": (
            Column("number", Serial, primary_key=True),
            Column("collection_id", Identifier, nullable=False),
            Column("subject_number", Serial, nullable=False),
            UniqueConstraint("subject_number"),
            Index("ix_gallery_reassignments_collection_id_number", "collection_id", "number"),
        ),
        "gallery_removals": (
            Column("number", Serial, primary_key=True),
            Column("collection_id", Identifier, nullable=False),
            Column("reference_number", Serial, nullable=False),
            Index("ix_gallery_removals_collection_id_number", "collection_id", "number"),
        ),
        "gallery_tags": (
            Column("collection_id", Identifier, primary_key=True),
            Column("key_digest", LargeBinary(32), primary_key=True),
            Column("sealed_tag", LargeBinary, nullable=False),
        ),
        "gallery_erasures": (
            Column("id", Identifier, primary_key=True),
            Column("collection_id", Identifier, nullable=False),
            Column("content", Text, nullable=False),
            Column("begun_at", Instant, nullable=False),
            Column("certificate", Text),
            Column("digest", String(64)),
        ),
        "gallery_cohorts": (
            Column("collection_id", Identifier, primary_key=True),
            Column("version", String, primary_key=True),
            Column("sealed_cohort", LargeBinary, nullable=False),
            Column("calibration", Text, nullable=False),
        ),
        "gallery_changes": (
            Column("collection_id", Identifier, primary_key=True),
            Column("model", String, nullable=False),
            Column("dimensions", Integer, nullable=False),
            Column("cohort_version", String, nullable=False),
            Column("replaced_model", String, nullable=False),
            Column("replaced_dimensions", Integer, nullable=False),
            Column("begun_at", Instant, nullable=False),
            Column("ended_at", Instant),
        ),
        "gallery_staged": (
            Column(
                "reference_number",
                Serial,
                ForeignKey("gallery_references.number"),
                primary_key=True,
                autoincrement=False,
            ),
            Column("collection_id", Identifier, nullable=False),
            Column("sealed_vector", LargeBinary),
            Column("sealed_details", LargeBinary),
            Column("face_digest", LargeBinary(32)),
            Column("cohort_mean", Float(53), nullable=False),
            Column("cohort_deviation", Float(53), nullable=False),
            Column("statistics_proof", LargeBinary(16)),
            UniqueConstraint("collection_id", "face_digest"),
            Index(
                "ix_gallery_staged_collection_id_reference_number",
                "collection_id",
                "reference_number",
            ),
        ),
        "access_keys": (
            Column("id", Identifier, primary_key=True),
            Column("name", String(255), nullable=False),
            Column("role", String, nullable=False),
            Column("organisation", String(255), nullable=False),
            Column("sector", String, nullable=False),
            Column("jurisdiction", String, nullable=False),
            Column("purposes", Text, nullable=False),
            Column("created_at", Instant, nullable=False),
            Column("created_by", String, nullable=False),
            Column("disabled_at", Instant),
            UniqueConstraint("name"),
        ),
        "access_secrets": (
            Column("access_key_id", String(20), primary_key=True),
            Column("key_id", Identifier, ForeignKey("access_keys.id"), nullable=False, index=True),
            Column("sealed_secret", LargeBinary, nullable=False),
            Column("created_at", Instant, nullable=False),
            Column("ends_at", Instant),
        ),
        "access_state": (
            Column("id", Integer, primary_key=True, autoincrement=False),
            Column("revision", BigInteger, nullable=False),
            Column("sealed_token_key", LargeBinary),
        ),
        "access_request_tokens": (
            Column("digest", LargeBinary(32), primary_key=True),
            Column("input_digest", LargeBinary(32), nullable=False),
            Column("sealed_response", LargeBinary, nullable=False),
            Column("created_at", Instant, nullable=False, index=True),
        ),
        "ledger_entries": (
            Column("position", Serial, primary_key=True, autoincrement=False),
            Column("entry", LargeBinary, nullable=False),
            Column("hashes", LargeBinary, nullable=False),
            Column("mark", LargeBinary(16), nullable=False),
        ),
        "ledger_head": (
            Column("id", Integer, primary_key=True, autoincrement=False),
            Column("note", Text, nullable=False),
        ),
        "ledger_keys": (
            Column("public_key", LargeBinary(32), primary_key=True),
            Column("sealed_signing_key", LargeBinary, nullable=False),
            Column("sealed_secret", LargeBinary, nullable=False),
            Column("secret_since", BigInteger, nullable=False),
        ),
        "ledger_subject_keys": (
            Column("id", Identifier, primary_key=True),
            Column("sealed_key", LargeBinary, nullable=False),
        ),
        "policy_packs": (
            Column("name", String(64), primary_key=True),
            Column("choices", Text, nullable=False),
            Column("facts", Text),
            Column("rules", Text),
            Column("changed_at", Instant, nullable=False),
            Column("changed_by", String, nullable=False),
            CheckConstraint("(facts IS NULL) = (rules IS NULL)", name="own"),
        ),
        "policy_suspensions": (
            Column("id", Identifier, primary_key=True),
            Column("scope", String(16), nullable=False),
            Column("subject", String(255), nullable=False),
            Column("reason", Text, nullable=False),
            Column("since", Instant, nullable=False),
            Column("by", String, nullable=False),
            UniqueConstraint("scope", "subject"),
        ),
        "policy_state": (
            Column("id", Integer, primary_key=True, autoincrement=False),
            Column("revision", BigInteger, nullable=False),
            Column("changed_at", Instant, nullable=False),
        ),
        "policy_uses": (
            Column("organisation", String(255), primary_key=True),
            Column("day", String(10), primary_key=True),
            Column("uses", BigInteger, nullable=False),
        ),
        "review_keys": (
            Column("collection_id", Identifier, primary_key=True),
            Column("sealed_key", LargeBinary, nullable=False),
        ),
        "review_cases": (
            Column("id", Identifier, primary_key=True),
            Column("search_digest", LargeBinary(32), nullable=False),
            Column("probe_digest", LargeBinary(32), nullable=False),
            Column("probe_id", Identifier, index=True),
            Column("watch_id", Identifier, index=True),
            Column("use_id", Identifier, nullable=False),
            Column("principal_id", String(255), nullable=False),
            Column("collection_id", Identifier, nullable=False, index=True),
            Column("operation", String(255), nullable=False),
            Column("purpose", String(255), nullable=False),
            Column("reviews", Integer, nullable=False),
            Column("separately", Boolean, nullable=False),
            Column("opened_at", Instant, nullable=False),
            Column("expires_at", Instant, nullable=False),
            Column("authorise_by", Instant),
            Column("sealed_key", LargeBinary, nullable=False),
            Column("sealed_crop", LargeBinary),
            UniqueConstraint("search_digest"),
        ),
        "review_candidates": (
            Column("case_id", Identifier, ForeignKey("review_cases.id"), primary_key=True),
            Column("number", Integer, primary_key=True, autoincrement=False),
            Column("rank", Integer, nullable=False),
            Column("reference_id", Identifier, index=True),
            Column("subject_id", Identifier, index=True),
            Column("similarity", Float(53), nullable=False),
        ),
        "review_verdicts": (
            Column("case_id", Identifier, primary_key=True),
            Column("number", Integer, primary_key=True, autoincrement=False),
            Column("reviewer_id", String(255), primary_key=True),
            Column("verdict", String(20), nullable=False),
            Column("sealed_reason", LargeBinary, nullable=False),
            Column("given_at", Instant, nullable=False),
            ForeignKeyConstraint(
                ["case_id", "number"], ["review_candidates.case_id", "review_candidates.number"]
            ),
        ),
        "review_authorisations": (
            Column("case_id", Identifier, ForeignKey("review_cases.id"), primary_key=True),
            Column("principal_id", String(255), nullable=False),
            Column("sealed_authority", LargeBinary, nullable=False),
            Column("given_at", Instant, nullable=False),
        ),
        "review_told_apart": (
            Column("probe_digest", LargeBinary(32), primary_key=True),
            Column("candidate_id", Identifier, primary_key=True, index=True),
            Column("collection_id", Identifier, nullable=False, index=True),
            Column("decided_at", Instant, nullable=False),
            Column("reviews", Integer, nullable=False, server_default="1"),
        ),
        "review_crops": (
            Column("reference_id", Identifier, primary_key=True),
            Column("collection_id", Identifier, nullable=False, index=True),
            Column("sealed_crop", LargeBinary, nullable=False),
        ),
        "review_watches": (
            Column("id", Identifier, primary_key=True),
            Column("collection_id", Identifier, nullable=False, index=True),
            Column("principal_id", String(255), nullable=False),
            Column("purpose", String(255), nullable=False),
            Column("reviews", Integer, nullable=False),
            Column("separately", Boolean, nullable=False),
            Column("least_similarity", Float(53), nullable=False, server_default="0"),
            Column("model", String, nullable=False),
            Column("cohort_mean", Float(53), nullable=False),
            Column("cohort_deviation", Float(53), nullable=False),
            Column("cohort_version", String, nullable=False),
            Column("created_at", Instant, nullable=False),
            Column("expires_at", Instant, nullable=False),
            Column("sealed_key", LargeBinary, nullable=False),
            Column("sealed_vector", LargeBinary, nullable=False),
            Column("sealed_crop", LargeBinary, nullable=False),
            Column("sealed_grounds", LargeBinary, nullable=False),
            Column("sealed_webhook", LargeBinary),
            Column("sealed_keeper", LargeBinary),
        ),
        "review_outbox": (
            Column("id", Identifier, primary_key=True),
            Column(
                "watch_id", Identifier, ForeignKey("review_watches.id"), nullable=False, index=True
            ),
            Column("payload", Text, nullable=False),
            Column("attempts", Integer, nullable=False),
            Column("due_at", Instant, nullable=False, index=True),
        ),
    }
