"""Rows, keys and a clock to try jobs with."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection

from likeness.jobs import Job, NewJob, add_job, claim_job, get_job
from likeness.secrets import Keyring
from likeness.storage import Database

T = TypeVar("T")


class Bench:
    """A database with the functions over its connections, at a moment that tests move on."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.database = database
        self.keyring = keyring
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def later(self, **more: float) -> datetime:
        self.now += timedelta(**more)
        return self.now

    def read(self, act: Callable[[Connection], T]) -> T:
        return self.database.read(act)

    def write(self, act: Callable[[Connection], T]) -> T:
        return self.database.write(act)

    def add(
        self,
        act: str = "search",
        *,
        of: str = "key:1",
        collection_id: UUID | None = None,
        request: bytes = b"do this",
        same_as: bytes | None = None,
        local: bool = False,
        told: bytes | None = None,
        lasting: bool = False,
    ) -> Job:
        new = NewJob(act, of, collection_id, request, same_as, local, told, lasting)
        return self.write(lambda c: add_job(c, self.keyring, new, self.now))

    def get(self, job: Job) -> Job:
        return self.read(lambda c: get_job(c, self.keyring, job.id))

    def claim(
        self, runner: str = "runner 1", job_id: str | None = None, *, lasting: bool = False
    ) -> Job | None:
        return self.write(
            lambda c: claim_job(c, self.keyring, runner, self.now, job_id=job_id, lasting=lasting)
        )

    def running(self, **given: object) -> Job:
        """Add a job and let `runner 1` have it."""
        job = self.add(**given)  # type: ignore[arg-type]
        claimed = self.claim(job_id=job.id)
        assert claimed is not None
        return claimed
