"""Live searches to which an authority has to consent: before, nobody is named; without, they go."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from likeness.errors import Denied, NotFound, required
from likeness.jobs import Job, JobState
from likeness.service.govern.ledger import entries_about
from likeness.service.live.manage import live_job, sweep_live
from likeness.service.live.sightings import any_sighting_after, sightings_after
from likeness.service.live.sources import NewSource, add_source
from likeness.service.review.cases import authorise_case, list_cases, show_case
from likeness.service.review.upkeep import sweep_review
from likeness.service.uses import Caller, Home
from likeness.service.video.manage import show_job
from likeness.terms import Principal, Role
from likeness.v1.live_answers import LiveAnswer
from tests.service.video.street import caller, employ, rule

from .watching import begun, gate, names, run, settle, statement, told

ADMIN = Caller(Principal("key:admin", Role.ADMIN), "test")
CONSENT = (
    '@id("consent") @source("a test") @effective("2000-01-01")'
    ' @obligation("authorisation") @amount("24")'
    ' forbid(principal, action == Action::"search", resource)'
    " when { context.liveSearch } unless { context.authorised };"
)
ERASE_FORBIDDEN = (
    '@id("no-end") @source("a test") @effective("2000-01-01")'
    ' forbid(principal, action == Action::"erase", resource);'
)


@pytest.fixture
def home(sqlite_home: Home, tmp_path: Path) -> Home:
    """A home where searches of sources owe consent, with a source that nobody looks at."""
    employ(sqlite_home, tmp_path)
    rule(sqlite_home, CONSENT)
    settle()
    film = tmp_path / "film.mp4"
    film.write_bytes(b"")
    add_source(sqlite_home, caller(sqlite_home), NewSource(name="gate", address=film))
    return sqlite_home


def hours_later(home: Home, hours: float) -> Home:
    now = home.clock() + timedelta(hours=hours)
    return replace(home, clock=lambda: now, desk=replace(home.desk, clock=lambda: now))


def asked_of(home: Home) -> list[str]:
    return [str(one.case.id) for one in list_cases(home, ADMIN)]


def test_whoever_consents_sees_what_was_stated(home: Home) -> None:
    job = begun(home)
    (facts,) = list_cases(home, ADMIN)
    assert facts.case.is_of_whole
    shown = LiveAnswer.of(live_job(home, caller(home), job.id))
    assert shown.consent_case == facts.case.id
    assert not facts.empty
    stated = required(show_case(home, ADMIN, facts.case.id).stated, "what was stated")
    assert stated == replace(statement(home), ends_at=stated.ends_at)


def test_without_consent_what_a_search_found_is_deleted(home: Home) -> None:
    job = begun(home)
    assert sweep_live(hours_later(home, 23)) == 0
    late = hours_later(home, 25)
    assert sweep_live(late) == 1
    with pytest.raises(NotFound):
        show_job(late, caller(late), job.id)
    ended = [one.entry.details for one in entries_about(late, job.id)]
    assert {"job_id": job.id, "reason": "unauthorised"} in ended
    assert len(sweep_review(late).unauthorised) == 1


def test_it_is_deleted_though_its_case_was_swept_before(home: Home) -> None:
    begun(home)
    late = hours_later(home, 25)
    sweep_review(late)
    assert sweep_live(late) == 1
    assert sweep_live(late) == 0


def test_with_consent_it_stays(home: Home) -> None:
    job = begun(home)
    (facts,) = list_cases(home, ADMIN)
    authorise_case(home, ADMIN, facts.case.id, "District court", "12 X 7/26")
    late = hours_later(home, 25)
    assert sweep_live(late) == 0
    assert show_job(late, caller(late), job.id).id == job.id


def test_one_that_owes_no_consent_is_left_alone(home: Home) -> None:
    rule(home, CONSENT.replace("liveSearch", "suspended"))
    settle()
    begun(home)
    assert asked_of(home) == []
    assert sweep_live(hours_later(home, 100)) == 0


def test_where_a_rule_forbids_to_delete_one_the_others_go(home: Home) -> None:
    begun(home)
    rule(home, CONSENT + ERASE_FORBIDDEN)
    settle()
    with pytest.raises(Denied, match="no-end"):
        sweep_live(hours_later(home, 25))


def seen(home: Home, job: Job) -> list[str | None]:
    return names(list(sightings_after(home, caller(home), job.id, 0, 100).sightings))


@pytest.mark.slow
def test_nobody_is_named_before_an_authority_has_consented(
    sqlite_home: Home, tmp_path: Path
) -> None:
    home = sqlite_home
    gate(home, tmp_path)
    rule(home, CONSENT)
    settle()
    job = begun(home)
    every = told(home, job)
    assert names(every) == [None]
    (case,) = list_cases(home, ADMIN)
    withheld = [one for one in every if one.withheld]
    assert {one.case_id for one in withheld} == {case.case.id}
    assert show_job(home, caller(home), job.id).state is JobState.SUCCEEDED
    assert seen(home, job) == [None]
    authorise_case(home, ADMIN, case.case.id, "District court", "12 X 7/26")
    assert seen(home, job) == ["Rosa"]
    # Another is named at once only if it is consented to itself.
    other = begun(home)
    assert names(told(home, other)) == [None]
    with pytest.raises(Denied, match="no authority has consented"):
        seen(hours_later(home, 25), other)
    assert seen(hours_later(home, 25), job) == ["Rosa"]


@pytest.mark.slow
def test_one_that_runs_ends_once_its_hours_are_over_and_what_it_told_goes(
    sqlite_home: Home, tmp_path: Path
) -> None:
    gate(sqlite_home, tmp_path)
    rule(sqlite_home, CONSENT)
    settle()
    passed = [timedelta(0)]

    def clock() -> datetime:
        return datetime.now(UTC) + passed[0]

    home = replace(sqlite_home, clock=clock, desk=replace(sqlite_home.desk, clock=clock))
    job = begun(home, statement=statement(home, ends_at=clock() + timedelta(days=2)))
    with pytest.raises(Denied, match="no authority has consented"):
        run(home, job, lambda sighting: passed.__setitem__(0, timedelta(hours=25)))
    ended = show_job(home, caller(home), job.id)
    assert (ended.state, ended.failure) == (JobState.FAILED, "Denied")
    assert not any_sighting_after(home, job.id, 0)
