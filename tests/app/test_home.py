"""A home: made at its first opening, the same at the next."""

from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pydantic import SecretStr

from likeness.app import Installation
from likeness.app.home import open_home
from likeness.config import Settings
from likeness.errors import Conflict, InvalidRequest, KeyUnusable
from likeness.service.uses import Home
from tests.gallery.galleries import create


def home(tmp_path: Path, **chosen: object) -> AbstractContextManager[Home]:
    return open_home(
        Installation(Settings(home=tmp_path / "home", cache=tmp_path / "cache", **chosen))  # type: ignore[arg-type]  # pydantic checks
    )


def test_what_a_home_holds_is_there_at_the_next_opening(tmp_path: Path) -> None:
    with home(tmp_path) as first:
        create(first.gallery, "missing", model="m", dimensions=4, cohort_version="c")
        keys = first.keyring.key_ids
    with home(tmp_path) as second:
        assert [one.name for one in second.gallery.collections()] == ["missing"]
        assert second.keyring.key_ids == keys


def test_a_home_is_its_owners_alone(tmp_path: Path) -> None:
    with home(tmp_path):
        pass
    for name in ("likeness.db", "keys", "snapshots"):
        assert (tmp_path / "home" / name).stat().st_mode & 0o077 == 0


def test_a_second_opening_is_a_conflict(tmp_path: Path) -> None:
    with home(tmp_path), pytest.raises(Conflict), home(tmp_path):
        pass


def test_the_wrong_key_opens_no_collection(tmp_path: Path) -> None:
    with home(tmp_path) as first:
        create(first.gallery, "missing", model="m", dimensions=4, cohort_version="c")
    with (
        pytest.raises(KeyUnusable, match="Restore that key"),
        home(tmp_path, keys=SecretStr("A" * 43 + "=")),
    ):
        pass


def test_keys_come_from_one_place(tmp_path: Path) -> None:
    with (
        pytest.raises(InvalidRequest, match="are both set"),
        home(tmp_path, keys=SecretStr("A" * 43 + "="), keys_command="cat keys"),
    ):
        pass


def test_a_password_in_the_address_of_milvus_is_refused_unquoted(tmp_path: Path) -> None:
    with (
        pytest.raises(InvalidRequest, match="LIKENESS_MILVUS_TOKEN") as raised,
        home(tmp_path, index="milvus", milvus="http://user:hidden-7@127.0.0.1:1"),
    ):
        pass
    assert "hidden-7" not in str(raised.value)
