"""What a live search tells, keeps and ends by, of frames that a test gives it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from likeness.errors import NotFound
from likeness.jobs import Job, JobState, run_here
from likeness.service.live import run as running
from likeness.service.live.asked import LiveRequest
from likeness.service.live.run import LiveJobs
from likeness.service.live.sighting import AnalysedFrame, SightingKind
from likeness.service.live.sightings import sightings_after
from likeness.service.live.sources import remove_source
from likeness.service.uses import Home
from likeness.service.video.manage import show_job
from likeness.terms import Closing
from likeness.video import FairLane
from tests.cli.disc_clips import frame
from tests.service.people import BLUE, RED, home_at, make
from tests.service.video.street import caller, employ, rule
from tests.service.video.test_search_jobs import OWED
from tests.video.filmed import AWAY, watching

from .telling import register
from .watching import begun, names, run, told

ROSA, BOTH, NOBODY = frame((RED, 100, 120)), frame((RED, 100, 120), (BLUE, 330, 120)), frame()
VISIT = [*[ROSA] * 4, *[BOTH] * 14, *[NOBODY] * 8]


def ready(home: Home, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Know Rosa, have sources that show one visit, and let rules change at once."""
    monkeypatch.setattr("likeness.storage.database.LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(running, "LiveStream", watching(VISIT))
    employ(home, folder)
    register(home, folder)
    return home


@pytest.fixture
def home(sqlite_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    return ready(sqlite_home, tmp_path, monkeypatch)


@pytest.fixture
def reviewed(tmp_path: Path, standards: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """The same, where pictures are kept for people to review."""
    with home_at(tmp_path, "", standards, crops="on") as opened:
        make(opened)
        yield ready(opened, tmp_path, monkeypatch)


def test_it_tells_who_comes_who_is_a_stranger_and_who_leaves(home: Home) -> None:
    job = begun(home)

    every = told(home, job)

    assert names(every) == ["Rosa"]
    assert [one.kind for one in every].count(SightingKind.STRANGER) == 1
    assert sorted(map(str, names(every, SightingKind.LEFT))) == ["None", "Rosa"]
    assert [one.number for one in every] == list(range(1, len(every) + 1))
    assert show_job(home, caller(home), job.id).state is JobState.SUCCEEDED
    kept = sightings_after(home, caller(home), job.id, 0, 100).sightings
    assert [(one.number, one.kind) for one in kept] == [(one.number, one.kind) for one in every]
    assert names(list(kept)) == ["Rosa"]


def test_it_tells_that_its_source_is_away_and_there_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = [*[ROSA] * 4, None, None, *[ROSA] * 2]
    monkeypatch.setattr(running, "LiveStream", watching(script))
    every = told(home, begun(home))
    remarks = [one.remark for one in every if one.kind is SightingKind.SOURCE]
    assert remarks == [AWAY, "The source is there again."]


def test_it_tells_that_a_source_is_not_there_from_the_beginning(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "LiveStream", watching([None, None, *[ROSA] * 2]))
    every = told(home, begun(home))
    remarks = [one.remark for one in every if one.kind is SightingKind.SOURCE]
    assert remarks == [AWAY, "The source is there."]


def test_nobody_is_in_view_of_a_source_that_is_away(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "LiveStream", watching([*[ROSA] * 9, None]))
    kinds = [one.kind for one in told(home, begun(home))]
    assert kinds == [SightingKind.SEEN, SightingKind.LEFT, SightingKind.SOURCE]


class Listed(Closing):
    """Lists what it is told of frames."""

    def __init__(self) -> None:
        self.frames: list[AnalysedFrame] = []
        self.is_closed = False

    def tell(self, frame: AnalysedFrame) -> None:
        self.frames.append(frame)

    def close(self) -> None:
        self.is_closed = True


def test_an_output_is_told_of_every_frame_and_of_names_once_they_may_be_told(home: Home) -> None:
    output = Listed()

    def make_output(job: Job, request: LiveRequest) -> Listed:
        return output

    work = LiveJobs(home, FairLane(1), make_output)
    job = begun(home)
    run_here(home.database, home.keyring, job.id, work.search, home.clock)

    assert [one.number for one in output.frames] == list(range(1, len(VISIT) + 1))
    called = [
        [match.as_told.subject for match in face.matches]
        for one in output.frames
        for face in one.faces
    ]
    assert called[0] == []
    assert ["Rosa"] in called
    assert output.is_closed


def test_whoever_runs_it_ends_it_with_what_it_has(home: Home) -> None:
    looks = iter([False] * 12)
    work = LiveJobs(home, FairLane(1), wants_end=lambda: next(looks, True))
    job = begun(home)
    run_here(home.database, home.keyring, job.id, work.search, home.clock)
    assert show_job(home, caller(home), job.id).state is JobState.SUCCEEDED
    assert names(list(sightings_after(home, caller(home), job.id, 0, 100).sightings)) == ["Rosa"]


def test_it_ends_with_its_source(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_ASK_AGAIN_S", 0.0)
    job = begun(home)
    with pytest.raises(NotFound, match="removed while it was searched"):
        run(home, job, lambda sighting: _remove(home))
    ended = show_job(home, caller(home), job.id)
    assert (ended.state, ended.failure) == (JobState.FAILED, "NotFound")


def _remove(home: Home) -> None:
    remove_source(home, caller(home), "gate")


def test_whom_people_have_to_look_at_is_withheld(reviewed: Home) -> None:
    rule(reviewed, OWED)
    every = told(reviewed, begun(reviewed))
    (seen,) = (one for one in every if one.kind is SightingKind.SEEN)
    assert (seen.match, seen.withheld) == (None, True)
    assert seen.case_id is not None
