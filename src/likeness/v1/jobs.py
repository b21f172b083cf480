"""Long work over HTTP: list, show, cancel."""

from typing import Annotated

from fastapi import APIRouter, Path

from likeness.service.video import manage as acts
from likeness.v1.acts import Calls, RowsHere
from likeness.v1.answers import JobAnswer, JobsAnswer

jobs = APIRouter(prefix="/v1/jobs", tags=["jobs"])

_Id = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


@jobs.get("")
def list_jobs(rows: RowsHere, calls: Calls) -> JobsAnswer:
    """List the caller's jobs, the newest first; an admin's list has everybody's."""
    every = acts.jobs_of(rows, calls("ListJobs"))
    return JobsAnswer(jobs=[JobAnswer.of(one) for one in every])


@jobs.get("/{job_id}")
def show_job(job_id: _Id, rows: RowsHere, calls: Calls) -> JobAnswer:
    """Say how far a job is, and how it ended."""
    return JobAnswer.of(acts.show_job(rows, calls("ShowJob"), job_id))


@jobs.post("/{job_id}/cancel")
def cancel_job(job_id: _Id, rows: RowsHere, calls: Calls) -> JobAnswer:
    """Cancel a job that has not ended; nothing that it found is kept."""
    return JobAnswer.of(acts.stop_job(rows, calls("CancelJob"), job_id))
