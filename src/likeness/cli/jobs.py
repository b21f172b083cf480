"""`likeness jobs`: long work and how far it is, also while a server runs."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from likeness.cli.acts import rows_for
from likeness.cli.terminal.answers import Json, print_answer
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import minute
from likeness.jobs import KEPT, STALE, Job, JobState
from likeness.service.live.manage import stop_live
from likeness.service.uses import Rows
from likeness.service.video import manage as acts
from likeness.v1.answers import JobAnswer

jobs = typer.Typer(
    help="List, show, stop and cancel long work, such as searches of clips.", add_completion=False
)

_Id = Annotated[str, typer.Argument(metavar="ID", help="The job's id.")]


@jobs.command("list")
def list_jobs(as_json: AsJson = False) -> None:
    """List jobs, the newest first; those that ended are kept for 7 days."""
    with rows_for("ListJobs") as (rows, caller):
        every = acts.jobs_of(rows, caller)
    lines = [f"{one.id}  {one.act}, {_state_in_words(one)}" for one in every]
    print_answer(as_json, {"jobs": [_json(one) for one in every]}, lines or ["There is no job."])


@jobs.command()
def show(job_id: _Id, as_json: AsJson = False) -> None:
    """Show how far a job is, or how it ended."""
    with rows_for("ShowJob") as (rows, caller):
        job = acts.show_job(rows, caller, job_id)
        collection = _collection_of(rows, job)
    print_answer(as_json, _json(job), _lines(job, collection))


@jobs.command()
def cancel(job_id: _Id, as_json: AsJson = False) -> None:
    """Cancel a job that has not ended; nothing that it found is kept."""
    with rows_for("CancelJob") as (rows, caller):
        job = acts.stop_job(rows, caller, job_id)
    print_answer(as_json, _json(job), [f"Job {job.id} is cancelled."])


@jobs.command()
def stop(job_id: _Id, as_json: AsJson = False) -> None:
    """End a live search; what it told is kept for 7 days."""
    with rows_for("StopLiveSearch") as (rows, caller):
        job = stop_live(rows, caller, job_id)
    said = "has ended" if job.state.ended else "ends within a second"
    print_answer(as_json, _json(job), [f"Job {job.id} {said}."])


def _collection_of(rows: Rows, job: Job) -> str | None:
    """Name the collection that a job searches, which never outlives it; None without one."""
    of = job.collection_id
    if of is None:
        return None
    return rows.database.read(lambda connection: rows.collections.of_id(connection, of).name)


def _lines(job: Job, collection: str | None) -> list[str]:
    lines = [
        f"{job.id}  {job.act}, {_state_in_words(job)}",
        f"  asked by {job.principal_id} on {minute(job.made_at)}",
    ]
    if collection is not None:
        lines.append(f"  in collection {plain(collection)}")
    if job.failure is not None:
        lines.append(f"  {job.failure}: {plain(job.failure_text or 'nothing more is known')}")
    if job.ended_at is not None:
        lines.append(f"  deleted on {minute(job.ended_at + KEPT)}")
    return lines


def _state_in_words(job: Job) -> str:
    if job.ended_at is not None:
        return f"{job.state} on {minute(job.ended_at)}"
    if job.begun_at is None:
        return f"waiting since {minute(job.made_at)}"
    far = f", {min(100, 100 * job.done_ms // job.total_ms)}% done" if job.total_ms > 0 else ""
    begun = "interrupted" if job.state is JobState.WAITING or _is_left(job) else "running"
    return f"{begun}, begun on {minute(job.begun_at)}{far}"


def _is_left(job: Job) -> bool:
    """Whether the command that ran a job was killed: no server goes on with it."""
    return job.local and job.beat_at is not None and datetime.now(UTC) - job.beat_at > STALE


def _json(job: Job) -> Json:
    return JobAnswer.of(job).model_dump(mode="json")
