"""Jobs that end otherwise than by success, on record."""

import json
import time
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import select

from likeness.errors import InvalidClip
from likeness.jobs import Job, JobState, LocalRunner, NewJob, Running, add_job, get_job
from likeness.ledger.tables import ENTRIES
from likeness.service.uses import Caller, Home
from likeness.service.video.manage import fail_job, stop_job
from tests.service.video.street import rule

pytestmark = pytest.mark.slow

FORBIDDEN = """
@id("nothing-ends") @source("a test") @effective("2000-01-01")
forbid(principal, action == Action::"erase", resource);
"""


def failed(home: Home, act: Callable[[Running], None]) -> Job:
    """Run a job of an act, and give it as it ended."""
    new = NewJob("walk", home.somebody.id, None, b"secret.mp4")
    job = home.database.write(lambda c: add_job(c, home.keyring, new, home.clock()))
    until_s = time.monotonic() + 30.0
    with LocalRunner(
        home.database, home.keyring, {"walk": act}, home.clock, fail=partial(fail_job, home)
    ):
        while time.monotonic() < until_s:
            now = home.database.read(lambda c: get_job(c, home.keyring, job.id))
            if now.state.ended:
                return now
            time.sleep(0.02)
    raise AssertionError("it does not end")


def ends(home: Home) -> list[dict[str, str]]:
    """What the ledger says of jobs that ended."""
    chosen = select(ENTRIES.c.entry).order_by(ENTRIES.c.position)
    rows = home.database.read(lambda c: c.execute(chosen).scalars().all())
    return [
        one["details"]
        for one in map(json.loads, rows)
        if (one["kind"], one.get("operation")) == ("done", "EndJob")
    ]


def stumble(running: Running) -> None:
    raise InvalidClip("Not a video: secret.mp4. Give one.")


def test_job_that_fails_is_on_record_with_its_kind_of_error(sqlite_home: Home) -> None:
    job = failed(sqlite_home, stumble)

    assert (job.state, job.failure) == (JobState.FAILED, "InvalidClip")
    assert job.failure_text == "Not a video: secret.mp4. Give one."
    assert ends(sqlite_home) == [{"job_id": job.id, "reason": "InvalidClip"}]


def test_job_fails_all_the_same_where_a_rule_forbids_that_it_ends(sqlite_home: Home) -> None:
    rule(sqlite_home, FORBIDDEN)
    sqlite_home.freshness.ensure(0.0)

    assert failed(sqlite_home, stumble).state is JobState.FAILED

    assert ends(sqlite_home) == []


def test_job_that_was_cancelled_before_it_failed_stays_cancelled(sqlite_home: Home) -> None:
    def act(running: Running) -> None:
        stop_job(sqlite_home, Caller(sqlite_home.somebody, "CancelJob"), running.job.id)
        raise ZeroDivisionError

    assert failed(sqlite_home, act).state is JobState.CANCELLED
    assert ends(sqlite_home) == []
