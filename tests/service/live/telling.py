"""Live searches that tell what a test has them tell, without a video."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from likeness import jobs
from likeness.jobs import Job, JobState
from likeness.service.live import kept
from likeness.service.live.asked import LiveAsked
from likeness.service.live.sighting import Sighting, SightingKind
from likeness.service.live.sources import NewSource, add_source
from likeness.service.live.start import start_live
from likeness.service.uses import Caller, Home
from likeness.terms import LiveStatement

RUNNER = "a test"


def register(home: Home, folder: Path) -> None:
    """Register the source `gate`, a file that nobody opens, and `camera`, which nobody asks."""
    clip = folder / "gate.mp4"
    clip.write_bytes(b"a clip")
    address = NewSource(name="gate", address=clip, place="the north gate")
    camera = NewSource(name="camera", address="rtsp://camera.example/main", place="the yard")
    for source in (address, camera):
        add_source(home, Caller(home.somebody, "AddSource"), source)


def begin(home: Home, by: Caller | None = None, **more: Any) -> Job:
    """Begin a search, and run it as a test does."""
    ends_at = home.clock() + timedelta(hours=1)
    statement = LiveStatement(None, "the head of security", "staff alone", ends_at)
    asked = LiveAsked(source="gate", collection="staff", statement=statement, **more)
    job = start_live(home, by or Caller(home.somebody, "test"), asked, local=True)
    claim = partial(jobs.claim_job, runner=RUNNER, now=home.clock(), job_id=job.id)
    claimed = home.database.write(lambda c: claim(c, home.keyring))
    assert claimed is not None
    return claimed


def tell(home: Home, job: Job, *numbers: int, ago: timedelta = timedelta(0)) -> None:
    """Let a search tell of strangers."""
    at = home.clock() - ago
    told = [
        kept.of_sighting(
            Sighting(number, SightingKind.STRANGER, at, person=number, first_at=at, last_at=at), job
        )
        for number in numbers
    ]
    keep = partial(jobs.keep_results, job_id=job.id, results=told, runner=RUNNER)
    home.database.write(lambda c: keep(c, home.keyring))


def end(home: Home, job: Job, state: JobState = JobState.SUCCEEDED, **why: Any) -> None:
    """End a search with what it has told."""
    home.database.write(
        lambda c: jobs.end_job(
            c, home.keyring, job.id, RUNNER, state, home.clock(), keeps_results=True, **why
        )
    )
