"""The gallery's tables: collections, subjects, references, and what changes or erases them.

What is personal is sealed (names, templates, faces) or a keyed digest, since neither database is
sure to forget what an index of it held. Numbers count up in the order of commits and are never used
again: they are the ids of the vector indexes, which so can follow the rows.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from likeness.storage import METADATA, Identifier, Instant, Serial

_SET_ASIDE = text("set_aside_at IS NOT NULL")

COLLECTIONS = Table(
    "gallery_collections",
    METADATA,
    Column("id", Identifier, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("model", String, nullable=False),
    Column("dimensions", Integer, nullable=False),
    Column("cohort_version", String, nullable=False),
    # The collection's own key, sealed by the installation's; without it nothing sealed opens.
    Column("sealed_key", LargeBinary, nullable=False),
    Column("retention_days", Integer),
    Column("created_at", Instant, nullable=False),
    # Kept by whoever adds or deletes rows: every search asks how many there are.
    Column("subject_count", Integer, nullable=False, server_default="0"),
    Column("reference_count", Integer, nullable=False, server_default="0"),
    UniqueConstraint("name"),
    CheckConstraint("retention_days > 0", name="retention"),
)

# No foreign key to the collection: that goes first, with its key, and the rest in portions.
SUBJECTS = Table(
    "gallery_subjects",
    METADATA,
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

REFERENCES = Table(
    "gallery_references",
    METADATA,
    Column("number", Serial, primary_key=True),
    Column("id", Identifier, nullable=False),
    Column("collection_id", Identifier, nullable=False),
    Column("subject_number", Serial, ForeignKey(SUBJECTS.c.number)),
    # A digest of the sample, under a key: finds what is enrolled already before it is decoded.
    Column("sample_id", Identifier, nullable=False),
    # The face's place in the sample, under a key: finds what is enrolled twice.
    Column("face_digest", LargeBinary(32), nullable=False),
    # Of the id that a client chose, under a key: finds it; empty where there is none, and null
    # where an older Likeness wrote the row.
    Column("external_digest", LargeBinary(32)),
    Column("sealed_vector", LargeBinary, nullable=False),
    Column("sealed_details", LargeBinary, nullable=False),
    # In the clear: a search reads those of hundreds of candidates.
    Column("cohort_mean", Float(53), nullable=False),
    # Empty where an older Likeness wrote the mean, which says nothing any more.
    Column("cohort_version", String, nullable=False),
    # Under a key, for the number, which is known once the row is there: see `proofs`.
    Column("statistics_proof", LargeBinary(16)),
    Column("subject_proof", LargeBinary(16)),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    # Set where nobody named the face, and people do not want to be asked whose it is.
    Column("set_aside_at", Instant),
    UniqueConstraint("id"),
    UniqueConstraint("collection_id", "face_digest"),
    Index("ix_gallery_references_collection_id_number", "collection_id", "number"),
    # Subject first, for foreign keys; collection too, or SQLite reads all that the collection has.
    Index("ix_gallery_references_subject_number_collection_id", "subject_number", "collection_id"),
    Index("ix_gallery_references_collection_id_sample_id", "collection_id", "sample_id"),
    Index("ix_gallery_references_external_digest", "collection_id", "external_digest"),
    Index("ix_gallery_references_collection_id_created_at", "collection_id", "created_at"),
    Index("ix_gallery_references_collection_id_expires_at", "collection_id", "expires_at"),
    # They are few: without it, all that nobody named would be looked through for one of them.
    Index(
        "ix_gallery_references_set_aside",
        "subject_number",
        "collection_id",
        sqlite_where=_SET_ASIDE,
        postgresql_where=_SET_ASIDE,
    ),
    sqlite_autoincrement=True,
)

# The last change of what a subject's references are, where no new reference tells of it: some were
# given to them, taken or erased. It outlives the subject, for indexes to let go of them.
REASSIGNMENTS = Table(
    "gallery_reassignments",
    METADATA,
    Column("number", Serial, primary_key=True),
    Column("collection_id", Identifier, nullable=False),
    Column("subject_number", Serial, nullable=False),
    UniqueConstraint("subject_number"),
    Index("ix_gallery_reassignments_collection_id_number", "collection_id", "number"),
    sqlite_autoincrement=True,
)

# What erasures took, for the indexes of other programs to let go of it.
REMOVALS = Table(
    "gallery_removals",
    METADATA,
    Column("number", Serial, primary_key=True),
    Column("collection_id", Identifier, nullable=False),
    Column("reference_number", Serial, nullable=False),
    Index("ix_gallery_removals_collection_id_number", "collection_id", "number"),
    sqlite_autoincrement=True,
)

# The last change of who a subject is, which one command undoes; it ends with the next of theirs.
SUBJECT_CHANGES = Table(
    "gallery_subject_changes",
    METADATA,
    Column("id", Identifier, primary_key=True),
    Column("collection_id", Identifier, nullable=False, index=True),
    # JSON: names, ids and dates as they were, and what review made of it.
    Column("sealed_content", LargeBinary, nullable=False),
    Column("made_at", Instant, nullable=False),
)

# Whom a change is of: a subject has one at most.
CHANGED_SUBJECTS = Table(
    "gallery_changed_subjects",
    METADATA,
    Column("subject_id", Identifier, primary_key=True),
    Column("change_id", Identifier, ForeignKey(SUBJECT_CHANGES.c.id), nullable=False, index=True),
)

# Subjects that another has taken up: whoever erases that one erases what there is of these.
TAKEN_UP = Table(
    "gallery_taken_up",
    METADATA,
    Column("subject_id", Identifier, primary_key=True),
    Column("collection_id", Identifier, nullable=False, index=True),
    Column("by_id", Identifier, nullable=False, index=True),
)

TAGS = Table(
    "gallery_tags",
    METADATA,
    Column("collection_id", Identifier, primary_key=True),
    Column("key_digest", LargeBinary(32), primary_key=True),
    Column("sealed_tag", LargeBinary, nullable=False),
)

# Of which better recognisers a collection's users were told.
BETTER_MODELS = Table(
    "gallery_better_models",
    METADATA,
    Column("collection_id", Identifier, primary_key=True),
    Column("recogniser", String(255), primary_key=True),
)

ERASURES = Table(
    "gallery_erasures",
    METADATA,
    Column("id", Identifier, primary_key=True),
    Column("collection_id", Identifier, nullable=False),
    # JSON: what is taken; our ids and numbers alone.
    Column("content", Text, nullable=False),
    Column("begun_at", Instant, nullable=False),
    # Neither is there before everything that can be reached is.
    Column("certificate", Text),
    Column("digest", String(64)),
)

# One row: what makes marks; sealed by the installation's key.
MARKS_KEY = Table(
    "gallery_marks_key",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sealed_key", LargeBinary, nullable=False),
)

# By which an import, and whoever verifies a certificate, knows what was erased: keyed digests.
MARKS = Table(
    "gallery_marks",
    METADATA,
    Column("erasure_id", Identifier, primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("mark", LargeBinary(16), primary_key=True),
    Index("ix_gallery_marks_mark", "mark"),
)

# A cohort that came with an imported collection and is none of this installation's.
COHORTS = Table(
    "gallery_cohorts",
    METADATA,
    Column("collection_id", Identifier, primary_key=True),
    Column("version", String, primary_key=True),
    Column("sealed_cohort", LargeBinary, nullable=False),
    # JSON: what scores evened out by it mean.
    Column("calibration", Text, nullable=False),
)

# What a collection knows of the strangers in it, for those who join its cohort.
OWN_STRANGERS = Table(
    "gallery_own_strangers",
    METADATA,
    Column("collection_id", Identifier, primary_key=True),
    # JSON: the references that join, how many there were then, and what scores mean among them.
    Column("sealed_content", LargeBinary, nullable=False),
    Column("measured_at", Instant, nullable=False),
)

# What a collection's templates are to become, until what they were is gone from everywhere.
CHANGES = Table(
    "gallery_changes",
    METADATA,
    Column("collection_id", Identifier, primary_key=True),
    Column("model", String, nullable=False),
    Column("dimensions", Integer, nullable=False),
    Column("cohort_version", String, nullable=False),
    Column("replaced_model", String, nullable=False),
    Column("replaced_dimensions", Integer, nullable=False),
    Column("begun_at", Instant, nullable=False),
    # Set when the collection has switched, or what was staged was discarded.
    Column("ended_at", Instant),
)

# What a reference is to become; what is null stays as it is.
STAGED = Table(
    "gallery_staged",
    METADATA,
    Column(
        "reference_number",
        Serial,
        ForeignKey(REFERENCES.c.number),
        primary_key=True,
        autoincrement=False,
    ),
    Column("collection_id", Identifier, nullable=False),
    Column("sealed_vector", LargeBinary),
    Column("sealed_details", LargeBinary),
    Column("face_digest", LargeBinary(32)),
    Column("cohort_mean", Float(53), nullable=False),
    Column("statistics_proof", LargeBinary(16)),
    UniqueConstraint("collection_id", "face_digest"),
    Index("ix_gallery_staged_collection_id_reference_number", "collection_id", "reference_number"),
)
