"""A home that knows Rosa (red) and Greta (green), and a source that shows Rosa and a stranger."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from likeness.jobs import Job, run_here
from likeness.service.govern.policy import disable_pack
from likeness.service.live.asked import LiveAsked
from likeness.service.live.run import LiveJobs
from likeness.service.live.sighting import Sighting, SightingKind
from likeness.service.live.sources import NewSource, add_source
from likeness.service.live.start import start_live
from likeness.service.uses import Caller, Home
from likeness.service.video.manage import show_job
from likeness.terms import LiveStatement
from likeness.video import FairLane
from tests.service.video.street import caller, employ, film


def gate(home: Home, folder: Path, seconds: float = 5.0, *, default_rules: bool = False) -> None:
    """Let people be looked for as it happens, and register the source `gate`."""
    employ(home, folder)
    film(folder, seconds)
    if not default_rules:
        disable_pack(home, caller(home), "real-time")
    clip = folder / "buckets/clips/street.mp4"
    settle()
    add_source(home, caller(home), NewSource(name="gate", address=clip, place="the north gate"))
    camera = "rtsp://camera.example/main"
    add_source(home, caller(home), NewSource(name="camera", address=camera))


def settle() -> None:
    """Wait until a change of the rules is in force."""
    time.sleep(0.6)


def statement(home: Home, **more: Any) -> LiveStatement:
    """State all that rules want of a live search."""
    stated = {
        "place": "the north gate",
        "authority": "the head of security",
        "criteria": "staff alone",
        "ends_at": home.clock() + timedelta(hours=1),
    }
    return LiveStatement(**stated | more)


def asked(home: Home, **more: Any) -> LiveAsked:
    return LiveAsked(
        **{"source": "gate", "collection": "staff", "statement": statement(home)} | more
    )


def begun(home: Home, by: Caller | None = None, **more: Any) -> Job:
    return start_live(home, by or caller(home), asked(home, **more), local=True)


def run(home: Home, job: Job, tell: Callable[[Sighting], None] = lambda one: None) -> Job:
    """Run a search to its end; give it as it ended. What it raises is told by its job."""
    work = LiveJobs(home, FairLane(1), tell=tell)
    run_here(home.database, home.keyring, job.id, work.search, home.clock)
    return show_job(home, caller(home), job.id)


def told(home: Home, job: Job) -> list[Sighting]:
    """Run a search, and give all that it told."""
    every: list[Sighting] = []
    run(home, job, every.append)
    return every


def names(sightings: list[Sighting], kind: SightingKind = SightingKind.SEEN) -> list[str | None]:
    of_kind = [one for one in sightings if one.kind is kind]
    return [None if one.match is None else one.match.subject for one in of_kind]
