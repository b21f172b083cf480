"""An act to run: it counts segments up, and a program that runs it until it is killed."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from sqlalchemy import Connection

from likeness.jobs import (
    JobState,
    LocalRunner,
    Result,
    Running,
    beat,
    end_job,
    keep_results,
    keep_segment,
    segment_of,
    segments_kept,
)
from likeness.secrets import KeyFiles, Keyring
from likeness.storage import Database, open_database

SEGMENTS = 12
SEGMENT_MS = 30_000


class Counting:
    """Keeps a segment after another, each with who made it, and gives them as results."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        clock: Callable[[], datetime],
        *,
        wait_s: float = 0.0,
        say: Callable[[str, int], None] = lambda what, number: None,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._wait_s = wait_s
        self._say = say

    def __call__(self, running: Running) -> None:
        job_id, runner, keyring = running.job.id, running.runner, self._keyring
        first = self._database.read(lambda c: segments_kept(c, job_id))
        for number in range(first, SEGMENTS):
            self._say("begun", number)
            until_s = time.monotonic() + self._wait_s
            while time.monotonic() < until_s:
                running.require_wanted()
                time.sleep(0.002)
            self._database.write(partial(self._keep, running=running, number=number))
            self._say("kept", number)

        def end(connection: Connection) -> None:
            contents = [segment_of(connection, keyring, job_id, n) for n in range(SEGMENTS)]
            results = [
                Result("count", n, 0, n * SEGMENT_MS, content or b"")
                for n, content in enumerate(contents)
            ]
            keep_results(connection, keyring, job_id, results, runner=runner)
            end_job(connection, keyring, job_id, runner, JobState.SUCCEEDED, self._clock())

        self._database.write(end)
        self._say("ended", SEGMENTS)

    def _keep(self, connection: Connection, running: Running, number: int) -> None:
        job_id, runner = running.job.id, running.runner
        of_ms = (number + 1) * SEGMENT_MS, SEGMENTS * SEGMENT_MS
        running.tell(*of_ms)
        beat(connection, job_id, runner, self._clock(), *of_ms)
        content = f"{number} by {runner}".encode()
        keep_segment(connection, self._keyring, job_id, number, content, runner=runner)


def run(url: str, keys: Path, ahead_s: float, wait_s: float, says: Pipe) -> None:
    """Run jobs for good, with a clock that is some seconds ahead; say what happens."""

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=ahead_s)

    def say(what: str, number: int) -> None:
        says.send((what, number))

    with open_database(url, lock_timeout_s=30) as database:
        keyring = Keyring(KeyFiles(keys))
        act = Counting(database, keyring, clock, wait_s=wait_s, say=say)
        with LocalRunner(database, keyring, {"count": act}, clock, beat_s=0.2):
            time.sleep(600)
