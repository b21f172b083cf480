"""A job, and the words for it: long work that goes on after its request was answered.

It waits, runs, and ends: it succeeded, failed, or was cancelled. While it runs, whoever runs it
says so every few seconds (a beat). Without a beat for `STALE` the job is another's to go on with,
from the last segment that was kept.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from likeness.errors import Conflict

STALE = timedelta(seconds=15)
"""A job that runs, and of which nothing was heard for so long, is taken over."""

BEAT_S = 2.0
"""How often a runner says that a job runs."""

KEPT = timedelta(days=7)
"""How long an ended job and its results are kept, as AWS keeps them."""

MOST_UNFINISHED = 20
"""So many jobs of one principal may wait and run if nobody else has any, of all twice as many.

Those of command lines do not count, which run in a process each."""

MOST_LASTING = 16
"""So many jobs that last may wait and run, beside those of command lines."""

MOST_TRIES = 5
"""So often a job is begun without getting a segment further; it is given up then."""


class JobState(StrEnum):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self not in (JobState.WAITING, JobState.RUNNING)


class JobStopped(Conflict):
    """A job was cancelled, has ended, or is another runner's: whoever works on it stops."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is known in the clear, and why it failed.

    `id` is 64 hex digits, drawn at random. `act` is what it does, a word of whoever adds jobs.
    `runner` is who runs it. `done_ms` of `total_ms` of its material are done; 0 of 0 where nobody
    said. `failure` is an error's kind, and `failure_text` its message. A `local` job is run by the
    command line that added it and by nobody else. A `lasting` one goes on until somebody asks for
    its end, which was at `asked_to_end_at`. `tries` counts how often it was begun since a segment
    of it was kept last.
    """

    id: str
    act: str
    state: JobState
    principal_id: str
    collection_id: UUID | None
    made_at: datetime
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    beat_at: datetime | None = None
    runner: str | None = None
    done_ms: int = 0
    total_ms: int = 0
    failure: str | None = None
    failure_text: str | None = None
    local: bool = False
    lasting: bool = False
    asked_to_end_at: datetime | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class NewJob:
    """A job to be added.

    `request` is all that it takes to do it, `told` is whom to tell when it has ended: both are
    kept sealed. `same_as` finds a job that asks for the same again (`latest_same`); a digest of it
    is kept.
    """

    act: str
    principal_id: str
    collection_id: UUID | None
    request: bytes
    same_as: bytes | None = None
    local: bool = False
    told: bytes | None = None
    lasting: bool = False
