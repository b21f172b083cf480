"""`likeness jobs`, through the real command."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from likeness.app.home import open_rows
from likeness.config import read_settings
from likeness.jobs import (
    SHOT,
    Job,
    JobState,
    Mention,
    NewJob,
    Result,
    add_job,
    beat,
    claim_job,
    end_job,
    keep_mentions,
    keep_results,
    mentions_of,
    release_job,
    results_of,
)
from likeness.jobs.tables import RESULTS
from likeness.v1.answers import JobAnswer
from tests.service.live.telling import begin, end, tell

from .conftest import InstallationWithDiscs
from .staff import Command, Make, begin_ledger, employ, home, make_home
from .test_on_record import entries

DOCUMENT = Path(__file__).parents[2] / "docs" / "command-line.md"
NOW = datetime.now(UTC) - timedelta(minutes=5)


def add(until: JobState = JobState.WAITING, *, released: bool = False, local: bool = False) -> Job:
    """Add a job, and bring it on its way."""
    with open_rows(InstallationWithDiscs(read_settings())) as rows:
        keyring, write = rows.keyring, rows.database.write
        new = NewJob("FaceSearch", "key:somebody", None, b"secret.mp4", local=local)
        begin_ledger(rows)
        job = write(lambda c: add_job(c, keyring, new, NOW))
        if until is JobState.WAITING and not released:
            return job
        write(lambda c: claim_job(c, keyring, "r", NOW, job_id=job.id))
        write(lambda c: beat(c, job.id, "r", NOW, 15_000, 60_000))
        if released:
            write(lambda c: release_job(c, job.id, "r"))
        if until is JobState.FAILED:
            write(
                lambda c: end_job(
                    c,
                    keyring,
                    job.id,
                    "r",
                    until,
                    NOW,
                    failure="InvalidClip",
                    failure_text="Not a video: \x1b[2J.",
                )
            )
    return job


def answer(likeness: Command, *arguments: object) -> Any:
    outcome = likeness(*arguments, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def test_jobs_are_listed_with_how_far_they_are(likeness: Command) -> None:
    make_home()
    assert likeness("jobs", "list").out == "There is no job.\n"
    waiting = add()
    running, interrupted = add(JobState.RUNNING), add(released=True)
    failed = add(JobState.FAILED)

    lines = likeness("jobs", "list").out.splitlines()

    assert lines == [
        f"{failed.id}  FaceSearch, failed on {NOW:%Y-%m-%d %H:%M} UTC",
        f"{interrupted.id}  FaceSearch, interrupted, begun on {NOW:%Y-%m-%d %H:%M} UTC, 25% done",
        f"{running.id}  FaceSearch, running, begun on {NOW:%Y-%m-%d %H:%M} UTC, 25% done",
        f"{waiting.id}  FaceSearch, waiting since {NOW:%Y-%m-%d %H:%M} UTC",
    ]
    (*_, last) = answer(likeness, "jobs", "list")["jobs"]
    assert (last["id"], last["state"], last["principal_id"]) == (
        waiting.id,
        "waiting",
        "key:somebody",
    )


def test_job_of_a_command_that_was_killed_is_interrupted(likeness: Command) -> None:
    add(JobState.RUNNING, local=True)
    assert ", interrupted, begun on" in likeness("jobs", "list").out


def test_failed_job_is_shown_with_its_reason_and_how_long_it_is_kept(likeness: Command) -> None:
    job = add(JobState.FAILED)

    shown = likeness("jobs", "show", job.id).out

    assert "InvalidClip: Not a video: \\x1b[2J.\n" in shown
    assert "asked by key:somebody" in shown
    assert f"deleted on {NOW + timedelta(days=7):%Y-%m-%d}" in shown
    assert answer(likeness, "jobs", "show", job.id)["failure"] == "InvalidClip"


def test_job_is_cancelled_on_record(likeness: Command) -> None:
    job = add()

    assert likeness("jobs", "cancel", job.id).out == f"Job {job.id} is cancelled.\n"

    outcome = likeness("jobs", "cancel", job.id)
    assert outcome.code == 2
    assert "it was cancelled" in outcome.err
    left = [
        (one["kind"], one["operation"], one.get("details", {}).get("job_id")) for one in entries()
    ]
    assert ("done", "CancelJob", job.id) in left
    assert "secret" not in json.dumps(entries())


def found(*mentioned: UUID) -> tuple[Job, bytes]:
    """Add a job of `staff` that has found somebody like each; give what it sealed of the first."""
    with home() as opened:
        keyring, write = opened.keyring, opened.database.write
        staff = opened.gallery.collection("staff")
        new = NewJob("FaceSearch", "key:somebody", staff.id, b"secret.mp4")
        job = write(lambda c: add_job(c, keyring, new, NOW))
        write(lambda c: claim_job(c, keyring, "r", NOW, job_id=job.id))
        shots = [Result(SHOT, n, n, 0, b"a picture" * 100) for n in range(len(mentioned))]
        write(lambda c: keep_results(c, keyring, job.id, shots, runner="r"))
        mentions = [Mention(n, 0, one, None, b"alike") for n, one in enumerate(mentioned)]
        write(lambda c: keep_mentions(c, keyring, job.id, mentions, runner="r"))
        write(lambda c: end_job(c, keyring, job.id, "r", JobState.SUCCEEDED, NOW))
        kept = opened.database.read(
            lambda c: c.execute(select(RESULTS.c.sealed).where(RESULTS.c.owner == 0)).scalar_one()
        )
    return job, kept


def in_files(content: bytes) -> bool:
    """Whether the database's files hold it anywhere."""
    folder = Path(os.environ["LIKENESS_HOME"])
    return any(content in path.read_bytes() for path in folder.glob("likeness.db*"))


def owners(job: Job) -> tuple[list[int], list[int]]:
    """Who is mentioned in a job's results, and of whom there is a picture."""
    with home() as opened:
        read, keyring = opened.database.read, opened.keyring
        mentions = read(lambda c: mentions_of(c, keyring, job.id))
        shots = read(lambda c: results_of(c, keyring, job.id, SHOT, limit=9))
    return [one.owner for one in mentions], [one.owner for one in shots]


def test_who_is_erased_leaves_the_results_of_jobs_and_the_databases_files(
    likeness: Command, picture: Make
) -> None:
    employ(likeness, picture)
    listed = answer(likeness, "collections", "references", "staff")["references"]
    rosa, *_ = (UUID(one["id"]) for one in listed if one["subject"] == "Rosa")
    greta, *_ = (UUID(one["id"]) for one in listed if one["subject"] != "Rosa")
    job, kept = found(rosa, greta)
    assert owners(job) == ([0, 1], [0, 1])
    assert in_files(kept)

    assert likeness("erase", "--collection", "staff", "Rosa", "--yes").code == 0

    assert owners(job) == ([1], [1])
    assert not in_files(kept)


def test_jobs_of_a_collection_that_is_deleted_go_with_it(likeness: Command, picture: Make) -> None:
    employ(likeness, picture)
    job, kept = found(uuid4())
    other = add()
    assert "  in collection staff\n" in likeness("jobs", "show", job.id).out

    assert likeness("collections", "delete", "staff", "--yes").code == 0

    (left,) = answer(likeness, "jobs", "list")["jobs"]
    assert left["id"] == other.id
    assert not in_files(kept)


@pytest.mark.parametrize("verb", ["show", "cancel"])
@pytest.mark.parametrize("job_id", ["0" * 64, "nothing"])
def test_job_that_is_not_there_is_said_not_to_be(likeness: Command, verb: str, job_id: str) -> None:
    make_home()
    outcome = likeness("jobs", verb, job_id)
    assert outcome.code == 2
    assert "No job of yours has this id. Jobs are deleted 7 days after their end." in outcome.err
    assert "`likeness jobs list` shows what there is." in outcome.err


def test_every_key_of_a_job_is_documented() -> None:
    documented = DOCUMENT.read_text()
    assert [key for key in JobAnswer.model_fields if f'"{key}"' not in documented] == []


def test_live_search_is_stopped_with_what_it_has_told(likeness: Command, tmp_path: Path) -> None:
    (tmp_path / "gate.mp4").write_bytes(b"a clip")
    assert likeness("collections", "create", "staff").code == 0
    assert likeness("sources", "add", "gate", tmp_path / "gate.mp4").code == 0
    with home() as opened:
        job = begin(opened)
        tell(opened, job, 1)
    stopped = likeness("jobs", "stop", job.id)
    assert (stopped.code, stopped.out) == (0, f"Job {job.id} ends within a second.\n")
    with home() as opened:
        end(opened, job)
    again = likeness("jobs", "stop", job.id)
    assert (again.code, again.out) == (2, "")
    assert "cannot be asked to end" in again.err
    other = add()
    assert likeness("jobs", "stop", other.id).code == 2
