"""A home that knows Rosa (red) and Greta (green), and a clip of Rosa and a stranger (blue)."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from likeness import jobs
from likeness.buckets import FolderBuckets
from likeness.errors import required
from likeness.jobs import Job, LocalRunner
from likeness.policy import read_pack
from likeness.service.enrol.sources import read_source
from likeness.service.govern.policy import enable_pack
from likeness.service.uses import Caller, Home
from likeness.service.video import run as running
from likeness.service.video.asked import Asked, BucketClip, ClipAct
from likeness.service.video.manage import show_job
from likeness.service.video.results import people_seen
from likeness.service.video.run import ClipJobs
from likeness.service.video.seen import ClipSeen
from likeness.terms import Principal, Role
from tests.service.accounting import FACTS
from tests.service.people import BLUE, GREEN, RED, draw, enroller, home_at
from tests.video.discs import Disc, clip_of_discs

SOMEBODY_ELSE = Principal("key:somebody-else", Role.CLIENT)
_LONGEST_S = 60.0


def employ(home: Home, folder: Path) -> None:
    """Enrol Rosa and Greta into `staff`."""
    draw(folder / "people/Rosa/one.png", RED)
    draw(folder / "people/Greta/one.png", GREEN)
    list(enroller(home, any_quality=True).enrol(read_source(folder / "people")))


def film(folder: Path, seconds: float = 5.0) -> FolderBuckets:
    """Put a clip of Rosa, and of a stranger who comes a second later, into the bucket `clips`."""
    clip_of_discs(
        folder / "buckets/clips/street.mp4",
        [
            Disc(RED, 0.0, seconds - 1, (60, 80), (240, 80)),
            Disc(BLUE, 1.0, seconds, (240, 180), (80, 180)),
        ],
        seconds=seconds,
    )
    return FolderBuckets(folder / "buckets")


def asked(**more: Any) -> Asked:
    return Asked(place=BucketClip("clips", "street.mp4"), **more)


def caller(home: Home, operation: str = "test") -> Caller:
    return Caller(home.somebody, operation)


def ended(home: Home, buckets: FolderBuckets, job: Job, **more: Any) -> Job:
    """Run a job, and give it as it ended."""
    acts = ClipJobs(home, buckets, **more).acts
    until_s = time.monotonic() + _LONGEST_S
    with LocalRunner(home.database, home.keyring, acts, home.clock):
        while time.monotonic() < until_s:
            now = show_job(home, caller(home), job.id)
            if now.state.ended:
                return now
            time.sleep(0.02)
    raise AssertionError(f"job {job.id} does not end")


def seen_in(home: Home, job: Job) -> ClipSeen:
    """Say who is seen in the clip of a job that succeeded."""
    return required(people_seen(home, caller(home), ClipAct.SEARCH, job.id).seen, "people")


def names(seen: ClipSeen) -> list[str | None]:
    """Name who was seen, strangers by None."""
    return [person.match.subject if person.match else None for person in seen.people]


def rule(home: Home, text: str) -> None:
    """Put a rule in force."""
    enable_pack(home, caller(home), read_pack("of-a-test", FACTS, text), {})


def run_until_killed(folder: Path, standards: Path, job_id: str, segments: int) -> None:
    """Run a job in this program, and end as by kill -9 once so many segments are kept."""
    running.SEGMENT_S = 1.0
    keep: Callable[..., None] = jobs.keep_segment
    kept = []

    def keep_and_die(*given: Any, **named: Any) -> None:
        keep(*given, **named)
        kept.append(1)
        if len(kept) > segments:  # the last is not committed
            os.kill(os.getpid(), signal.SIGKILL)

    jobs.keep_segment = keep_and_die
    with home_at(folder, "", standards) as home:
        buckets = FolderBuckets(folder / "buckets")
        acts = ClipJobs(home, buckets).acts
        with LocalRunner(home.database, home.keyring, acts, home.clock):
            time.sleep(_LONGEST_S)
