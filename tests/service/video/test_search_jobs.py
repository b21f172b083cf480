"""Jobs that search a collection for the people of a clip, on a home whose networks see discs."""

import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from likeness import jobs
from likeness.buckets import FolderBuckets, HeldBuckets
from likeness.errors import Denied, NotFound
from likeness.jobs import JobState
from likeness.jobs.tables import RESULTS
from likeness.review import Verdict
from likeness.service.erase.subjects import erase_subject
from likeness.service.govern.ledger import entries_about
from likeness.service.review.cases import decide_case, list_cases, show_case, show_face
from likeness.service.uses import Caller, Home
from likeness.service.video import run as running
from likeness.service.video.asked import ClipAct, LocalClip
from likeness.service.video.local import search_clip
from likeness.service.video.manage import jobs_of, stop_job, sweep_jobs
from likeness.service.video.results import Order, looks_page, people_seen
from likeness.service.video.start import start_detection, start_search
from likeness.terms import Principal, Role
from likeness.video import ClipLimits, Sampling
from tests.service.people import RED, draw, home_at, make
from tests.service.test_enrolment_on_record import watch_for
from tests.service.video.street import (
    SOMEBODY_ELSE,
    asked,
    caller,
    employ,
    ended,
    film,
    names,
    rule,
    run_until_killed,
    seen_in,
)

pytestmark = pytest.mark.slow

REVIEWER = Principal("key:reviewer", Role.REVIEWER)
OWED = (
    '@id("owed") @source("a test") @effective("2000-01-01") @obligation("review") @amount("1")'
    ' forbid(principal, action == Action::"search", resource) unless { context.reviews >= 1 };'
)
FORBIDDEN = (
    '@id("no-search") @source("a test") @effective("2000-01-01")'
    ' forbid(principal, action == Action::"search", resource);'
)


@pytest.fixture
def buckets(tmp_path: Path) -> FolderBuckets:
    return film(tmp_path)


@pytest.fixture
def home(sqlite_home: Home, tmp_path: Path) -> Home:
    employ(sqlite_home, tmp_path)
    return sqlite_home


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, standards: Path
) -> Iterator[tuple[Home, jobs.Job]]:
    """A home with a job that has succeeded, for those who only ask for its results."""
    folder = tmp_path_factory.mktemp("finished")
    with home_at(folder, "", standards) as opened:
        make(opened)
        employ(opened, folder)
        buckets = film(folder)
        yield opened, ended(opened, buckets, begun(opened, buckets))


@pytest.fixture
def reviewed(tmp_path: Path, standards: Path) -> Iterator[Home]:
    """The same, where pictures are kept for people to review."""
    with home_at(tmp_path, "", standards, crops="on") as opened:
        make(opened)
        employ(opened, tmp_path)
        yield opened


def begun(home: Home, buckets: FolderBuckets, **more: Any) -> jobs.Job:
    return start_search(home, buckets, caller(home), "staff", asked(**more))


def test_who_is_known_is_named_and_who_is_not_is_a_stranger(
    finished: tuple[Home, jobs.Job],
) -> None:
    home, job = finished
    seen = seen_in(home, job)
    assert (job.state, names(seen)) == (JobState.SUCCEEDED, ["Rosa", None])
    rosa, stranger = seen.people
    assert rosa.match is not None
    assert rosa.match.agreeing >= 2
    for person, begins_s, ends_s in ((rosa, 0.0, 3.9), (stranger, 1.0, 4.9)):
        (interval,) = person.intervals
        assert interval.begins_s == pytest.approx(begins_s, abs=0.15)
        assert interval.ends_s == pytest.approx(ends_s, abs=0.15)
    box = rosa.box_at(2.0)
    assert box is not None
    assert (box.left + box.right) / 2 == pytest.approx(60 + 180 * 2 / 4, abs=6)


def test_looks_are_listed_by_time_or_by_person_page_by_page(
    finished: tuple[Home, jobs.Job],
) -> None:
    home, job = finished

    def listed(order: Order, limit: int) -> list[tuple[int, int]]:
        found, after = [], None
        while True:
            page = looks_page(
                home, caller(home), ClipAct.SEARCH, job.id, order=order, after=after, limit=limit
            )
            assert len(page.looks) <= limit
            found += [(one.at_ms, one.person) for one in page.looks]
            if page.after is None:
                return found
            after = page.after

    by_time, by_person = listed(Order.TIME, 3), listed(Order.PERSON, 4)
    assert by_time == sorted(by_time)
    assert by_person == sorted(by_time, key=lambda one: (one[1], one[0]))
    assert listed(Order.TIME, 1000) == by_time
    # A moment of every half second in which somebody is in view.
    assert {at_ms // 500 for at_ms, person in by_time if person == 0} == set(range(8))


def test_a_part_of_a_clip_is_looked_at_alone(home: Home, buckets: FolderBuckets) -> None:
    job = begun(home, buckets, sampling=Sampling(0.2, 4.2, 4.8))
    job = ended(home, buckets, job)
    seen = seen_in(home, job)
    assert names(seen) == [None]
    (interval,) = seen.people[0].intervals
    assert 4.1 < interval.begins_s < interval.ends_s < 4.8
    assert (seen.from_s, seen.looked_at) == (4.2, 3)


def test_a_killed_job_goes_on_behind_its_last_segment_and_finds_the_same(
    tmp_path: Path, standards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets = film(tmp_path)
    monkeypatch.setattr(running, "SEGMENT_S", 1.0)
    monkeypatch.setattr(jobs.rows, "STALE", timedelta(0))
    with home_at(tmp_path, "", standards) as home:
        make(home)
        employ(home, tmp_path)
        job, whole = begun(home, buckets), begun(home, buckets)
    context = multiprocessing.get_context("forkserver")
    program = context.Process(target=run_until_killed, args=(tmp_path, standards, job.id, 2))
    program.start()
    program.join()
    assert program.exitcode == -9
    with home_at(tmp_path, "", standards) as home:
        kept = home.database.read(lambda connection: jobs.segments_kept(connection, job.id))
        assert kept == 2
        looked_at = []
        real = running.follow

        def follow(frames: Any, *given: Any, **named: Any) -> Any:
            looked_at.append(named["first"])
            return real(frames, *given, **named)

        monkeypatch.setattr(running, "follow", follow)
        first = ended(home, buckets, job)
        second = ended(home, buckets, whole)
        assert looked_at[0] == 2
        found = [seen_in(home, one) for one in (first, second)]
    assert names(found[0]) == names(found[1]) == ["Rosa", None]
    assert found[0].people[0].intervals == found[1].people[0].intervals
    one, other = ((one.from_s, one.to_s, one.frames, one.looked_at) for one in found)
    assert one == other


def test_a_rule_that_comes_while_a_job_runs_ends_it_as_refused(
    home: Home, buckets: FolderBuckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_ASK_AGAIN_S", 0.0)
    job = begun(home, buckets)
    real = running.follow

    def follow(frames: Any, *given: Any, **named: Any) -> Any:
        def watched() -> Iterator[Any]:
            for number, frame in enumerate(frames):
                if number == 5:
                    rule(home, FORBIDDEN)
                yield frame

        return real(watched(), *given, **named)

    monkeypatch.setattr(running, "follow", follow)
    job = ended(home, buckets, job)
    assert (job.state, job.failure) == (JobState.FAILED, "Denied")
    assert job.failure_text is not None
    assert "no-search" in job.failure_text


def test_a_clip_that_changed_meanwhile_is_refused(
    home: Home, buckets: FolderBuckets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SEGMENT_S", 1.0)
    job = begun(home, buckets)
    clip = tmp_path / "buckets/clips/street.mp4"
    real = running.name_person

    def stumble(*given: Any, **named: Any) -> Any:
        raise NotFound("the first time")

    monkeypatch.setattr(running, "name_person", stumble)
    acts = running.ClipJobs(home, buckets).acts
    claimed = home.database.write(
        lambda connection: jobs.claim_job(connection, home.keyring, "runner", home.clock())
    )
    assert claimed is not None
    request = home.database.read(
        lambda connection: jobs.request_of(connection, home.keyring, job.id)
    )
    with pytest.raises(NotFound):
        acts[ClipAct.SEARCH](jobs.Running(home.database, claimed, request, home.clock))
    home.database.write(lambda connection: jobs.release_job(connection, job.id, "runner"))
    monkeypatch.setattr(running, "name_person", real)
    clip.write_bytes(clip.read_bytes() + b"\0")
    job = ended(home, buckets, job)
    assert (job.state, job.failure) == (JobState.FAILED, "Conflict")
    assert "was changed" in (job.failure_text or "")


def test_who_is_erased_leaves_finished_results_too(home: Home, buckets: FolderBuckets) -> None:
    job = ended(home, buckets, begun(home, buckets))
    erase_subject(home, caller(home), "staff", "Rosa", lambda subjects, references: None)
    seen = seen_in(home, job)
    assert names(seen) == [None, None]
    assert not home.database.read(
        lambda connection: [
            one
            for one in jobs.mentions_of(connection, home.keyring, job.id)
            if one.owner == 0 and one.rank == 0
        ]
    )


def test_results_are_for_whose_job_it_is(finished: tuple[Home, jobs.Job]) -> None:
    home, job = finished
    other = Caller(SOMEBODY_ELSE, "test")
    assert jobs_of(home, other) == []
    for ask in (
        lambda: people_seen(home, other, ClipAct.SEARCH, job.id),
        lambda: stop_job(home, other, job.id),
        lambda: looks_page(home, caller(home), ClipAct.DETECT, job.id, limit=5),
    ):
        with pytest.raises(NotFound, match="No job of yours"):
            ask()


def test_a_cancelled_job_never_gives_results_and_is_swept_after_a_week(
    home: Home, buckets: FolderBuckets
) -> None:
    job = begun(home, buckets)
    assert stop_job(home, caller(home), job.id).state is JobState.CANCELLED
    page = looks_page(home, caller(home), ClipAct.SEARCH, job.id, limit=5)
    assert (page.of.job.state, page.looks) == (JobState.CANCELLED, ())
    assert sweep_jobs(home) == 0
    later = replace(home, clock=lambda: home.clock() + timedelta(days=7, seconds=1))
    assert sweep_jobs(later) == 1
    assert jobs_of(home, caller(home)) == []


def test_faces_are_found_without_a_collection(home: Home, buckets: FolderBuckets) -> None:
    job = start_detection(home, buckets, caller(home), asked())
    job = ended(home, buckets, job)
    page = looks_page(home, caller(home), ClipAct.DETECT, job.id, limit=1000)
    assert len(page.looks) == 16
    assert page.matches == {}


def test_whom_people_have_to_look_at_is_withheld_until_they_have(
    reviewed: Home, buckets: FolderBuckets
) -> None:
    rule(reviewed, OWED)
    job = ended(reviewed, buckets, begun(reviewed, buckets))

    first = seen_in(reviewed, job)
    assert (names(first), first.withheld) == ([None, None], True)
    assert seen_in(reviewed, job).case_ids == first.case_ids
    reviewer = Caller(REVIEWER, "review")
    (case,) = (one for one in list_cases(reviewed, reviewer) if not one.empty)
    decide_case(reviewed, reviewer, case.case.id, 1, Verdict.SAME, "the same disc")
    after = seen_in(reviewed, job)
    # Whether the other is a stranger, nobody learns before somebody has decided.
    assert (names(after), after.withheld, after.decided) == (["Rosa", None], True, True)


def test_nobody_is_shown_an_empty_picture_where_none_is_left(
    reviewed: Home, buckets: FolderBuckets
) -> None:
    rule(reviewed, OWED)
    job = ended(reviewed, buckets, begun(reviewed, buckets))
    # As after the erasure of somebody else whom the person is like, too.
    gone = delete(RESULTS).where(RESULTS.c.part == jobs.SHOT)
    reviewed.database.write(lambda connection: connection.execute(gone))
    assert seen_in(reviewed, job).withheld
    reviewer = Caller(REVIEWER, "review")
    (case,) = (one for one in list_cases(reviewed, reviewer) if not one.empty)
    with pytest.raises(NotFound, match="No such picture"):
        show_face(reviewed, reviewer, case.case.id, None)


def test_not_this_person_lasts_for_the_track_in_another_run_too(
    reviewed: Home, buckets: FolderBuckets
) -> None:
    rule(reviewed, OWED)
    job = ended(reviewed, buckets, begun(reviewed, buckets))
    seen_in(reviewed, job)
    reviewer = Caller(REVIEWER, "review")
    (case,) = (one for one in list_cases(reviewed, reviewer) if not one.empty)
    decide_case(reviewed, reviewer, case.case.id, 1, Verdict.NOT_SAME, "another disc")
    again = ended(reviewed, buckets, begun(reviewed, buckets, sampling=Sampling(0.3)))
    seen = seen_in(reviewed, again)
    assert names(seen) == [None, None]
    assert "Rosa" not in [one.subject for one in seen.people[0].candidates]


def test_a_clip_at_the_command_line_is_searched_once_while_all_is_the_same(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buckets = film(tmp_path)
    clip = asked()
    clip = replace(clip, place=LocalClip(tmp_path / "buckets/clips/street.mp4"))
    told: list[tuple[int, int]] = []
    seen = search_clip(home, buckets, caller(home), "staff", clip, lambda *of: told.append(of))
    assert names(seen) == ["Rosa", None]
    assert told[-1][0] > 4500
    again = search_clip(home, buckets, caller(home), "staff", clip)
    assert (names(again), len(jobs_of(home, caller(home)))) == (names(seen), 1)
    erase_subject(home, caller(home), "staff", "Greta", lambda subjects, references: None)
    search_clip(home, buckets, caller(home), "staff", clip)
    assert len(jobs_of(home, caller(home))) == 2


def test_standing_watches_see_who_is_seen(
    reviewed: Home, buckets: FolderBuckets, tmp_path: Path
) -> None:
    watch = watch_for(reviewed, draw(tmp_path / "wanted.png", RED, side=120))
    job = ended(reviewed, buckets, begun(reviewed, buckets))
    assert job.state is JobState.SUCCEEDED
    reviewer = Caller(REVIEWER, "ListCases")
    (case,) = [one.case for one in list_cases(reviewed, reviewer)]
    assert (case.watch_id, case.operation) == (watch.id, "Watch")
    assert entries_about(reviewed, str(case.use_id))[-1].entry.details["job_id"] == job.id
    (candidate,) = show_case(reviewed, reviewer, case.id).candidates
    assert candidate.sighting_id is not None
    shown = show_face(reviewed, reviewer, case.id, candidate.number)
    assert shown.startswith(b"\xff\xd8")

    # Another run over the clip, with other options, finds the same person.
    decide_case(reviewed, reviewer, case.id, None, Verdict.NOT_SAME, "the ears")
    again = begun(reviewed, buckets, sampling=Sampling(0.2, 0.5, 3.0))
    assert ended(reviewed, buckets, again).state is JobState.SUCCEEDED
    assert [one.case for one in list_cases(reviewed, reviewer)] == [case]


def test_what_was_found_for_one_purpose_is_not_given_for_another(
    home: Home, buckets: FolderBuckets
) -> None:
    granted = Principal("local:granted", Role.CLIENT, purposes=("missing-persons", "research"))
    job = start_search(home, buckets, Caller(granted, "test"), "staff", asked())
    job = ended(home, buckets, job)
    regranted = Principal("local:granted", Role.CLIENT, purposes=("research",))
    with pytest.raises(Denied, match="missing-persons"):
        looks_page(home, Caller(regranted, "test"), ClipAct.SEARCH, job.id, limit=5)
    reordered = Principal("local:granted", Role.CLIENT, purposes=("research", "missing-persons"))
    assert looks_page(home, Caller(reordered, "test"), ClipAct.SEARCH, job.id, limit=5).looks


class Counting(FolderBuckets):
    """Buckets that count what is opened."""

    opened = 0

    def open(self, *named: Any) -> Any:
        self.opened += 1
        return super().open(*named)


def test_a_search_that_is_refused_fetches_no_clip(home: Home, tmp_path: Path) -> None:
    film(tmp_path)
    counting = Counting(tmp_path / "buckets")
    rule(home, FORBIDDEN)
    time.sleep(0.6)  # what another program changed is in force within half a second
    with pytest.raises(Denied):
        search_clip(home, counting, caller(home), "staff", asked())
    assert counting.opened == 0


def test_a_clip_of_a_bucket_is_fetched_once(home: Home, tmp_path: Path) -> None:
    film(tmp_path)
    counting = Counting(tmp_path / "buckets")
    with HeldBuckets(counting) as held:
        seen = search_clip(home, held, caller(home), "staff", asked())
        with asked().place.open(held, ClipLimits()) as again:
            assert len(again.read()) > 1000
    assert names(seen) == ["Rosa", None]
    assert counting.opened == 1
