"""Says how far live searches are, and ends them, each act on record.

A search is shown to whose it is, and to admins; others learn of none.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from uuid import UUID

from sqlalchemy import Connection

from likeness import jobs
from likeness.errors import Denied
from likeness.jobs import Job, JobState
from likeness.service.live.asked import LIVE_SEARCH, LiveAsked, read_request
from likeness.service.uses import Caller, Consent, Outcome, Rows
from likeness.service.video.manage import jobs_of, required_job
from likeness.terms import UNDECLARED, Action, Use


class LiveState(StrEnum):
    """How far a live search is."""

    STARTING = "starting"
    """It waits for a thread, or for the source's first frame."""
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, eq=False)
class LiveJob:
    """A live search: its job, what was asked, and how far it is.

    `case_id` is the case in which an authority consents to it, where rules owed that.
    """

    job: Job
    asked: LiveAsked
    case_id: UUID | None = None

    @property
    def state(self) -> LiveState:
        """How far it is."""
        return live_state(self.job)


def live_state(job: Job) -> LiveState:
    """Say how far a live search is, by its job."""
    match job.state:
        case JobState.FAILED:
            return LiveState.FAILED
        case JobState.SUCCEEDED | JobState.CANCELLED:
            return LiveState.STOPPED
        case JobState.RUNNING if job.asked_to_end_at is not None:
            return LiveState.STOPPING
        case JobState.RUNNING if job.done_ms:
            return LiveState.RUNNING
        case _:
            return LiveState.STARTING


def live_job(rows: Rows, caller: Caller, job_id: str) -> LiveJob:
    """Say what was asked of a live search, and how far it is.

    Raises:
        NotFound: the caller has no such search.
    """
    with rows.record_use(caller, caller.use(Action.READ, UNDECLARED)) as record:
        job = required_job(rows, caller, job_id, LIVE_SEARCH)
        record.answered(Outcome(details={"job_id": job.id}))
        return as_live_job(rows, job)


def live_jobs_of(rows: Rows, caller: Caller) -> list[LiveJob]:
    """List the caller's live searches, the newest first; an admin's list has everybody's."""
    return [as_live_job(rows, one) for one in jobs_of(rows, caller) if one.act == LIVE_SEARCH]


def stop_live(rows: Rows, caller: Caller, job_id: str) -> Job:
    """Have a live search end; what it told is kept for 7 days.

    Raises:
        NotFound: the caller has no such search.
        Conflict: it has ended.
    """
    # Whatever forbids looking must not forbid an end of it.
    with rows.record_use(caller, caller.use(Action.READ, UNDECLARED)) as record:
        job = required_job(rows, caller, job_id, LIVE_SEARCH)

        def ask(connection: Connection) -> Job:
            return jobs.ask_to_end(connection, rows.keyring, job.id, rows.clock())

        return record.write(ask, lambda _: Outcome(details={"job_id": job.id}))


def as_live_job(rows: Rows, job: Job) -> LiveJob:
    """Read what was asked of a live search."""
    read = partial(jobs.request_of, keyring=rows.keyring, job_id=job.id)
    request = read_request(rows.database.read(read))
    return LiveJob(job, request.asked, request.case_id)


def sweep_live(rows: Rows) -> int:
    """Delete live searches to which no authority consented in time; say how many.

    One that runs ends by itself, since rules refuse it.

    Raises:
        Denied: a rule forbids it of one of them; all others are deleted.
    """
    denied: list[Denied] = []
    deleted = 0
    for job in rows.database.read(partial(jobs.ended_before, moment=rows.clock())):
        if job.act != LIVE_SEARCH or not _has_lapsed(rows, job):
            continue
        use = Use(rows.somebody, Action.ERASE, "EndJob", job.collection_id)
        try:
            with rows.desk.record(use) as record:
                record.write(partial(jobs.delete_job, job_id=job.id), partial(_unauthorised, job))
            deleted += 1
        except Denied as error:
            denied.append(error)
    if denied:
        raise denied[0]
    return deleted


def _unauthorised(job: Job, _: None) -> Outcome:
    return Outcome(details={"job_id": job.id, "reason": "unauthorised"})


def _has_lapsed(rows: Rows, job: Job) -> bool:
    read = partial(jobs.request_of, keyring=rows.keyring, job_id=job.id)
    ongoing = read_request(rows.database.read(read)).ongoing
    return rows.desk.consent_to(ongoing) is Consent.LAPSED
