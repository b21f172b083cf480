"""Which buckets settings stand for."""

from pathlib import Path

import pytest

from likeness.app.buckets import buckets_of
from likeness.buckets import S3Buckets
from likeness.config import Settings
from likeness.errors import InvalidRequest, NotFound

S3 = {
    "s3_endpoint": "http://127.0.0.1:1",
    "s3_access_key_id": "id",
    "s3_secret_access_key": "secret",
}


def test_buckets_lie_in_the_home_where_nothing_else_is_said(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(NotFound):
        buckets_of(settings).read("photos", "one.jpg", None, 9)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "buckets" / "photos").mkdir(parents=True)
    (tmp_path / "buckets" / "photos" / "one.jpg").write_bytes(b"a picture")
    assert buckets_of(settings).read("photos", "one.jpg", None, 9) == b"a picture"


def test_buckets_lie_in_the_folder_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "mount" / "photos").mkdir(parents=True)
    (tmp_path / "mount" / "photos" / "one.jpg").write_bytes(b"a picture")
    buckets = buckets_of(Settings(home=tmp_path / "home", buckets=str(tmp_path / "mount")))
    assert buckets.read("photos", "one.jpg", None, 9) == b"a picture"


def test_a_named_folder_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="LIKENESS_BUCKETS"):
        buckets_of(Settings(home=tmp_path, buckets=str(tmp_path / "nowhere")))


def test_an_endpoint_goes_in_place_of_the_folder_in_the_home(tmp_path: Path) -> None:
    assert isinstance(buckets_of(Settings(home=tmp_path, **S3)), S3Buckets)


def test_a_folder_and_an_endpoint_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="are both set"):
        buckets_of(Settings(home=tmp_path, buckets=str(tmp_path), **S3))
