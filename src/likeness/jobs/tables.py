"""Where jobs lie: what is asked and what came of it sealed, under a key for each job.

Ids of ours, states, times and counts are in the clear, and so are the ids of who was found, by
which an erasure finds them. A job's key is in its row, sealed by the installation's: whoever
deletes the row destroys all that the job kept.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    false,
)

from likeness.storage import METADATA, Identifier, Instant, Serial

# One row, made with the first digest.
STATE = Table(
    "jobs_state",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # For digests of what makes jobs the same; sealed by the installation's key.
    Column("sealed_key", LargeBinary, nullable=False),
)

JOBS = Table(
    "jobs_jobs",
    METADATA,
    # In the order in which they were added.
    Column("number", Serial, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("act", String(64), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("principal_id", String(255), nullable=False, index=True),
    Column("collection_id", Identifier, index=True),
    Column("made_at", Instant, nullable=False),
    Column("begun_at", Instant),
    Column("ended_at", Instant, index=True),
    Column("beat_at", Instant),
    Column("runner", String(64)),
    Column("done_ms", BigInteger, nullable=False),
    Column("total_ms", BigInteger, nullable=False),
    # The kind of an error; its message is sealed, for it may name what a caller chose.
    Column("failure", String(64)),
    Column("sealed_failure_text", LargeBinary),
    Column("local", Boolean, nullable=False),
    # It goes on until somebody asks for its end.
    Column("lasting", Boolean, nullable=False, server_default=false()),
    Column("asked_to_end_at", Instant),
    Column("tries", Integer, nullable=False),
    # Under a key: finds a job that asks for the same.
    Column("same_as_digest", LargeBinary(32), index=True),
    Column("sealed_key", LargeBinary, nullable=False),
    Column("sealed_request", LargeBinary, nullable=False),
    # Whom to tell when it has ended; none is left once they were told.
    Column("sealed_told", LargeBinary),
    Column("notice_due_at", Instant, index=True),
    Column("notice_attempts", Integer, nullable=False),
    sqlite_autoincrement=True,
)

# What a job has done so far, so that another runner can go on.
SEGMENTS = Table(
    "jobs_segments",
    METADATA,
    Column("job_number", Serial, ForeignKey(JOBS.c.number), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
)

RESULTS = Table(
    "jobs_results",
    METADATA,
    Column("job_number", Serial, ForeignKey(JOBS.c.number), primary_key=True, autoincrement=False),
    Column("part", String(16), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    # Who it is about, as the job counts them.
    Column("owner", Integer, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    # For pages in the order of owners.
    Index(None, "job_number", "part", "owner", "number"),
)

# Whom of a collection an owner resembles.
MENTIONS = Table(
    "jobs_mentions",
    METADATA,
    Column("job_number", Serial, ForeignKey(JOBS.c.number), primary_key=True, autoincrement=False),
    Column("owner", Integer, primary_key=True, autoincrement=False),
    Column("rank", Integer, primary_key=True, autoincrement=False),
    Column("reference_id", Identifier, index=True),
    Column("subject_id", Identifier, index=True),
    Column("sealed", LargeBinary, nullable=False),
)

# Of jobs whose results are delivered as they come.
DELIVERIES = Table(
    "jobs_deliveries",
    METADATA,
    Column("job_number", Serial, ForeignKey(JOBS.c.number), primary_key=True, autoincrement=False),
    Column("part", String(16), nullable=False),
    # The number of the last result that has arrived, or was given up.
    Column("arrived", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False, index=True),
)

OF_A_JOB = (SEGMENTS, RESULTS, MENTIONS, DELIVERIES)

FORGOTTEN_FROM = (JOBS, *OF_A_JOB)
"""The tables to scrub after an erasure."""
