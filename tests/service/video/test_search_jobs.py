"""Jobs that search a collection for the people of a clip, on a home whose networks see discs."""

from pathlib import Path
from typing import Any

import pytest

from likeness import jobs
from likeness.buckets import FolderBuckets
from likeness.jobs import LocalRunner
from likeness.service.enrol.sources import read_source
from likeness.service.uses import Caller, Home
from likeness.service.video.asked import Asked, BucketClip, ClipAct
from likeness.service.video.manage import show_job
from likeness.service.video.results import people_seen
from likeness.service.video.run import ClipJobs
from likeness.service.video.start import start_search
from tests.service.people import BLUE, GREEN, RED, draw, enroller
from tests.video.discs import Disc, clip_of_discs

pytestmark = pytest.mark.slow


@pytest.fixture
def home(sqlite_home: Home, tmp_path: Path) -> Home:
    """A home that knows Rosa, who is red, and Greta, who is green."""
    draw(tmp_path / "people/Rosa/one.png", RED)
    draw(tmp_path / "people/Greta/one.png", GREEN)
    list(enroller(sqlite_home, any_quality=True).enrol(read_source(tmp_path / "people")))
    return sqlite_home


@pytest.fixture
def buckets(tmp_path: Path) -> FolderBuckets:
    clip_of_discs(
        tmp_path / "buckets/clips/street.mp4",
        [
            Disc(RED, 0.0, 4.0, (60, 80), (240, 80)),
            Disc(BLUE, 1.0, 5.0, (240, 180), (80, 180)),
        ],
        seconds=5.0,
    )
    return FolderBuckets(tmp_path / "buckets")


def asked(key: str = "street.mp4", **more: Any) -> Asked:
    return Asked(place=BucketClip("clips", key), **more)


def caller(home: Home, operation: str = "test") -> Caller:
    return Caller(home.somebody, operation)


def run(home: Home, buckets: FolderBuckets, job: jobs.Job) -> jobs.Job:
    """Run a job in this thread."""
    with LocalRunner(home.database, home.keyring, ClipJobs(home, buckets).acts, home.clock) as it:
        it.wake()
        for _ in range(600):
            now = show_job(home, caller(home), job.id)
            if now.state.ended:
                return now
            import time

            time.sleep(0.05)
    raise AssertionError("it goes on and on")


def test_who_is_known_is_named_and_who_is_not_is_a_stranger(
    home: Home, buckets: FolderBuckets
) -> None:
    job = run(home, buckets, start_search(home, buckets, caller(home), "staff", asked()))
    seen = people_seen(home, caller(home), ClipAct.SEARCH, job.id)
    rosa, stranger = seen.people
    assert rosa.match is not None
    assert rosa.match.candidate.subject is not None
    assert rosa.match.candidate.subject.name == "Rosa"
    assert stranger.match is None
    (interval,) = rosa.intervals
    assert interval.begins_s == pytest.approx(0.0, abs=0.2)
    assert interval.ends_s == pytest.approx(4.0, abs=0.25)
