"""Live searches on a home whose networks see discs: who is told of, what stays, what ends them."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from likeness import jobs
from likeness.errors import Conflict, Denied, InvalidRequest, NotFound
from likeness.jobs import JobState
from likeness.review import Verdict
from likeness.service.erase.subjects import erase_subject
from likeness.service.govern.ledger import entries_about
from likeness.service.live.manage import LiveState, live_job, live_jobs_of, stop_live
from likeness.service.live.run import LiveJobs
from likeness.service.live.sighting import Sighting, SightingKind
from likeness.service.live.sightings import any_sighting_after, sightings_after
from likeness.service.live.sources import NewSource, add_source, remove_source
from likeness.service.review.cases import decide_case, list_cases
from likeness.service.uses import Caller, Home
from likeness.service.video.manage import show_job, stop_job
from likeness.terms import Principal, Role
from likeness.video import FairLane, Frame, LiveFollower, Seen
from tests.service.people import RED, home_at, make
from tests.service.video.street import SOMEBODY_ELSE, caller, rule
from tests.service.video.test_search_jobs import FORBIDDEN, OWED
from tests.video.discs import Disc, clip_of_discs

from .watching import asked, begun, gate, names, run, statement, told

pytestmark = pytest.mark.slow

REVIEWER = Principal("key:reviewer", Role.REVIEWER)


@pytest.fixture
def home(sqlite_home: Home, tmp_path: Path) -> Home:
    gate(sqlite_home, tmp_path)
    return sqlite_home


@pytest.fixture
def reviewed(tmp_path: Path, standards: Path) -> Iterator[Home]:
    """The same, where pictures are kept for people to review."""
    with home_at(tmp_path, "", standards, crops="on") as opened:
        make(opened)
        gate(opened, tmp_path)
        yield opened


def given(home: Home, job: jobs.Job, by: Caller | None = None, after: int = 0) -> list[Sighting]:
    page = sightings_after(home, by or caller(home), job.id, after, 100)
    return list(page.sightings)


def test_who_is_known_is_told_of_as_it_happens_and_who_is_not_is_a_stranger(home: Home) -> None:
    began = datetime.now(UTC)
    job = begun(home)

    every = told(home, job)

    assert names(every) == ["Rosa"]
    assert [one.kind for one in every].count(SightingKind.STRANGER) == 1
    assert names(every, SightingKind.LEFT) == ["Rosa", None]
    assert [one.number for one in every] == list(range(1, len(every) + 1))
    (seen,) = (one for one in every if one.kind is SightingKind.SEEN)
    assert began < (seen.first_at or began) < seen.at < datetime.now(UTC)
    assert seen.box is not None
    assert (seen.width, seen.height) == (320, 240) or seen.width > 0
    assert seen.receipt is not None
    assert 0 <= seen.latency_ms < 60_000
    assert show_job(home, caller(home), job.id).state is JobState.SUCCEEDED


def test_what_was_told_is_kept_and_given_again_on_record(home: Home) -> None:
    job = begun(home)
    every = told(home, job)
    assert any_sighting_after(home, job.id, 0)

    again = given(home, job)

    assert [(one.number, one.kind, one.at) for one in again] == [
        (one.number, one.kind, one.at) for one in every
    ]
    assert names(again) == ["Rosa"]
    assert {one.receipt for one in again}.isdisjoint({one.receipt for one in every})
    assert [one.number for one in given(home, job, after=2)] == list(range(3, len(every) + 1))
    assert not any_sighting_after(home, job.id, len(every))


def test_it_is_shown_to_whose_it_is_alone(home: Home) -> None:
    job = begun(home)
    other = Caller(SOMEBODY_ELSE, "test")
    assert live_jobs_of(home, other) == []
    for ask in (
        lambda: given(home, job, other),
        lambda: live_job(home, other, job.id),
        lambda: stop_live(home, other, job.id),
    ):
        with pytest.raises(NotFound, match="No job of yours"):
            ask()


def test_each_sighting_is_in_the_ledger_before_it_is_told(home: Home) -> None:
    job = begun(home)
    found: list[tuple[str, str]] = []

    def tell(sighting: Sighting) -> None:
        if sighting.kind is SightingKind.SEEN:
            (shown,) = entries_about(home, sighting.receipt or "")
            found.append((shown.entry.use.operation, shown.entry.details["job_id"]))

    run(home, job, tell)

    assert found == [("Sighting", job.id)]


def test_its_entry_says_of_which_period_it_was(home: Home) -> None:
    job = begun(home)
    run(home, job)
    entries = [one.entry for one in entries_about(home, job.id)]
    (whole,) = (
        one for one in entries if one.use.operation == "RunLiveSearch" and "from" in one.details
    )
    assert whole.details["from"] < whole.details["to"]
    assert whole.counts["subjects"] == 1


def test_a_live_search_is_refused_while_the_default_rules_stand(
    sqlite_home: Home, tmp_path: Path
) -> None:
    gate(sqlite_home, tmp_path, default_rules=True)
    with pytest.raises(Denied, match="real-time"):
        begun(sqlite_home, source="camera")


@pytest.mark.parametrize("missing", ["place", "authority", "criteria", "ends_at"])
def test_the_default_rules_want_place_authority_criteria_and_end(home: Home, missing: str) -> None:
    with pytest.raises(Denied, match="live-search"):
        begun(home, source="camera", statement=statement(home, **{missing: None}))


@pytest.mark.parametrize("away", [timedelta(seconds=-1), timedelta(days=400)])
def test_it_ends_in_the_future_and_within_a_year(home: Home, away: timedelta) -> None:
    with pytest.raises(InvalidRequest, match="past, or in more than a year"):
        begun(home, statement=statement(home, ends_at=home.clock() + away))


def test_no_such_source_is_said(home: Home) -> None:
    with pytest.raises(NotFound, match="No such source 'door'"):
        begun(home, source="door")


def stopped_by(home: Home, job: jobs.Job, stop: Any, error: type[Exception] | None) -> jobs.Job:
    """Run a search that somebody stops once something was told."""
    once = threading.Event()

    def tell(sighting: Sighting) -> None:
        if not once.is_set():
            once.set()
            stop()

    if error is None:
        return run(home, job, tell)
    with pytest.raises(error):
        run(home, job, tell)
    return show_job(home, caller(home), job.id)


def test_asked_to_end_it_ends_with_what_it_has(home: Home, tmp_path: Path) -> None:
    job = begun(home)
    assert live_job(home, caller(home), job.id).state is LiveState.STARTING

    ended = stopped_by(home, job, lambda: stop_live(home, caller(home), job.id), None)

    assert ended.state is JobState.SUCCEEDED
    assert names(given(home, job)) == ["Rosa"]
    assert ended.ended_at is not None
    assert live_job(home, caller(home), job.id).state is LiveState.STOPPED
    with pytest.raises(Conflict, match="cannot be asked to end"):
        stop_live(home, caller(home), job.id)


def test_who_leaves_in_the_frame_in_which_it_ends_is_told_to_have_left(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = clip_of_discs(tmp_path / "brief.mp4", [Disc(RED, 0.0, 2.0)], seconds=5.0)
    add_source(home, caller(home), NewSource(name="brief", address=clip))
    has_left = threading.Event()
    see = LiveFollower.see

    def see_until_somebody_left(follower: LiveFollower, frame: Frame) -> Seen:
        seen = see(follower, frame)
        if seen.ended:
            has_left.set()
        return seen

    monkeypatch.setattr(LiveFollower, "see", see_until_somebody_left)
    job = begun(home, source="brief")
    work = LiveJobs(home, FairLane(1), wants_end=has_left.is_set)

    jobs.run_here(home.database, home.keyring, job.id, work.search, home.clock)

    assert has_left.is_set()
    assert "Rosa" in names(given(home, job), SightingKind.LEFT)


def test_asked_to_end_it_waits_for_no_turn(home: Home) -> None:
    """On a machine with many cameras turns come late; an end does not."""
    job, lane = begun(home), FairLane(1)
    work = LiveJobs(home, lane)
    search = threading.Thread(
        target=jobs.run_here,
        args=(home.database, home.keyring, job.id, work.search, home.clock),
    )
    with lane.turn("another camera"):
        search.start()
        time.sleep(1.5)
        stop_live(home, caller(home), job.id)
        search.join(30)  # for as long as the other has the turn
        assert not search.is_alive()
    assert show_job(home, caller(home), job.id).state is JobState.SUCCEEDED
    assert given(home, job) == []


def test_a_rule_that_comes_ends_it_and_what_was_told_goes(home: Home) -> None:
    job = begun(home)
    ended = stopped_by(home, job, lambda: rule(home, FORBIDDEN), Denied)
    assert (ended.state, ended.failure) == (JobState.FAILED, "Denied")
    assert not any_sighting_after(home, job.id, 0)


def test_a_source_that_is_removed_ends_it_and_what_was_told_stays(home: Home) -> None:
    job = begun(home)
    ended = stopped_by(home, job, lambda: remove_source(home, caller(home), "gate"), NotFound)
    assert (ended.state, ended.failure) == (JobState.FAILED, "NotFound")
    assert "removed" in (ended.failure_text or "")
    assert names(given(home, job)) == ["Rosa"]


def test_cancelled_it_stops_and_nothing_stays(home: Home) -> None:
    job = begun(home)
    ended = stopped_by(home, job, lambda: stop_job(home, caller(home), job.id), jobs.JobStopped)
    assert ended.state is JobState.CANCELLED
    assert not any_sighting_after(home, job.id, 0)


def test_it_ends_by_itself_at_its_time(home: Home) -> None:
    job = begun(home, statement=statement(home, ends_at=home.clock() + timedelta(seconds=2.5)))
    began = datetime.now(UTC)
    ended = run(home, job)
    assert ended.state is JobState.SUCCEEDED
    assert datetime.now(UTC) - began < timedelta(seconds=4.5)


def test_who_is_erased_is_in_no_sighting_any_more(home: Home) -> None:
    job = begun(home)
    run(home, job)
    erase_subject(home, caller(home), "staff", "Rosa", lambda subjects, references: None)
    assert names(given(home, job)) == [None]


def test_whom_people_have_to_look_at_is_withheld_until_they_have(reviewed: Home) -> None:
    rule(reviewed, OWED)
    job = begun(reviewed)

    every = told(reviewed, job)

    (seen,) = (one for one in every if one.kind is SightingKind.SEEN)
    assert (seen.match, seen.withheld) == (None, True)
    reviewer = Caller(REVIEWER, "review")
    (case,) = (one for one in list_cases(reviewed, reviewer) if not one.empty)
    assert case.case.id == seen.case_id
    decide_case(reviewed, reviewer, case.case.id, 1, Verdict.SAME, "the same disc")
    assert names(given(reviewed, job)) == ["Rosa"]


def test_whom_people_told_apart_is_named_no_more(reviewed: Home) -> None:
    rule(reviewed, OWED)
    job = begun(reviewed)
    told(reviewed, job)
    reviewer = Caller(REVIEWER, "review")
    (case,) = (one for one in list_cases(reviewed, reviewer) if not one.empty)
    decide_case(reviewed, reviewer, case.case.id, 1, Verdict.NOT_SAME, "another disc")
    assert names(given(reviewed, job)) == [None]


def test_what_is_asked_is_read_as_it_was(home: Home) -> None:
    job = begun(home, looks_per_s=2.0)
    shown = live_job(home, caller(home), job.id).asked
    assert (shown.source, shown.looks_per_s) == ("gate", 2.0)
    assert shown.statement.place == asked(home).statement.place
