"""Runs jobs in this process: claims them, and calls their acts.

What a job does is an act that the runner is given: it ends its job itself, on record.

A process that is killed leaves its jobs running in their rows. Whoever claims next after `STALE`
goes on with them, from the last segment that was kept.
"""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from uuid import uuid4

from sqlalchemy import Connection

from likeness.errors import (
    Conflict,
    DatabaseInUse,
    DatabaseUnavailable,
    Fault,
    LikenessError,
    Refused,
    TooBusy,
)
from likeness.jobs.job import BEAT_S, MOST_TRIES, STALE, Job, JobState, JobStopped
from likeness.jobs.rows import (
    any_to_claim,
    claim_job,
    end_job,
    get_job,
    job_stopped,
    release_job,
    request_of,
)
from likeness.jobs.running import Beats, Clock, Running
from likeness.secrets import Keyring
from likeness.storage import Database
from likeness.terms import Closing

_logger = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
# What passes: the job stays as it is, and is gone on with once nothing is heard of it any more.
_PASSING = (DatabaseInUse, DatabaseUnavailable, TooBusy)


Act = Callable[[Running], None]
"""Does a job, and ends it."""


class LocalRunner(Closing):
    """Runs jobs in threads of this process until it is closed; any number of processes may.

    Jobs that last take runners of their own (`lasting`), and local ones are left to the command
    lines that added them (`run_here`).
    """

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        acts: Mapping[str, Act],
        clock: Clock,
        *,
        threads: int = 1,
        lasting: bool = False,
        beat_s: float = BEAT_S,
        fail: Callable[[Running, Exception], None] | None = None,
    ) -> None:
        """Begin to run jobs.

        Args:
            database: where jobs lie.
            keyring: the installation's keys.
            acts: what jobs do, by the `act` of a job.
            clock: gives the time.
            threads: how many run at once.
            lasting: whether it runs the jobs that last, or all others.
            beat_s: how often to say that they run.
            fail: ends a job as failed whose act raised something that is none of its business, or
                that was begun too often; by default in its row alone.
        """
        self._database = database
        self._keyring = keyring
        self._acts = acts
        self._clock = clock
        self._lasting = lasting
        self._fail = fail or _FailInRow(database, keyring, clock)
        self._closed = threading.Event()
        self._wanted = threading.Event()
        self._looking = threading.Lock()
        self._beats = Beats(beat_s)
        self._threads = [
            threading.Thread(target=self._repeat, name=f"likeness: jobs {number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Look for jobs now; they are found within a second anyway."""
        self._wanted.set()

    def close(self) -> None:
        """Stop what runs, so that another process goes on with it, and claim nothing more."""
        self._closed.set()
        self._wanted.set()
        self._beats.stop_all()
        for thread in self._threads:
            thread.join()
        self._beats.close()

    def _repeat(self) -> None:
        while not self._closed.is_set():
            try:
                self._run_next()
            except LikenessError as error:
                _logger.warning("jobs have to be looked for again: %s", type(error).__name__)
                self._closed.wait(_LOOK_EVERY_S)
            except Exception as error:
                _logger.error("looking for jobs failed: %s", type(error).__name__)
                self._closed.wait(_LOOK_EVERY_S)

    def _run_next(self) -> None:
        """Run a job, if there is one soon."""
        with self._looking:  # one thread looks for all that have nothing to do
            running = self._claim()
            if running is None and not self._closed.is_set():
                self._wanted.wait(_LOOK_EVERY_S)
                self._wanted.clear()
        if running is not None:
            try:
                self._run(running)
            finally:
                self._beats.end(running)

    def _claim(self) -> Running | None:
        now, lasting = self._clock(), self._lasting
        if not self._database.read(partial(any_to_claim, now=now, lasting=lasting)):
            return None
        # A name for each claim: who takes a job over is never mistaken for who had it.
        runner = uuid4().hex
        claimed = self._database.write(
            partial(_claimed, keyring=self._keyring, runner=runner, now=now, lasting=lasting)
        )
        if claimed is None:
            return None
        job, request = claimed
        running = Running(self._database, job, request, self._clock)
        self._beats.begin(running)
        if self._closed.is_set():
            running.stop()
        return running

    def _run(self, running: Running) -> None:
        job = running.job
        _logger.info("job %s: %s begins, try %d", job.id, job.act, job.tries)
        try:
            self._do(running)
        except JobStopped:
            _release(self._database, running)
            _logger.info("job %s: stopped", job.id)
        except _PASSING as error:
            _logger.warning("job %s: interrupted by %s", job.id, type(error).__name__)
        except Exception as error:
            _logger.error("job %s: failed: %s", job.id, _where(error))
            self._fail(running, error)
        else:
            _logger.info("job %s: done", job.id)

    def _do(self, running: Running) -> None:
        """Call a job's act, and see to it that the job has ended then.

        Raises:
            JobStopped: its act was to stop, and may have ended it before.
            Fault: it was begun too often, or is of no act, or its act did not end it.
        """
        job = running.job
        if job.tries > MOST_TRIES:
            raise Fault(
                f"The job was begun {MOST_TRIES} times and got no further. The server's log says"
                " more; see that it has memory enough, then start the job anew."
            )
        act = self._acts.get(job.act)
        if act is None:
            raise Fault(
                f"This Likeness knows no jobs that do {job.act}. Run the newer one that added it."
            )
        act(running)
        if running.stopped:
            raise job_stopped()
        now = self._database.read(lambda connection: get_job(connection, self._keyring, job.id))
        if now.state is JobState.RUNNING and now.runner == running.runner:
            raise Fault("The job's act left it unfinished. Please report this.")


def run_here(database: Database, keyring: Keyring, job_id: str, act: Act, clock: Clock) -> Job:
    """Run a local job in this thread to its end, from where it was left; give it as it ended.

    One that a process left without a word is waited for until that is certain, `STALE` at most.
    Whatever interrupts this leaves the job to be gone on with, but for what its act raises: that
    fails it, where the act has not ended it.

    Raises:
        NotFound: there is no such job.
        Conflict: it has ended, or another process runs it.
        JobStopped: it was cancelled.
        LikenessError: what its act raises.
    """
    job, request = _claimed_here(database, keyring, job_id, clock)
    running = Running(database, job, request, clock)
    with Beats(BEAT_S) as beats:
        beats.begin(running)
        try:
            act(running)
        except JobStopped:
            raise
        except _PASSING:
            _release(database, running)
            raise
        except Exception as error:
            _FailInRow(database, keyring, clock)(running, error)
            raise
        except BaseException:
            _release(database, running)
            raise
        finally:
            beats.end(running)
    return database.read(lambda connection: get_job(connection, keyring, job_id))


class _FailInRow:
    """Ends a job as failed, in its row alone, unless it has ended."""

    def __init__(self, database: Database, keyring: Keyring, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock

    def __call__(self, running: Running, error: Exception) -> None:
        kind, text = failure_of(error)

        def end(connection: Connection) -> None:
            end_job(
                connection,
                self._keyring,
                running.job.id,
                running.runner,
                JobState.FAILED,
                self._clock(),
                failure=kind,
                failure_text=text,
                keeps_results=keeps_results(running.job, error),
            )

        try:
            self._database.write(end)
        except JobStopped:
            pass
        except LikenessError as refused:
            _logger.warning("job %s: not ended: %s", running.job.id, type(refused).__name__)


def keeps_results(job: Job, error: Exception) -> bool:
    """Whether what a job has found stays when it fails: of one that lasts, unless that is refused.

    What rules have come to forbid goes.
    """
    return job.lasting and not isinstance(error, Refused)


def failure_of(error: Exception) -> tuple[str, str]:
    """Give the kind and the message that a job fails with where its act raises an error."""
    if isinstance(error, LikenessError):
        return error.kind, str(error)
    return Fault.__name__, f"Likeness failed ({type(error).__name__}). Please report this."


def _where(error: Exception) -> str:
    """Say what was raised and where: not its message, which may hold what a caller chose."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join([type(error).__name__, *(f"{one.name}:{one.lineno}" for one in frames[::-1])])


def _claimed(
    connection: Connection,
    keyring: Keyring,
    runner: str,
    now: datetime,
    job_id: str | None = None,
    lasting: bool = False,
) -> tuple[Job, bytes] | None:
    """Claim a job together with what it asks."""
    job = claim_job(connection, keyring, runner, now, job_id=job_id, lasting=lasting)
    return None if job is None else (job, request_of(connection, keyring, job.id))


def _claimed_here(
    database: Database, keyring: Keyring, job_id: str, clock: Clock
) -> tuple[Job, bytes]:
    """Claim one job, once no other process runs it.

    Raises:
        NotFound: there is no such job.
        Conflict: it has ended, or another process runs it.
    """
    runner, heard = uuid4().hex, None
    until_s = time.monotonic() + 2 * STALE.total_seconds()
    while True:
        claimed = database.write(
            lambda connection: _claimed(connection, keyring, runner, clock(), job_id)
        )
        if claimed is not None:
            return claimed
        job = database.read(lambda connection: get_job(connection, keyring, job_id))
        if job.state.ended:
            raise Conflict(f"The job has ended: {job.state}. `likeness jobs show` says more.")
        heard = heard or job.beat_at
        if job.beat_at != heard or time.monotonic() > until_s:
            raise Conflict("Another process runs the job. Wait for it, or cancel the job first.")
        time.sleep(_LOOK_EVERY_S / 2)


def _release(database: Database, running: Running) -> None:
    """Let another go on with a job, unless it is another's or has ended already."""
    try:
        database.write(lambda connection: release_job(connection, running.job.id, running.runner))
    except LikenessError as error:  # it is taken over without that, only later
        _logger.warning("job %s: not released: %s", running.job.id, type(error).__name__)
