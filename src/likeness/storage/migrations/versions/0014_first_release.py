"""Make the schema of 0.1.0, the first release, with the rows that every database begins with.

What was written before 0.1.0 has no migrations: nobody ran it.
"""

from datetime import UTC, datetime
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

from likeness.storage.metadata import METADATA, Identifier, Instant, Serial

# The number that the last of its migrations had: databases of 0.1.0 say so of themselves.
revision = "0014"
down_revision = None

_SCHEMA = MetaData(naming_convention=METADATA.naming_convention)

_INSTALLATION = Table(
    "installation",
    _SCHEMA,
    Column("id", Identifier, primary_key=True),
    Column("created_at", Instant, nullable=False),
)

Table(
    "gallery_collections",
    _SCHEMA,
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
)

_SUBJECTS = Table(
    "gallery_subjects",
    _SCHEMA,
    Column("number", Serial, primary_key=True),
    Column("id", Identifier, nullable=False),
    Column("collection_id", Identifier, nullable=False),
    Column("sealed_name", LargeBinary, nullable=False),
    Column("name_digest", LargeBinary(32), nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("id"),
    UniqueConstraint("collection_id", "name_digest"),
    Index("ix_gallery_subjects_collection_id_number", "collection_id", "number"),
    sqlite_autoincrement=True,
)

_REFERENCES = Table(
    "gallery_references",
    _SCHEMA,
    Column("number", Serial, primary_key=True),
    Column("id", Identifier, nullable=False),
    Column("collection_id", Identifier, nullable=False),
    Column("subject_number", Serial, ForeignKey(_SUBJECTS.c.number)),
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
    Index("ix_gallery_references_subject_number_collection_id", "subject_number", "collection_id"),
    Index("ix_gallery_references_collection_id_sample_id", "collection_id", "sample_id"),
    Index("ix_gallery_references_collection_id_created_at", "collection_id", "created_at"),
    Index("ix_gallery_references_collection_id_expires_at", "collection_id", "expires_at"),
    sqlite_autoincrement=True,
)

Table(
    "gallery_reassignments",
    _SCHEMA,
    Column("number", Serial, primary_key=True),
    Column("collection_id", Identifier, nullable=False),
    Column("subject_number", Serial, nullable=False),
    UniqueConstraint("subject_number"),
    Index("ix_gallery_reassignments_collection_id_number", "collection_id", "number"),
    sqlite_autoincrement=True,
)

Table(
    "gallery_removals",
    _SCHEMA,
    Column("number", Serial, primary_key=True),
    Column("collection_id", Identifier, nullable=False),
    Column("reference_number", Serial, nullable=False),
    Index("ix_gallery_removals_collection_id_number", "collection_id", "number"),
    sqlite_autoincrement=True,
)

Table(
    "gallery_tags",
    _SCHEMA,
    Column("collection_id", Identifier, primary_key=True),
    Column("key_digest", LargeBinary(32), primary_key=True),
    Column("sealed_tag", LargeBinary, nullable=False),
)

Table(
    "gallery_erasures",
    _SCHEMA,
    Column("id", Identifier, primary_key=True),
    Column("collection_id", Identifier, nullable=False),
    Column("content", Text, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("certificate", Text),
    Column("digest", String(64)),
)

Table(
    "gallery_cohorts",
    _SCHEMA,
    Column("collection_id", Identifier, primary_key=True),
    Column("version", String, primary_key=True),
    Column("sealed_cohort", LargeBinary, nullable=False),
    Column("calibration", Text, nullable=False),
)

Table(
    "gallery_changes",
    _SCHEMA,
    Column("collection_id", Identifier, primary_key=True),
    Column("model", String, nullable=False),
    Column("dimensions", Integer, nullable=False),
    Column("cohort_version", String, nullable=False),
    Column("replaced_model", String, nullable=False),
    Column("replaced_dimensions", Integer, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("ended_at", Instant),
)

Table(
    "gallery_staged",
    _SCHEMA,
    Column(
        "reference_number",
        Serial,
        ForeignKey(_REFERENCES.c.number),
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
    Index("ix_gallery_staged_collection_id_reference_number", "collection_id", "reference_number"),
)

_ACCESS_KEYS = Table(
    "access_keys",
    _SCHEMA,
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
)

Table(
    "access_secrets",
    _SCHEMA,
    Column("access_key_id", String(20), primary_key=True),
    Column("key_id", Identifier, ForeignKey(_ACCESS_KEYS.c.id), nullable=False, index=True),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("ends_at", Instant),
)

_ACCESS_STATE = Table(
    "access_state",
    _SCHEMA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
    Column("sealed_token_key", LargeBinary),
)

Table(
    "access_request_tokens",
    _SCHEMA,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("input_digest", LargeBinary(32), nullable=False),
    Column("sealed_response", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
)

Table(
    "ledger_entries",
    _SCHEMA,
    Column("position", Serial, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    Column("mark", LargeBinary(16), nullable=False),
)

Table(
    "ledger_head",
    _SCHEMA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)

Table(
    "ledger_keys",
    _SCHEMA,
    Column("public_key", LargeBinary(32), primary_key=True),
    Column("sealed_signing_key", LargeBinary, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("secret_since", BigInteger, nullable=False),
)

Table(
    "ledger_subject_keys",
    _SCHEMA,
    Column("id", Identifier, primary_key=True),
    Column("sealed_key", LargeBinary, nullable=False),
)

_POLICY_PACKS = Table(
    "policy_packs",
    _SCHEMA,
    Column("name", String(64), primary_key=True),
    Column("choices", Text, nullable=False),
    Column("facts", Text),
    Column("rules", Text),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", String, nullable=False),
    CheckConstraint("(facts IS NULL) = (rules IS NULL)", name="own"),
)

Table(
    "policy_suspensions",
    _SCHEMA,
    Column("id", Identifier, primary_key=True),
    Column("scope", String(16), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("by", String, nullable=False),
    UniqueConstraint("scope", "subject"),
)

_POLICY_STATE = Table(
    "policy_state",
    _SCHEMA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

Table(
    "policy_uses",
    _SCHEMA,
    Column("organisation", String(255), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("uses", BigInteger, nullable=False),
)

Table(
    "review_keys",
    _SCHEMA,
    Column("collection_id", Identifier, primary_key=True),
    Column("sealed_key", LargeBinary, nullable=False),
)

_REVIEW_CASES = Table(
    "review_cases",
    _SCHEMA,
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
)

Table(
    "review_candidates",
    _SCHEMA,
    Column("case_id", Identifier, ForeignKey(_REVIEW_CASES.c.id), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("rank", Integer, nullable=False),
    Column("reference_id", Identifier, index=True),
    Column("subject_id", Identifier, index=True),
    Column("similarity", Float(53), nullable=False),
)

Table(
    "review_verdicts",
    _SCHEMA,
    Column("case_id", Identifier, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("reviewer_id", String(255), primary_key=True),
    Column("verdict", String(20), nullable=False),
    Column("sealed_reason", LargeBinary, nullable=False),
    Column("given_at", Instant, nullable=False),
    ForeignKeyConstraint(
        ["case_id", "number"], ["review_candidates.case_id", "review_candidates.number"]
    ),
)

Table(
    "review_authorisations",
    _SCHEMA,
    Column("case_id", Identifier, ForeignKey(_REVIEW_CASES.c.id), primary_key=True),
    Column("principal_id", String(255), nullable=False),
    Column("sealed_authority", LargeBinary, nullable=False),
    Column("given_at", Instant, nullable=False),
)

Table(
    "review_told_apart",
    _SCHEMA,
    Column("probe_digest", LargeBinary(32), primary_key=True),
    Column("candidate_id", Identifier, primary_key=True, index=True),
    Column("collection_id", Identifier, nullable=False, index=True),
    Column("decided_at", Instant, nullable=False),
    Column("reviews", Integer, nullable=False, server_default="1"),
)

Table(
    "review_crops",
    _SCHEMA,
    Column("reference_id", Identifier, primary_key=True),
    Column("collection_id", Identifier, nullable=False, index=True),
    Column("sealed_crop", LargeBinary, nullable=False),
)

_REVIEW_WATCHES = Table(
    "review_watches",
    _SCHEMA,
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
)

Table(
    "review_outbox",
    _SCHEMA,
    Column("id", Identifier, primary_key=True),
    Column("watch_id", Identifier, ForeignKey(_REVIEW_WATCHES.c.id), nullable=False, index=True),
    Column("payload", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False, index=True),
)


def upgrade() -> None:
    """Make the tables, and their first rows."""
    now = datetime.now(UTC)
    _SCHEMA.create_all(op.get_bind())
    op.bulk_insert(_INSTALLATION, [{"id": uuid4(), "created_at": now}])
    op.bulk_insert(_ACCESS_STATE, [{"id": 1, "revision": 0}])
    op.bulk_insert(_POLICY_STATE, [{"id": 1, "revision": 0, "changed_at": now}])
    op.bulk_insert(
        _POLICY_PACKS,
        [
            {"name": name, "choices": "{}", "changed_at": now, "changed_by": "installation"}
            for name in ("amazon-2020", "authenticated-use", "real-time")
        ],
    )
