"""Opens the clips of jobs for people to look at: whole for a player, or a moment as a picture.

Whoever may see a job may look at its clip; each look is on record.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

from likeness import jobs
from likeness.errors import InvalidRequest, NotFound
from likeness.jobs import Job, JobState
from likeness.service.uses import Caller, Outcome, Rows
from likeness.service.video.asked import Asked, ClipAct, Request, UploadedClip, read_request
from likeness.service.video.manage import required_job
from likeness.service.video.uploads import Uploads, remove_clip
from likeness.terms import UNDECLARED, Action, Image
from likeness.video import ClipLimits, Sampling, reading

# Of a stretch of so many seconds the first frame is shown; where none is, of the one before.
_A_MOMENT_S = 1.0


def asked_of(rows: Rows, job: Job) -> Asked:
    """Read what a job over a clip was asked."""
    return _request_of(rows, job).asked


def purpose_of(rows: Rows, job: Job) -> str:
    """Say for which purpose a job over a clip was begun."""
    return _request_of(rows, job).stated.purpose or UNDECLARED


def _request_of(rows: Rows, job: Job) -> Request:
    return read_request(
        rows.database.read(partial(jobs.request_of, keyring=rows.keyring, job_id=job.id))
    )


def is_kept_here(asked: Asked) -> bool:
    """Say whether a job's clip lies on this server, so that it can be looked at."""
    return isinstance(asked.place, UploadedClip) and asked.place.file.is_file()


def open_clip(rows: Rows, caller: Caller, job_id: str) -> BinaryIO:
    """Open the clip of a job, which the caller closes.

    Raises:
        NotFound: the caller has no such job, or its clip is not kept here.
    """
    with _looked_at(rows, caller, job_id) as job:
        return _opened(asked_of(rows, job))


def open_copy(rows: Rows, uploads: Uploads, caller: Caller, job_id: str) -> BinaryIO:
    """Open the copy that a job has made, which the caller closes.

    Raises:
        NotFound: the caller has no such job, or its copy is not kept.
    """
    with _looked_at(rows, caller, job_id) as job:
        if job.act != ClipAct.REDACT or job.state is not JobState.SUCCEEDED:
            raise NotFound("The job has made no copy.")
        return uploads.open_copy(job.id)


def moment_of(
    file: BinaryIO, at_s: float, limits: ClipLimits = ClipLimits(), patience_s: float = 15.0
) -> Image:
    """Give what is seen in a clip at a moment; the file is closed.

    Raises:
        InvalidRequest: there is no such moment, or it takes too long to find.
        InvalidClip: it cannot be decoded.
    """
    ends_s = time.monotonic() + patience_s

    def go_on() -> None:
        if time.monotonic() > ends_s:
            raise InvalidRequest(
                "It takes too long to find this moment: the clip is of a sort that is decoded from"
                " its beginning. Convert it, to MP4 for example."
            )

    with file:
        for from_s in (max(0.0, at_s), max(0.0, at_s - _A_MOMENT_S)):
            part = Sampling(0.0, from_s, from_s + _A_MOMENT_S)
            with reading(file, part, limits, go_on) as reader:
                found = next((one.image for one in reader if one.image is not None), None)
                if found is not None:
                    return found
    raise InvalidRequest("The clip has no frame at this moment. Choose an earlier one.")


def remove_clip_of(rows: Rows, caller: Caller, job_id: str) -> None:
    """Delete the clip of a job from this server; what was found in it stays.

    Raises:
        NotFound: the caller has no such job, or its clip is not kept here.
        Conflict: a job that has not ended needs it.
    """
    with _looked_at(rows, caller, job_id) as job:
        asked = asked_of(rows, job)
        if not isinstance(asked.place, UploadedClip):
            raise NotFound("The clip of this job is not kept here.")
        remove_clip(rows, asked.place)


def _opened(asked: Asked) -> BinaryIO:
    if not isinstance(asked.place, UploadedClip):
        raise NotFound("The clip of this job is not kept here. Look at it where it lies.")
    return asked.place.open_here()


@contextmanager
def _looked_at(rows: Rows, caller: Caller, job_id: str) -> Iterator[Job]:
    """Find a job whose files somebody looks at, on record."""
    with rows.record_use(caller, caller.use(Action.READ, UNDECLARED)) as record:
        job = required_job(rows, caller, job_id)
        if job.act not in set(ClipAct):
            raise NotFound("This job is over no clip.")
        yield job
        record.answered(Outcome(details={"job_id": job.id}))
