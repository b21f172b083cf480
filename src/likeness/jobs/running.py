"""A job that is being run: whether it is still wanted, and the word that it runs.

Whoever works on a job says so every few seconds (a beat), from a thread of its own; another takes
over a job of which nothing is heard. An act asks for every piece of its work whether it is wanted.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from likeness.errors import LikenessError
from likeness.jobs.job import BEAT_S, Job, JobStopped
from likeness.jobs.rows import beat, job_stopped
from likeness.storage import Database
from likeness.terms import Closing

_logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

_MISSED_BEATS = 3


class Running:
    """A job that is being run: what it asks, and whether it is still wanted.

    `runner` goes with everything that is written of the job. Safe to use from many threads.
    """

    def __init__(self, database: Database, job: Job, request: bytes, clock: Clock) -> None:
        self.job = job
        self.request = request
        self.runner = job.runner or ""
        self._database = database
        self._clock = clock
        self._done_of_total_ms = job.done_ms, job.total_ms
        self._stopped = threading.Event()
        self._beaten_s = time.monotonic()

    def tell(self, done_ms: int, total_ms: int) -> None:
        """Say how far the job is; the next beat writes it down."""
        self._done_of_total_ms = done_ms, total_ms

    def require_wanted(self) -> None:
        """Go on only while the job is this runner's, and this process does not end.

        Cheap: ask for every frame.

        Raises:
            JobStopped: it is not, or the process ends.
            Conflict, DatabaseUnavailable: nothing was heard of the database for long.
        """
        if self._stopped.is_set():
            raise job_stopped()
        if time.monotonic() - self._beaten_s > _MISSED_BEATS * BEAT_S:
            # As after the whole process stood still: somebody else may have the job by now.
            self.beat()

    def beat(self) -> None:
        """Say that the job runs.

        Raises:
            JobStopped: it is not this runner's any more.
            Conflict, DatabaseUnavailable: it could not be said.
        """
        done_ms, total_ms = self._done_of_total_ms
        try:
            self._database.write(
                lambda connection: beat(
                    connection, self.job.id, self.runner, self._clock(), done_ms, total_ms
                )
            )
        except JobStopped:
            self.stop()
            raise
        self._beaten_s = time.monotonic()

    def stop(self) -> None:
        """Let the act stop where it asks next whether the job is wanted."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Whether its act was to stop."""
        return self._stopped.is_set()


class Beats(Closing):
    """Beats for jobs that run, in a thread of its own."""

    def __init__(self, beat_s: float) -> None:
        self._beat_s = beat_s
        self._lock = threading.Lock()
        self._running: set[Running] = set()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="likeness: beats", daemon=True)
        self._thread.start()

    def begin(self, running: Running) -> None:
        """Beat for a job from now on."""
        with self._lock:
            self._running.add(running)

    def end(self, running: Running) -> None:
        """Beat for a job no more."""
        with self._lock:
            self._running.discard(running)

    def stop_all(self) -> None:
        """Let the acts of all jobs stop."""
        with self._lock:
            for running in self._running:
                running.stop()

    def close(self) -> None:
        """Beat no more."""
        self._closed.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._closed.wait(self._beat_s):
            with self._lock:
                running = list(self._running)
            for one in running:
                try:
                    one.beat()
                except JobStopped:
                    self.end(one)
                except LikenessError as error:
                    kind = type(error).__name__
                    _logger.warning(
                        "job %s: it could not be said that it runs: %s", one.job.id, kind
                    )
                except Exception as error:
                    _logger.error("job %s: a beat failed: %s", one.job.id, type(error).__name__)
