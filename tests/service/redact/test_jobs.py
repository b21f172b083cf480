"""Copies with hidden faces as jobs: made, cancelled and refused in the middle."""

from collections.abc import Callable
from pathlib import Path

import pytest

from likeness.errors import Denied, NotFound
from likeness.jobs import Job, JobState, JobStopped, run_here
from likeness.service.redact.asked import Manner, Whom
from likeness.service.redact.jobs import RedactionJobs, redaction_of
from likeness.service.uses import Home
from likeness.service.video.asked import Asked, Hiding
from likeness.service.video.clip_files import open_copy
from likeness.service.video.manage import show_job, stop_job
from likeness.service.video.results import people_seen
from likeness.service.video.start import start_redaction
from likeness.service.video.uploads import Uploads
from likeness.video import Style, clip_of
from likeness.vision.every_face import Closeness, EveryFace
from tests.cli.conftest import DiscDetector
from tests.service.video.street import asked, caller, employ, film, rule

pytestmark = pytest.mark.slow

NO_FACES = (
    '@id("no-faces") @source("a test") @effective("2000-01-01")'
    ' forbid(principal, action == Action::"detect", resource);'
)


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "clips")


def hidden(whom: Whom = Whom.ALL, **manner: bool) -> Asked:
    return asked(hiding=Hiding(whom, Manner(Style.BLACK, **manner)))


def run(
    home: Home,
    folder: Path,
    uploads: Uploads,
    of: str | None = None,
    what: Asked | None = None,
    meanwhile: Callable[[Job], object] = lambda job: None,
) -> Job:
    """Run a job to its end, with something that happens once it looks for faces."""
    buckets = film(folder, 2.0)
    job = start_redaction(home, buckets, caller(home), of, what or hidden())

    def every_face(closeness: Closeness) -> EveryFace:
        meanwhile(job)
        return EveryFace(DiscDetector(), float, closeness)

    work = RedactionJobs(home, buckets, uploads, every_face)
    run_here(home.database, home.keyring, job.id, work.redact, home.clock)
    return show_job(home, caller(home), job.id)


def test_a_copy_is_made_and_says_what_it_hides(
    sqlite_home: Home, tmp_path: Path, uploads: Uploads
) -> None:
    home = sqlite_home
    job = run(home, tmp_path, uploads)
    assert job.state is JobState.SUCCEEDED
    _, redaction = redaction_of(home, caller(home), job.id)
    assert redaction is not None
    assert (redaction.tracks, redaction.frames, redaction.visible) == (2, 20, ())
    with open_copy(home, uploads, caller(home), job.id) as copy:
        clip = clip_of(copy)
    assert (clip.width, clip.height) == (320, 240)
    seen = people_seen(home, caller(home), None, job.id).seen
    assert seen is not None
    assert seen.people == ()


def test_who_stays_visible_is_kept_without_a_name(
    sqlite_home: Home, tmp_path: Path, uploads: Uploads
) -> None:
    home = sqlite_home
    employ(home, tmp_path)
    job = run(home, tmp_path, uploads, "staff", hidden(Whom.ALL_BUT, careful=False))
    _, redaction = redaction_of(home, caller(home), job.id)
    assert redaction is not None
    assert [one.called for one in redaction.visible] == [None]


def test_cancelled_in_the_middle_it_leaves_nothing(
    sqlite_home: Home, tmp_path: Path, uploads: Uploads
) -> None:
    home = sqlite_home
    job_ids: list[str] = []

    def cancel(job: Job) -> None:
        job_ids.append(job.id)
        stop_job(home, caller(home), job.id)

    with pytest.raises(JobStopped):
        run(home, tmp_path, uploads, meanwhile=cancel)
    (job_id,) = job_ids
    assert show_job(home, caller(home), job_id).state is JobState.CANCELLED
    assert not uploads.copy_path(job_id).exists()
    with pytest.raises(NotFound, match="made no copy"):
        open_copy(home, uploads, caller(home), job_id)


def test_refused_in_the_middle_it_leaves_nothing(
    sqlite_home: Home, tmp_path: Path, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = sqlite_home
    monkeypatch.setattr("likeness.storage.database.LOOK_EVERY_S", 0.0)
    monkeypatch.setattr("likeness.service.redact.jobs._ASK_AGAIN_S", 0.0)
    with pytest.raises(Denied):
        run(home, tmp_path, uploads, meanwhile=lambda job: rule(home, NO_FACES))
    assert list(uploads.copy_path("a job").parent.glob("*")) == []
