"""Long work over HTTP: list, show, cancel; and who is seen in a clip."""

from typing import Annotated

from fastapi import Path

from likeness.service.video import manage as acts
from likeness.service.video.results import people_seen
from likeness.v1.acts import ActRouter, Calls, HomeHere, RowsHere
from likeness.v1.answers import JobAnswer, JobsAnswer
from likeness.v1.clip_answers import PeopleSeenAnswer

jobs = ActRouter(prefix="/v1/jobs", tags=["jobs"])

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


@jobs.get("/{job_id}/people")
def show_people(job_id: _Id, home: HomeHere, calls: Calls) -> PeopleSeenAnswer:
    """Say who is seen in the clip of a job, from when to when, and whom they are like."""
    return PeopleSeenAnswer.of(people_seen(home, calls("ShowPeople"), None, job_id))
