"""Nothing leads out of a folder of buckets, and nothing in it holds a reader up."""

import os
import socket
import threading
from pathlib import Path

import pytest

from likeness.buckets import FolderBuckets
from likeness.errors import (
    BucketsUnavailable,
    ClipTooLarge,
    ImageTooLarge,
    InvalidRequest,
    NotFound,
)


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    """The bucket `photos`, and outside of all buckets a file `secret`."""
    (tmp_path / "secret").write_bytes(b"secret")
    folder = tmp_path / "buckets" / "photos"
    folder.mkdir(parents=True)
    (folder / "one.jpg").write_bytes(b"a picture")
    return folder


def read(bucket: Path, key: str, name: str = "photos") -> bytes:
    return FolderBuckets(bucket.parent).read(name, key, None, 100)


def test_links_are_not_followed_wherever_they_are(bucket: Path, tmp_path: Path) -> None:
    (bucket / "file.jpg").symlink_to(tmp_path / "secret")
    (bucket / "near.jpg").symlink_to("one.jpg")
    (bucket / "up").symlink_to(tmp_path)
    (bucket / "circle").symlink_to("circle")
    (bucket.parent / "linked").symlink_to(tmp_path)
    for name, key in [
        ("photos", "file.jpg"),
        ("photos", "near.jpg"),
        ("photos", "up/secret"),
        ("photos", "circle"),
        ("photos", "circle/one.jpg"),
        ("linked", "secret"),
    ]:
        with pytest.raises(NotFound):
            read(bucket, key, name)
        with pytest.raises(NotFound):
            FolderBuckets(bucket.parent).size(name, key, None)
        with pytest.raises(NotFound):
            FolderBuckets(bucket.parent).open(name, key, None, 100)


@pytest.mark.parametrize(
    "key",
    [
        "/",
        "/one.jpg",
        "one.jpg/",
        "folder//one.jpg",
        ".",
        "./one.jpg",
        "..",
        "../photos/one.jpg",
        "folder/../one.jpg",
        "folder/..",
        "..\\one.jpg",
        "one.jpg\0",
        "one\n.jpg",
        "one\x1b[2J.jpg",
    ],
)
def test_a_key_that_leads_elsewhere_is_invalid(bucket: Path, key: str) -> None:
    buckets = FolderBuckets(bucket.parent)
    for read in (buckets.read, buckets.open):
        with pytest.raises(InvalidRequest, match="an object's key"):
            read(bucket.name, key, None, 9)


def test_a_list_has_plain_files_alone(bucket: Path, tmp_path: Path) -> None:
    (bucket / "file.jpg").symlink_to(tmp_path / "secret")
    (bucket / "up").symlink_to(tmp_path)
    (bucket.parent / "linked").symlink_to(tmp_path)
    os.mkfifo(bucket / "pipe.jpg")
    (bucket / "line\nbreak.jpg").write_bytes(b"a picture")
    assert FolderBuckets(bucket.parent).keys("photos", "") == ["one.jpg"]
    with pytest.raises(NotFound):
        FolderBuckets(bucket.parent).keys("linked", "")


def test_the_folder_of_buckets_may_itself_be_a_link(bucket: Path, tmp_path: Path) -> None:
    (tmp_path / "mount").symlink_to(bucket.parent)
    found = FolderBuckets(tmp_path / "mount").read("photos", "one.jpg", None, 100)
    assert found == b"a picture"


def test_what_is_no_plain_file_is_not_there_and_holds_nobody_up(bucket: Path) -> None:
    os.mkfifo(bucket / "pipe.jpg")
    (bucket / "folder.jpg").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(bucket)  # a socket's path has to be short
        try:
            listening.bind("socket.jpg")
        finally:
            os.chdir(here)
        for key in ("pipe.jpg", "folder.jpg", "socket.jpg"):
            with pytest.raises(NotFound):
                read(bucket, key)
            with pytest.raises(NotFound):
                FolderBuckets(bucket.parent).size("photos", key, None)
            with pytest.raises(NotFound):
                FolderBuckets(bucket.parent).open("photos", key, None, 100)


def test_a_file_without_an_end_is_read_up_to_the_limit(bucket: Path) -> None:
    (bucket / "sparse.jpg").touch()
    os.truncate(bucket / "sparse.jpg", 1 << 40)
    with pytest.raises(ImageTooLarge):
        read(bucket, "sparse.jpg")


def test_an_opened_file_stays_readable_when_its_bucket_is_gone(bucket: Path) -> None:
    with FolderBuckets(bucket.parent).open("photos", "one.jpg", None, 100) as opened:
        (bucket / "one.jpg").unlink()
        bucket.rmdir()
        assert opened.read() == b"a picture"


def test_a_file_that_grows_after_its_size_was_asked_is_refused(
    bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fstat = os.fstat

    def grow_after(file: int) -> os.stat_result:
        status = fstat(file)
        (bucket / "one.jpg").write_bytes(b"0" * 200)
        return status

    monkeypatch.setattr(os, "fstat", grow_after)
    with pytest.raises(ImageTooLarge):
        read(bucket, "one.jpg")


def test_a_folder_that_turns_into_a_link_while_it_is_read_leads_nowhere_else(
    bucket: Path, tmp_path: Path
) -> None:
    inside, aside, outside = bucket / "folder", bucket / "aside", tmp_path / "outside"
    for folder, content in ((inside, b"inside"), (outside, b"outside")):
        folder.mkdir()
        (folder / "one.jpg").write_bytes(content)
    stop = threading.Event()

    def turn() -> None:
        while not stop.is_set():
            inside.rename(aside)
            inside.symlink_to(outside)
            inside.unlink()
            aside.rename(inside)

    turning = threading.Thread(target=turn)
    turning.start()
    try:
        seen, reads = set(), 0
        while reads < 2000 or len(seen) < 2:  # who turns it may hold the processor for long
            reads += 1
            try:
                seen.add(read(bucket, "folder/one.jpg"))
            except NotFound:
                seen.add(b"")
    finally:
        stop.set()
        turning.join()
    assert seen == {b"", b"inside"}


def test_no_file_stays_open(bucket: Path) -> None:
    os.mkfifo(bucket / "pipe.jpg")
    (bucket / "folder").mkdir()
    before = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208  # names alone
    for key in ("one.jpg", "pipe.jpg", "folder", "folder/nowhere", "one.jpg/inside"):
        try:
            read(bucket, key)
            FolderBuckets(bucket.parent).size("photos", key, None)
            FolderBuckets(bucket.parent).open("photos", key, None, 100).close()
        except NotFound:
            continue
    with pytest.raises(ImageTooLarge):
        FolderBuckets(bucket.parent).read("photos", "one.jpg", None, 1)
    with pytest.raises(ClipTooLarge):
        FolderBuckets(bucket.parent).open("photos", "one.jpg", None, 1)
    assert sorted(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_folder_of_buckets_that_is_not_there_has_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        FolderBuckets(tmp_path / "nowhere").read("photos", "one.jpg", None, 100)


def test_a_folder_of_buckets_that_is_broken_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "buckets").write_text("no folder")
    with pytest.raises(BucketsUnavailable, match="LIKENESS_BUCKETS"):
        FolderBuckets(tmp_path / "buckets").read("photos", "one.jpg", None, 100)
