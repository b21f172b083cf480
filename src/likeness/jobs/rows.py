"""Jobs as rows: added, claimed by a runner, kept alive by beats, ended, and deleted.

All are functions over a connection of the caller's act, so that what the ledger says of a job is
committed with it. Acts that write are alone with the database: of two runners one has a job.
"""

import os
import re
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from likeness.errors import Conflict, LimitReached, NotFound
from likeness.jobs.job import (
    MOST_LASTING,
    MOST_UNFINISHED,
    STALE,
    Job,
    JobState,
    JobStopped,
    NewJob,
)
from likeness.jobs.keys import digest_of, new_digest_of, new_key, open_key, place_of
from likeness.jobs.tables import JOBS, OF_A_JOB, SEGMENTS
from likeness.secrets import Keyring
from likeness.storage import legible, legible_rows

_ID_BYTES = 32
_AN_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)
_UNFINISHED = JOBS.c.state.in_([JobState.WAITING, JobState.RUNNING])
_IN_THE_CLEAR = [field.name for field in fields(Job) if field.name != "failure_text"]
COLUMNS = [JOBS.c[name] for name in (*_IN_THE_CLEAR, "sealed_key", "sealed_failure_text")]


def add_job(connection: Connection, keyring: Keyring, new: NewJob, now: datetime) -> Job:
    """Add a job; it waits for a runner.

    Raises:
        LimitReached: as many as there may be wait and run already, of all or of their principal.
        KeyUnusable: the keys cannot be had any more.
    """
    if not new.local:
        _require_place(connection, new)
    job_id = os.urandom(_ID_BYTES).hex()
    key, sealed_key = new_key(keyring, job_id)
    job = Job(
        job_id,
        new.act,
        JobState.WAITING,
        new.principal_id,
        new.collection_id,
        now,
        local=new.local,
        lasting=new.lasting,
    )
    connection.execute(
        insert(JOBS),
        {
            **{name: getattr(job, name) for name in _IN_THE_CLEAR},
            "same_as_digest": None
            if new.same_as is None
            else new_digest_of(connection, keyring, new.same_as),
            "sealed_key": sealed_key,
            "sealed_request": key.seal(new.request, place_of(job_id, "request")),
            "sealed_told": None
            if new.told is None
            else key.seal(new.told, place_of(job_id, "told")),
            "notice_attempts": 0,
        },
    )
    return job


def _require_place(connection: Connection, new: NewJob) -> None:
    """Refuse a job where there are too many: one principal has as many as are left to others."""
    unfinished = select(func.count()).where(_UNFINISHED, *_of_servers(lasting=new.lasting))
    every = connection.execute(unfinished).scalar_one()
    own = connection.execute(unfinished.where(JOBS.c.principal_id == new.principal_id)).scalar_one()
    if new.lasting and every >= MOST_LASTING:
        said = f"{MOST_LASTING} live searches wait or run already"
    elif not new.lasting and own >= 2 * MOST_UNFINISHED - every:
        said = f"{own} jobs wait or run already, as many as there are places left for others"
    else:
        return
    raise LimitReached(
        f"{said}. Try again when one has ended, or end one: `likeness jobs list` shows them."
    )


def get_job(connection: Connection, keyring: Keyring, job_id: str) -> Job:
    """Find a job.

    Raises:
        NotFound: there is none.
        KeyUnusable: a key is gone.
    """
    if not _AN_ID.fullmatch(job_id):  # whatever a caller wrote, databases may not take it
        raise _no_such_job()
    row = connection.execute(select(*COLUMNS).where(JOBS.c.id == job_id)).first()
    if row is None:
        raise _no_such_job()
    return as_job(keyring, row)


def list_jobs(
    connection: Connection,
    keyring: Keyring,
    *,
    principal_id: str | None = None,
    limit: int,
) -> list[Job]:
    """List jobs, the newest first: of one principal or of all; damaged ones are left out."""
    chosen = select(*COLUMNS).order_by(JOBS.c.number.desc()).limit(limit)
    if principal_id is not None:
        chosen = chosen.where(JOBS.c.principal_id == principal_id)
    rows = legible_rows(connection, JOBS.c.id, chosen)
    return legible(connection, JOBS.c.id, rows, lambda row: as_job(keyring, row))


def latest_same(connection: Connection, keyring: Keyring, same_as: bytes) -> Job | None:
    """Find the newest job that was added with this `same_as`; None where there is none.

    Raises:
        KeyUnusable: a key is gone.
    """
    digest = digest_of(connection, keyring, same_as)
    if digest is None:
        return None
    chosen = select(*COLUMNS).where(JOBS.c.same_as_digest == digest)
    row = connection.execute(chosen.order_by(JOBS.c.number.desc()).limit(1)).first()
    return None if row is None else as_job(keyring, row)


def request_of(connection: Connection, keyring: Keyring, job_id: str) -> bytes:
    """Open what a job was asked.

    Raises:
        NotFound: there is none.
        KeyUnusable: a key is gone.
    """
    columns = JOBS.c.id, JOBS.c.sealed_key, JOBS.c.sealed_request
    row = connection.execute(select(*columns).where(JOBS.c.id == job_id)).first()
    if row is None:
        raise _no_such_job()
    return open_key(keyring, row.id, row.sealed_key).unseal(
        row.sealed_request, place_of(job_id, "request")
    )


def any_to_claim(connection: Connection, now: datetime, *, lasting: bool = False) -> bool:
    """Say whether there is a job for `claim_job` to claim, without writing."""
    chosen = select(JOBS.c.number).where(_claimable(now), *_of_servers(lasting=lasting)).limit(1)
    return connection.execute(chosen).first() is not None


def claim_job(
    connection: Connection,
    keyring: Keyring,
    runner: str,
    now: datetime,
    *,
    job_id: str | None = None,
    lasting: bool = False,
) -> Job | None:
    """Give a runner a job to run: one that nobody runs any more, or else one that waits.

    Of those that wait, the principal's comes first of whom none was begun for longest, and of
    theirs the oldest. Jobs that last are claimed by themselves, and local ones by their ids alone.
    None where there is nothing to run.

    Raises:
        KeyUnusable: a key is gone.
    """
    which = _of_servers(lasting=lasting) if job_id is None else [JOBS.c.id == job_id]
    chosen = select(JOBS.c.id, JOBS.c.begun_at, JOBS.c.tries).where(_claimable(now), *which)
    theirs = JOBS.alias()
    last_begun = select(func.max(theirs.c.begun_at)).where(
        theirs.c.principal_id == JOBS.c.principal_id
    )
    in_turn = (
        JOBS.c.begun_at.is_(None),
        last_begun.scalar_subquery().asc().nulls_first(),
        JOBS.c.number,
    )
    row = connection.execute(chosen.order_by(*in_turn).limit(1)).first()
    if row is None:
        return None
    connection.execute(
        update(JOBS)
        .where(JOBS.c.id == row.id)
        .values(
            state=JobState.RUNNING,
            runner=runner,
            begun_at=row.begun_at or now,
            beat_at=now,
            tries=row.tries + 1,
        )
    )
    return get_job(connection, keyring, row.id)


def beat(
    connection: Connection, job_id: str, runner: str, now: datetime, done_ms: int, total_ms: int
) -> None:
    """Say that a runner still runs a job, and how far it is.

    Raises:
        JobStopped: it was cancelled, has ended, or is another runner's.
    """
    values = {"beat_at": now, "done_ms": done_ms, "total_ms": total_ms}
    if connection.execute(_of(job_id, runner).values(**values)).rowcount != 1:
        raise job_stopped()


def release_job(connection: Connection, job_id: str, runner: str) -> None:
    """Let a job wait for another runner, at once; what was kept of it stays.

    One that the runner does not have stays as it is. That it was begun does not count as a try.
    """
    tries = case((JOBS.c.tries > 0, JOBS.c.tries - 1), else_=0)
    values = {"state": JobState.WAITING, "runner": None, "tries": tries}
    connection.execute(_of(job_id, runner).values(**values))


def end_job(
    connection: Connection,
    keyring: Keyring,
    job_id: str,
    runner: str,
    state: JobState,
    now: datetime,
    *,
    failure: str | None = None,
    failure_text: str | None = None,
    keeps_results: bool = False,
) -> None:
    """End a job that a runner has; its segments go, and its results where it did not succeed.

    With `keeps_results` these stay however it ends. Whoever is to be told of its end
    (`NewJob.told`) has a notice due.

    Raises:
        JobStopped: it was cancelled, has ended, or is another runner's.
        KeyUnusable: a key is gone.
    """
    row = connection.execute(select(*COLUMNS).where(JOBS.c.id == job_id)).first()
    if row is None or (row.state, row.runner) != (JobState.RUNNING, runner):
        raise job_stopped()
    sealed_text = None
    if failure_text is not None:
        key = open_key(keyring, row.id, row.sealed_key)
        sealed_text = key.seal(failure_text.encode(), place_of(job_id, "failure"))
    keeps_results = keeps_results or state is JobState.SUCCEEDED
    why: dict[str, object] = {"failure": failure, "sealed_failure_text": sealed_text}
    _end(connection, job_id, state, now, why, keeps_results=keeps_results)


def cancel_job(connection: Connection, keyring: Keyring, job_id: str, now: datetime) -> Job:
    """End a job that waits or runs, with nothing kept of it; its runner stops at its next beat.

    Raises:
        NotFound: there is none.
        Conflict: it has ended.
        KeyUnusable: a key is gone.
    """
    job = get_job(connection, keyring, job_id)
    if job.state.ended:
        raise Conflict(
            f"The job has ended: it {_how_it_ended(job.state)}. There is nothing to cancel."
        )
    _end(connection, job_id, JobState.CANCELLED, now, {}, keeps_results=False)
    return get_job(connection, keyring, job_id)


def ask_to_end(connection: Connection, keyring: Keyring, job_id: str, now: datetime) -> Job:
    """Have a job that lasts end with what it has; one that nobody has begun ends at once.

    Raises:
        NotFound: there is none.
        Conflict: it has ended, or is none that lasts.
        KeyUnusable: a key is gone.
    """
    job = get_job(connection, keyring, job_id)
    if job.state.ended or not job.lasting:
        how = _how_it_ended(job.state) if job.state.ended else "ends by itself"
        raise Conflict(f"The job cannot be asked to end: it {how}.")
    if job.state is JobState.WAITING:
        _end(connection, job_id, JobState.SUCCEEDED, now, {}, keeps_results=True)
    elif job.asked_to_end_at is None:
        connection.execute(update(JOBS).where(JOBS.c.id == job_id).values(asked_to_end_at=now))
    return get_job(connection, keyring, job_id)


def got_further(connection: Connection, job_id: str, runner: str) -> None:
    """Say that a job got further since it was begun: how often that was is counted anew.

    Raises:
        JobStopped: it does not run, or is another runner's.
    """
    if connection.execute(_of(job_id, runner).values(tries=0)).rowcount != 1:
        raise job_stopped()


def ended_before(connection: Connection, moment: datetime) -> list[Job]:
    """List jobs that ended before a moment, and local ones that nobody went on with since.

    They come without the message of their failure.
    """
    left = and_(
        _UNFINISHED,
        JOBS.c.local.is_(True),
        func.coalesce(JOBS.c.beat_at, JOBS.c.made_at) < moment,
    )
    chosen = select(*COLUMNS).where(or_(JOBS.c.ended_at < moment, left)).order_by(JOBS.c.number)
    rows = legible_rows(connection, JOBS.c.id, chosen)
    return legible(connection, JOBS.c.id, rows, lambda row: as_job(None, row))


def delete_job(connection: Connection, job_id: str) -> None:
    """Delete a job with all that it kept, its key too; one that is not there is as good."""
    delete_jobs(connection, JOBS.c.id == job_id)


def delete_jobs(connection: Connection, chosen: ColumnElement[bool]) -> None:
    """Delete the jobs chosen with all that they kept."""
    numbers = select(JOBS.c.number).where(chosen)
    for table in OF_A_JOB:
        connection.execute(delete(table).where(table.c.job_number.in_(numbers)))
    connection.execute(delete(JOBS).where(chosen))


def as_job(keyring: Keyring | None, row: Row[Any]) -> Job:
    """Give the job of a row, with the message of its failure where there are keys."""
    text = None
    if keyring is not None and row.sealed_failure_text is not None:
        key = open_key(keyring, row.id, row.sealed_key)
        text = key.unseal(row.sealed_failure_text, place_of(row.id, "failure")).decode()
    values = {name: getattr(row, name) for name in _IN_THE_CLEAR}
    return Job(**values | {"state": JobState(row.state), "failure_text": text})


def job_stopped() -> JobStopped:
    """Make the error of a job that is not its runner's any more."""
    return JobStopped(
        "The job was cancelled, has ended, or goes on elsewhere. `likeness jobs show` says which."
    )


def _claimable(now: datetime) -> ColumnElement[bool]:
    silent = and_(JOBS.c.state == JobState.RUNNING, JOBS.c.beat_at < now - STALE)
    return or_(JOBS.c.state == JobState.WAITING, silent)


def _of_servers(*, lasting: bool) -> list[ColumnElement[bool]]:
    return [JOBS.c.local.is_(False), JOBS.c.lasting.is_(lasting)]


def _of(job_id: str, runner: str) -> Any:
    """Update a job that a runner has."""
    return update(JOBS).where(
        JOBS.c.id == job_id, JOBS.c.runner == runner, JOBS.c.state == JobState.RUNNING
    )


def _end(
    connection: Connection,
    job_id: str,
    state: JobState,
    now: datetime,
    why: dict[str, object],
    *,
    keeps_results: bool,
) -> None:
    """End a job, make its notice due where somebody is to be told, and let go of what it kept."""
    of_it = update(JOBS).where(JOBS.c.id == job_id)
    connection.execute(of_it.values(state=state, ended_at=now, runner=None, **why))
    connection.execute(of_it.where(JOBS.c.sealed_told.is_not(None)).values(notice_due_at=now))
    gone = (SEGMENTS,) if keeps_results else OF_A_JOB
    number = select(JOBS.c.number).where(JOBS.c.id == job_id).scalar_subquery()
    for table in gone:
        connection.execute(delete(table).where(table.c.job_number == number))


def _no_such_job() -> NotFound:
    return NotFound("No such job. `likeness jobs list` shows what there is.")


def _how_it_ended(state: JobState) -> str:
    return "was cancelled" if state == JobState.CANCELLED else state.value
