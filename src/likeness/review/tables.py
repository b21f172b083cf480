"""Where review lies: Cases with candidates and verdicts, crops, watches, notices.

Ids of ours, times and counts are in the clear. Pictures, templates and what people wrote are
sealed, under keys that are sealed by the key that review has for their collection.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from likeness.storage import METADATA, Identifier, Instant

KEYS = Table(
    "review_keys",
    METADATA,
    Column("collection_id", Identifier, primary_key=True),
    # Sealed by the installation's key; without it nothing of the collection opens here.
    Column("sealed_key", LargeBinary, nullable=False),
)

CASES = Table(
    "review_cases",
    METADATA,
    Column("id", Identifier, primary_key=True),
    # Under a key: finds the case of a search that is done again.
    Column("search_digest", LargeBinary(32), nullable=False),
    # Under a key: finds what was told apart from the same probe before.
    Column("probe_digest", LargeBinary(32), nullable=False),
    # The reference or subject that was searched for, where it is enrolled itself.
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
    # The case of the ongoing search that this one is a part of: it ends with that.
    Column("whole_id", Identifier, index=True),
    # JSON: what was stated of an ongoing search, to which an authority consents.
    Column("sealed_statement", LargeBinary),
    UniqueConstraint("search_digest"),
)

CANDIDATES = Table(
    "review_candidates",
    METADATA,
    Column("case_id", Identifier, ForeignKey(CASES.c.id), primary_key=True),
    # In the order of ids, which are random: it does not tell a reviewer who came first.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("rank", Integer, nullable=False),
    Column("reference_id", Identifier, index=True),
    Column("subject_id", Identifier, index=True),
    Column("similarity", Float(53), nullable=False),
    # Somebody seen in a clip whom a watch resembles; their picture goes with the case.
    Column("sighting_id", Identifier, index=True),
    Column("sealed_crop", LargeBinary),
)

VERDICTS = Table(
    "review_verdicts",
    METADATA,
    Column("case_id", Identifier, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("reviewer_id", String(255), primary_key=True),
    Column("verdict", String(20), nullable=False),
    Column("sealed_reason", LargeBinary, nullable=False),
    # JSON: how far it goes, and what was found feature by feature, where that was said.
    Column("sealed_findings", LargeBinary),
    Column("given_at", Instant, nullable=False),
    ForeignKeyConstraint(
        ["case_id", "number"], ["review_candidates.case_id", "review_candidates.number"]
    ),
)

# What each reviewer saw in the face that was searched for, before they saw candidates.
NOTES = Table(
    "review_notes",
    METADATA,
    Column("case_id", Identifier, ForeignKey(CASES.c.id), primary_key=True),
    Column("reviewer_id", String(255), primary_key=True),
    # JSON: how well each feature is seen, and a remark.
    Column("sealed_note", LargeBinary, nullable=False),
    Column("given_at", Instant, nullable=False),
)

AUTHORISATIONS = Table(
    "review_authorisations",
    METADATA,
    Column("case_id", Identifier, ForeignKey(CASES.c.id), primary_key=True),
    Column("principal_id", String(255), nullable=False),
    Column("sealed_authority", LargeBinary, nullable=False),
    Column("given_at", Instant, nullable=False),
)

# They outlive the case, so that nobody is asked twice.
TOLD_APART = Table(
    "review_told_apart",
    METADATA,
    Column("probe_digest", LargeBinary(32), primary_key=True),
    # A reference, a subject where all of theirs were fused, or a sighting.
    Column("candidate_id", Identifier, primary_key=True, index=True),
    Column("collection_id", Identifier, nullable=False, index=True),
    Column("decided_at", Instant, nullable=False),
    # How many people agreed.
    Column("reviews", Integer, nullable=False, server_default="1"),
)

# Which face of which sample cases and pairs are of, as it was first seen; and every look at a
# person of a clip.
PROBES = Table(
    "review_probes",
    METADATA,
    # Under a key; in a clip, of the clip and the half second.
    Column("sample_digest", LargeBinary(32), primary_key=True),
    # Empty where the face is known by the sample alone, as of 0.1.0.
    Column("place", String(255), primary_key=True),
    Column("collection_id", Identifier, nullable=False, index=True),
    Column("probe_digest", LargeBinary(32), nullable=False, index=True),
    Column("left", Float(53), nullable=False),
    Column("top", Float(53), nullable=False),
    Column("right", Float(53), nullable=False),
    Column("bottom", Float(53), nullable=False),
    # By which somebody seen in a clip is a candidate; other faces are none.
    Column("sighting_id", Identifier, index=True),
)

CROPS = Table(
    "review_crops",
    METADATA,
    Column("reference_id", Identifier, primary_key=True),
    Column("collection_id", Identifier, nullable=False, index=True),
    Column("sealed_crop", LargeBinary, nullable=False),
)

WATCHES = Table(
    "review_watches",
    METADATA,
    Column("id", Identifier, primary_key=True),
    Column("collection_id", Identifier, nullable=False, index=True),
    Column("principal_id", String(255), nullable=False),
    Column("purpose", String(255), nullable=False),
    Column("reviews", Integer, nullable=False),
    Column("separately", Boolean, nullable=False),
    # Percent: what rules demanded of candidates when it was admitted.
    Column("least_similarity", Float(53), nullable=False, server_default="0"),
    Column("model", String, nullable=False),
    Column("cohort_mean", Float(53), nullable=False),
    Column("cohort_version", String, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("sealed_key", LargeBinary, nullable=False),
    Column("sealed_vector", LargeBinary, nullable=False),
    Column("sealed_crop", LargeBinary, nullable=False),
    # JSON: the authority, and why somebody belongs on a list.
    Column("sealed_grounds", LargeBinary, nullable=False),
    # JSON: a webhook's URL, which may hold a token, and what signs.
    Column("sealed_webhook", LargeBinary),
    # JSON: what whoever keeps it declared when it was admitted; none is known of older watches.
    Column("sealed_keeper", LargeBinary),
)

# What is to be told, until it has arrived or was given up.
OUTBOX = Table(
    "review_outbox",
    METADATA,
    Column("id", Identifier, primary_key=True),
    Column("watch_id", Identifier, ForeignKey(WATCHES.c.id), nullable=False, index=True),
    # JSON: ids of ours alone.
    Column("payload", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False, index=True),
)

FORGOTTEN_FROM = (
    AUTHORISATIONS,
    CANDIDATES,
    CASES,
    CROPS,
    KEYS,
    NOTES,
    OUTBOX,
    PROBES,
    TOLD_APART,
    VERDICTS,
    WATCHES,
)
"""The tables to scrub after an erasure."""
