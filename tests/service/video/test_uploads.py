"""Clips that come in pieces: bounded, their owner's alone, and gone once nothing needs them."""

import os
import stat
from pathlib import Path

import pytest

from likeness.errors import Conflict, LimitReached, NotFound
from likeness.jobs import JobState
from likeness.service.uses import Home
from likeness.service.video.asked import Asked, UploadedClip
from likeness.service.video.manage import stop_job
from likeness.service.video.start import start_detection
from likeness.service.video.uploads import UploadLimits, Uploads, remove_clip, sweep_uploads
from tests.service.video.street import caller, film

ADA, BEN = "key:ada", "key:ben"


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    limits = UploadLimits(clip_bytes=100, own_bytes=150, all_bytes=250, free_bytes=0, own_clips=3)
    return Uploads(tmp_path / "clips", limits)


def sent(uploads: Uploads, content: bytes = b"a clip", by: str = ADA) -> UploadedClip:
    clip_id = uploads.begin(by, len(content))
    uploads.add(by, clip_id, 0, content)
    return uploads.finish(by, clip_id, len(content), "street.mp4")


def grow_old(path: Path, seconds: float = 3601.0) -> None:
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def test_only_the_servers_account_may_read_a_clip(uploads: Uploads) -> None:
    clip = sent(uploads)
    assert stat.S_IMODE(clip.file.stat().st_mode) == 0o600
    for folder in (clip.file.parent, clip.file.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert clip.file.read_bytes() == b"a clip"


def test_a_clip_is_its_owners_alone(uploads: Uploads) -> None:
    clip_id = uploads.begin(ADA, 6)
    for act in (
        lambda: uploads.add(BEN, clip_id, 0, b"mine"),
        lambda: uploads.finish(BEN, clip_id, 0, "mine"),
        lambda: uploads.add(ADA, "../" + clip_id, 0, b"else"),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_file_that_goes_meanwhile_is_in_nobodys_way(uploads: Uploads) -> None:
    clip = sent(uploads, by=BEN)
    (clip.file.parent / "gone").symlink_to("nowhere")
    assert sent(uploads).file.exists()
    assert uploads.sweep(lambda: ()) == 0


def test_there_are_bounds_whatever_was_announced(uploads: Uploads) -> None:
    with pytest.raises(LimitReached, match="Too large"):
        uploads.begin(ADA, 101)
    clip_id = uploads.begin(ADA, 1)
    uploads.add(ADA, clip_id, 0, bytes(100))
    with pytest.raises(LimitReached, match="Too large"):
        uploads.add(ADA, clip_id, 100, b"x")
    other = uploads.begin(ADA, 1)
    with pytest.raises(LimitReached, match="Your clips"):
        uploads.add(ADA, other, 0, bytes(51))
    uploads.begin(ADA, 1)
    with pytest.raises(LimitReached, match="3 clips of yours"):
        uploads.begin(ADA, 1)
    sent(uploads, bytes(100), BEN)
    with pytest.raises(LimitReached, match="no room"):
        uploads.begin("key:eve", 51)


def test_pieces_have_no_gap(uploads: Uploads) -> None:
    clip_id = uploads.begin(ADA, 6)
    with pytest.raises(Conflict, match="0 bytes came"):
        uploads.add(ADA, clip_id, 1, b"x")
    uploads.add(ADA, clip_id, 0, b"a cl")
    with pytest.raises(Conflict, match="4 of 6 bytes"):
        uploads.finish(ADA, clip_id, 6, "street.mp4")
    uploads.add(ADA, clip_id, 2, b"clip")
    assert uploads.finish(ADA, clip_id, 6, "street.mp4").file.read_bytes() == b"a clip"


def test_a_clip_goes_once_no_job_needs_it(home: Home, uploads: Uploads, tmp_path: Path) -> None:
    clip, idle = sent(uploads), sent(uploads)
    who = caller(home)
    job = start_detection(home, film(tmp_path, 1.0), who, Asked(place=clip))
    copy = uploads.place_for_copy(job.id)
    copy.write_bytes(b"of a job that makes none")
    assert sweep_uploads(home, uploads) == 0  # the job that needs one may be about to begin
    for path in (clip.file, idle.file, copy):
        grow_old(path)
    assert sweep_uploads(home, uploads) == 2
    assert clip.file.exists()
    with pytest.raises(Conflict, match="looking at this clip"):
        remove_clip(home, clip)
    assert stop_job(home, who, job.id).state is JobState.CANCELLED
    assert sweep_uploads(home, uploads) == 1
    assert not clip.file.exists()
