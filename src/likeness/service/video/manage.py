"""Lists, shows, stops, fails and sweeps jobs over clips, each act on record.

A job is shown to whose it is, and to admins; others learn of none.
"""

from contextlib import suppress
from functools import partial

from sqlalchemy import Connection

from likeness import errors, jobs
from likeness.access import may
from likeness.errors import Denied, Fault, NotFound, SourceUnavailable
from likeness.jobs import KEPT, Job, JobState, JobStopped, Running
from likeness.service.uses import Caller, Outcome, Rows
from likeness.terms import UNDECLARED, Action, Use

_A_LIST = 1000


def jobs_of(rows: Rows, caller: Caller) -> list[Job]:
    """List the caller's jobs, the newest first; an admin's list has everybody's."""
    whose = None if _is_admin(caller) else caller.principal.id
    with rows.record_use(caller, caller.use(Action.READ, UNDECLARED)) as record:
        listed = rows.database.read(
            lambda connection: jobs.list_jobs(
                connection, rows.keyring, principal_id=whose, limit=_A_LIST
            )
        )
        record.answered(Outcome())
    return listed


def show_job(rows: Rows, caller: Caller, job_id: str) -> Job:
    """Say how far a job has come.

    Raises:
        NotFound: the caller has no such job.
    """
    with rows.record_use(caller, caller.use(Action.READ, UNDECLARED)) as record:
        job = required_job(rows, caller, job_id)
        record.answered(Outcome(details={"job_id": job.id}))
    return job


def stop_job(rows: Rows, caller: Caller, job_id: str) -> Job:
    """Cancel a job; what it found so far is dropped.

    Raises:
        NotFound: the caller has no such job.
        Conflict: it has ended.
    """
    # Whatever forbids looking must not forbid an end of it, nor may every caller erase anything.
    with rows.record_use(caller, caller.use(Action.READ, UNDECLARED)) as record:
        job = required_job(rows, caller, job_id)

        def cancel(connection: Connection) -> Job:
            return jobs.cancel_job(connection, rows.keyring, job.id, rows.clock())

        return record.write(cancel, lambda _: Outcome(details={"job_id": job.id}))


def fail_job(rows: Rows, running: Running, error: Exception) -> None:
    """End a job whose act failed, or that was begun too often, with why.

    What one that lasts has found until then stays, unless a rule has come to forbid it.
    The entry says which job that was: that of the act itself may not. Where a rule forbids even
    this, the job ends all the same.
    """
    kind, text = jobs.failure_of(error)
    job_id = running.job.id
    end = partial(
        jobs.end_job,
        keyring=rows.keyring,
        job_id=job_id,
        runner=running.runner,
        state=JobState.FAILED,
        now=rows.clock(),
        failure=kind,
        failure_text=text,
        keeps_results=jobs.keeps_results(running.job, error),
    )
    use = Use(rows.somebody, Action.ERASE, "EndJob", running.job.collection_id)
    with suppress(JobStopped):  # somebody cancelled it meanwhile
        try:
            with rows.desk.record(use) as record:
                record.write(end, lambda _: Outcome(details={"job_id": job_id, "reason": kind}))
        except Denied:
            rows.database.write(end)


def sweep_jobs(rows: Rows) -> int:
    """Delete jobs whose results were kept long enough; say how many.

    Raises:
        Denied: a rule forbids it of one of them; all others are deleted.
    """
    denied: list[Denied] = []
    past = rows.clock() - KEPT
    ended = rows.database.read(partial(jobs.ended_before, moment=past))
    for job in ended:
        use = Use(rows.somebody, Action.ERASE, "EndJob", job.collection_id)
        try:
            with rows.desk.record(use) as record:
                record.write(
                    partial(jobs.delete_job, job_id=job.id),
                    partial(_swept, job),
                )
        except Denied as error:
            denied.append(error)
    if denied:
        raise denied[0]
    return len(ended)


def required_job(rows: Rows, caller: Caller, job_id: str, act: str | None = None) -> Job:
    """Find a job that a caller may see; of one act, where that is named.

    Raises:
        NotFound: there is none.
    """
    unknown = NotFound(
        f"No job of yours has this id. Jobs are deleted {KEPT.days} days after their end."
        " `likeness jobs list` shows what there is."
    )
    try:
        job = rows.database.read(partial(jobs.get_job, keyring=rows.keyring, job_id=job_id))
    except NotFound as error:
        raise unknown from error
    if job.principal_id != caller.principal.id and not _is_admin(caller):
        raise unknown
    if act not in (None, job.act):
        raise unknown
    return job


def told_of_failure(job: Job) -> str | None:
    """Say why a job failed to whoever asks over a network; None of one that did not.

    A fault keeps its reason to itself: paths and addresses are the operator's. Why a source cannot
    be had is said without any.
    """
    if job.failure is None:
        return None
    kind = getattr(errors, job.failure, Fault)
    if not issubclass(kind, Fault) or kind is SourceUnavailable:
        return job.failure_text or kind.__name__
    return (
        f"Something that the server needs fails ({kind.__name__}). Nothing is wrong with the"
        " request; `likeness jobs show` tells the server's operator more."
    )


def _is_admin(caller: Caller) -> bool:
    return may(caller.principal.role, Action.GOVERN)


def _swept(job: Job, _: None) -> Outcome:
    return Outcome(details={"job_id": job.id, "reason": "expired"})
