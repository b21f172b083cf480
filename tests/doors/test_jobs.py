"""Jobs are listed, shown, cancelled and answered alike over `/v1` and at a terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from likeness.buckets import FolderBuckets
from likeness.jobs import Job, JobState, LocalRunner, get_job
from likeness.service.uses import Caller, Home
from likeness.service.video.asked import Asked, BucketClip
from likeness.service.video.run import ClipJobs
from likeness.service.video.start import start_detection, start_search
from tests.video.discs import Disc, clip_of_discs

from .conftest import BLUE, RED, Doors

ACTS = {
    "list": (("GET", "jobs"), ("jobs", "list")),
    "show": (("GET", "jobs/{job}"), ("jobs", "show", "{job}")),
    "cancel": (("POST", "jobs/{job}/cancel"), ("jobs", "cancel", "{job}")),
}
_OF_ITS_OWN = {"id", "made_at", "ended_at", "kept_until", "collection_id"}
_SOON_S = 60.0


@pytest.fixture
def clips(doors: Doors) -> Doors:
    """Doors to a home that knows who is red, and a bucket of a clip with them and a stranger."""
    doors.employ(RED)
    clip_of_discs(
        doors.folder / "buckets/clips/street.mp4",
        [
            Disc(RED, 0.0, 4.0, (60, 80), (240, 80)),
            Disc(BLUE, 1.0, 5.0, (240, 180), (80, 180)),
        ],
        seconds=5.0,
    )
    return doors


@contextmanager
def begun(doors: Doors, collection: str | None = "staff") -> Iterator[tuple[Home, Job]]:
    with doors.home() as home:
        buckets = FolderBuckets(doors.folder / "buckets")
        asked = Asked(place=BucketClip("clips", "street.mp4"), tag="a case")
        caller = Caller(home.somebody, "test")
        if collection is None:
            yield home, start_detection(home, buckets, caller, asked)
        else:
            yield home, start_search(home, buckets, caller, collection, asked)


def done(doors: Doors, collection: str | None = "staff") -> str:
    """Run a job over the clip to its end."""
    with begun(doors, collection) as (home, job):
        acts = ClipJobs(home, FolderBuckets(doors.folder / "buckets")).acts
        until_s = time.monotonic() + _SOON_S
        with LocalRunner(home.database, home.keyring, acts, home.clock):
            while not (
                now := home.database.read(lambda c: get_job(c, home.keyring, job.id))
            ).state.ended:
                assert time.monotonic() < until_s
                time.sleep(0.05)
    assert now.state is JobState.SUCCEEDED, now.failure_text
    return job.id


@pytest.mark.parametrize(("over_v1", "at_terminal"), ACTS.values(), ids=ACTS)
def test_every_door_does_the_same_to_a_job(
    clips: Doors, over_v1: tuple[str, str], at_terminal: tuple[str, ...]
) -> None:
    answers, recorded = [], []
    for door in ("v1", "terminal"):
        with begun(clips) as (_, job):
            pass
        entries: list[dict[str, Any]] = []
        with clips.noted(entries):
            if door == "v1":
                method, path = over_v1
                with clips.v1() as call:
                    answer = call(method, path.format(job=job.id)).json()
            else:
                answer = clips.json(*(one.format(job=job.id) for one in at_terminal))
        for entry in entries:
            assert entry.get("details", {}).pop("job_id", job.id) == job.id
        listed = answer.get("jobs", [answer])
        answers.append(_comparable(listed[0]))
        recorded.append(entries)
    assert answers[0] == answers[1]
    assert recorded[0] == recorded[1]
    assert [entry["kind"] for entry in recorded[0]] == ["done"]


def test_who_is_seen_in_a_clip_is_told_once_the_job_has_succeeded(clips: Doors) -> None:
    with begun(clips) as (_, job):
        pass
    with clips.v1() as call:
        waiting = call("GET", f"jobs/{job.id}/people").json()
    assert (waiting["job"]["state"], waiting["clip"], waiting["people"]) == ("waiting", None, [])
    assert waiting["tag"] == "a case"
    clips.command("jobs", "cancel", job.id)

    job_id = done(clips)
    with clips.v1() as call:
        answer = call("GET", f"jobs/{job_id}/people")
        seen = answer.json()

    assert answer.headers["x-likeness-receipt"]
    assert (seen["clip"]["width"], seen["clip"]["codec"]) == (320, "h264")
    known, stranger = seen["people"]
    assert (known["number"], stranger["number"]) == (1, 2)
    assert known["candidates"][0]["subject"] == "p0"
    assert known["candidates"][0]["match"] is True
    assert not any(one["match"] for one in stranger["candidates"])
    (interval,) = known["intervals"]
    assert interval["to_s"] == pytest.approx(4.0, abs=0.25)
    assert (seen["cases"], seen["withheld"]) == ([], False)


def test_faces_of_a_clip_that_nobody_is_searched_for_have_no_candidates(clips: Doors) -> None:
    job_id = done(clips, None)
    with clips.v1() as call:
        seen = call("GET", f"jobs/{job_id}/people").json()
    assert len(seen["people"]) == 2
    assert all(one["candidates"] == [] for one in seen["people"])


def test_who_was_erased_is_named_by_no_finished_job(clips: Doors) -> None:
    job_id = done(clips)
    assert clips.command("erase", "--collection", "staff", "p0", "--yes").code == 0

    with clips.v1() as call:
        seen = call("GET", f"jobs/{job_id}/people").json()

    assert len(seen["people"]) == 2
    assert all(one["candidates"] == [] for one in seen["people"])


def _comparable(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: said for name, said in answer.items() if name not in _OF_ITS_OWN}
