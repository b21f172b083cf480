"""What every storage of buckets promises."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from likeness.errors import ClipTooLarge, ImageTooLarge, InvalidRequest, NotFound

from .conftest import Storage


@pytest.mark.parametrize(
    "key",
    ["one.jpg", "a/deep/er/one.jpg", "ein schönes Bild.jpg", "写真.png", "100%&+?#.jpg", "..."],
)
def test_an_object_is_read_whole(storage: Storage, key: str) -> None:
    storage.put("photos", key, b"a picture")
    assert storage.buckets.read("photos", key, None, 9) == b"a picture"


def test_an_empty_object_is_read(storage: Storage) -> None:
    storage.put("photos", "empty.jpg", b"")
    assert storage.buckets.read("photos", "empty.jpg", None, 9) == b""


def test_an_object_over_the_limit_is_refused(storage: Storage) -> None:
    storage.put("photos", "one.jpg", b"0123456789")
    assert storage.buckets.read("photos", "one.jpg", None, 10) == b"0123456789"
    with pytest.raises(ImageTooLarge, match="at most 9 bytes"):
        storage.buckets.read("photos", "one.jpg", None, 9)


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("photos", "two.jpg"),
        ("photos", "ONE.jpg"),
        ("photos", "folder"),
        ("photos", "one.jpg/inside"),
        ("photos", "folder/one"),
        ("photos", "folder/" + "n" * 900),
        ("nowhere", "one.jpg"),
        ("Photos", "one.jpg"),
    ],
)
def test_what_is_not_there_is_not_found(storage: Storage, bucket: str, key: str) -> None:
    storage.put("photos", "one.jpg", b"a picture")
    storage.put("photos", "folder/one.jpg", b"a picture")
    with pytest.raises(NotFound):
        storage.buckets.read(bucket, key, None, 9)


def test_a_version_that_is_none_is_not_found(storage: Storage) -> None:
    storage.put("photos", "one.jpg", b"a picture")
    for version in ("nowhere", "../one", "", "\n"):
        with pytest.raises(NotFound):
            storage.buckets.read("photos", "one.jpg", version, 9)


@pytest.mark.parametrize(
    "bucket",
    [
        "",
        ".",
        "..",
        "ab",
        ".hidden",
        "-dash",
        "photos/",
        "../photos",
        "pho\0tos",
        "photos\n",
        "fötos",
        "arn:aws:s3:us-east-1:123456789012:accesspoint/point",
        "n" * 256,
    ],
)
def test_a_name_that_no_bucket_has_is_invalid(storage: Storage, bucket: str) -> None:
    storage.put("photos", "one.jpg", b"a picture")
    with pytest.raises(InvalidRequest, match="a bucket's name"):
        storage.buckets.read(bucket, "one.jpg", None, 9)


@pytest.mark.parametrize("key", ["", "one\ud800.jpg", "n" * 1025, "ü" * 513])
def test_a_key_that_is_none_is_invalid(storage: Storage, key: str) -> None:
    storage.put("photos", "one.jpg", b"a picture")
    with pytest.raises(InvalidRequest, match="an object's key"):
        storage.buckets.read("photos", key, None, 9)


def test_an_objects_size_is_told(storage: Storage) -> None:
    storage.put("clips", "empty.mp4", b"")
    storage.put("clips", "ein schöner/clip 100%&+?#.mp4", b"a clip")
    assert storage.buckets.size("clips", "empty.mp4", None) == 0
    assert storage.buckets.size("clips", "ein schöner/clip 100%&+?#.mp4", None) == 6


@pytest.mark.parametrize("content", [b"", b"a clip", bytes(range(256)) * (20 << 10)])
def test_an_opened_object_can_be_sought_in(storage: Storage, content: bytes) -> None:
    storage.put("clips", "one.mp4", content)
    with storage.buckets.open("clips", "one.mp4", None, len(content)) as clip:
        assert clip.read() == content
        clip.seek(len(content) // 2)
        assert clip.read() == content[len(content) // 2 :]
    assert clip.closed


def test_another_process_reads_an_opened_object_by_its_descriptor(storage: Storage) -> None:
    storage.put("clips", "one.mp4", b"a clip")
    program = "import os, sys; sys.stdout.write(os.read(int(sys.argv[1]), 100).decode())"
    with storage.buckets.open("clips", "one.mp4", None, 9) as clip:
        there = str(clip.fileno())
        said = subprocess.run(
            [sys.executable, "-c", program, there], pass_fds=[clip.fileno()], stdout=subprocess.PIPE
        )
    assert said.stdout == b"a clip"


def test_an_object_over_the_limit_is_not_opened(storage: Storage) -> None:
    storage.put("clips", "one.mp4", b"0123456789")
    with pytest.raises(ClipTooLarge, match="at most 9 bytes"):
        storage.buckets.open("clips", "one.mp4", None, 9)


def test_what_is_not_there_has_no_size_and_is_not_opened(storage: Storage) -> None:
    storage.put("clips", "folder/one.mp4", b"a clip")
    for bucket, key, version in [
        ("clips", "two.mp4", None),
        ("clips", "folder", None),
        ("nowhere", "folder/one.mp4", None),
        ("clips", "folder/one.mp4", "nowhere"),
    ]:
        with pytest.raises(NotFound):
            storage.buckets.size(bucket, key, version)
        with pytest.raises(NotFound):
            storage.buckets.open(bucket, key, version, 9)
    for bucket, key in [("../clips", "folder/one.mp4"), ("clips", "")]:
        with pytest.raises(InvalidRequest):
            storage.buckets.size(bucket, key, None)
        with pytest.raises(InvalidRequest):
            storage.buckets.open(bucket, key, None, 9)


def test_keys_are_listed_by_their_prefix(storage: Storage) -> None:
    for key in ("b.jpg", "a/one.jpg", "a/deep/er/two.jpg", "ab.jpg", "a/写真 1%&+?.png"):
        storage.put("photos", key, b"a picture")
    storage.put("others", "a/elsewhere.jpg", b"a picture")

    inside = ["a/deep/er/two.jpg", "a/one.jpg", "a/写真 1%&+?.png"]
    assert storage.buckets.keys("photos", "") == [*inside, "ab.jpg", "b.jpg"]
    assert storage.buckets.keys("photos", "a") == [*inside, "ab.jpg"]
    assert storage.buckets.keys("photos", "a/") == inside
    for nothing in ("c", "../others/", "a/one.jpg/", "/"):
        assert storage.buckets.keys("photos", nothing) == []


def test_a_bucket_that_is_none_cannot_be_listed(storage: Storage) -> None:
    storage.put("photos", "one.jpg", b"a picture")
    with pytest.raises(NotFound):
        storage.buckets.keys("nowhere", "")
    with pytest.raises(InvalidRequest, match="a bucket's name"):
        storage.buckets.keys("../photos", "")


def test_messages_quote_no_name(storage: Storage) -> None:
    storage.put("photos", "one.jpg", b"a picture")
    for bucket, key, limit in [
        ("secret-b", "secret-k", 9),
        ("photos", "secret-k", 9),
        ("photos", "secret-k/..", 9),
        ("secret b", "one.jpg", 9),
        ("photos", "one.jpg", 1),
    ]:
        with pytest.raises((NotFound, InvalidRequest, ImageTooLarge)) as raised:
            storage.buckets.read(bucket, key, None, limit)
        assert "secret" not in str(raised.value)
        assert "\n" not in str(raised.value)


def test_many_threads_read_at_once(storage: Storage) -> None:
    for number in range(8):
        storage.put("photos", f"{number}.jpg", bytes([number]) * 1000)

    def read(number: int) -> bytes:
        return storage.buckets.read("photos", f"{number % 8}.jpg", None, 1000)

    with ThreadPoolExecutor(8) as pool:
        for number, content in enumerate(pool.map(read, range(40))):
            assert content == bytes([number % 8]) * 1000
