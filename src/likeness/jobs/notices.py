"""Notices of jobs that have ended, until they have arrived or were given up.

An attempt counts as failed until it is said to have arrived: whoever sends a notice puts its next
attempt off first, so that a crash or a second server repeats none at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from likeness.jobs.job import Job
from likeness.jobs.keys import open_key, place_of
from likeness.jobs.rows import COLUMNS, as_job
from likeness.jobs.tables import JOBS
from likeness.secrets import Keyring
from likeness.storage import legible, legible_rows

# Of Standard Webhooks: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
_WAITS = tuple(timedelta(seconds=s) for s in (5, 300, 1800)) + tuple(
    timedelta(hours=h) for h in (2, 5, 10, 14, 20, 24)
)
MOST_ATTEMPTS = len(_WAITS)
_DELIVERED = {"sealed_told": None, "notice_due_at": None}


@dataclass(frozen=True, slots=True, eq=False)
class Notice:
    """That a job has ended, and whom to tell, as `NewJob.told` said; `attempts` were made."""

    job: Job
    told: bytes
    attempts: int


def any_notice_due(connection: Connection, now: datetime) -> bool:
    """Say whether there is anything to tell now."""
    due = select(JOBS.c.number).where(JOBS.c.notice_due_at <= now).limit(1)
    return connection.execute(due).first() is not None


def due_notices(
    connection: Connection, keyring: Keyring, now: datetime, limit: int = 32
) -> list[Notice]:
    """List notices that are due, the oldest first; those of damaged jobs are left out."""
    columns = (*COLUMNS, JOBS.c.sealed_told, JOBS.c.notice_attempts)
    chosen = select(*columns).where(JOBS.c.notice_due_at <= now, JOBS.c.sealed_told.is_not(None))

    def opened(row: Row[Any]) -> Notice:
        key = open_key(keyring, row.id, row.sealed_key)
        told = key.unseal(row.sealed_told, place_of(row.id, "told"))
        return Notice(as_job(keyring, row), told, row.notice_attempts)

    due = chosen.order_by(JOBS.c.notice_due_at).limit(limit)
    return legible(connection, JOBS.c.id, legible_rows(connection, JOBS.c.id, due), opened)


def put_off(connection: Connection, job_id: str, now: datetime) -> bool:
    """Put the next attempt at a notice off, before it is sent; False where it is given up.

    It is given up, and not to be sent, when as many attempts were made as are made at most.
    """
    chosen = select(JOBS.c.notice_attempts).where(JOBS.c.id == job_id)
    attempts = connection.execute(chosen).scalar()
    if attempts is None:  # swept, or erased with its collection
        return False
    if attempts >= MOST_ATTEMPTS:
        notice_arrived(connection, job_id)
        return False
    later = {"notice_attempts": attempts + 1, "notice_due_at": now + _WAITS[attempts]}
    connection.execute(update(JOBS).where(JOBS.c.id == job_id).values(**later))
    return True


def notice_arrived(connection: Connection, job_id: str) -> None:
    """Tell nobody of a job any more; whom to tell is kept no longer."""
    connection.execute(update(JOBS).where(JOBS.c.id == job_id).values(**_DELIVERED))
