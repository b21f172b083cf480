"""Rows without the gallery: reached while a server has the home."""

import os
import pwd
from pathlib import Path

import pytest

from likeness.app import Installation
from likeness.app.home import open_home, open_rows, somebody_here
from likeness.config import Settings, read_settings
from likeness.storage import read_identity
from likeness.terms import Role


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(Settings(home=tmp_path / "home", cache=tmp_path / "cache"))


def test_rows_are_reached_while_another_has_the_home(installation: Installation) -> None:
    with (
        open_home(installation) as home,
        open_rows(installation) as rows,
        open_rows(installation) as others,
    ):
        mine = home.database.read(read_identity)
        assert rows.database.read(read_identity) == mine
        assert others.keyring.key_ids == home.keyring.key_ids


def test_rows_are_made_where_there_is_no_home_yet(installation: Installation) -> None:
    with open_rows(installation) as rows:
        made = rows.database.read(read_identity)
    with open_home(installation) as home:
        assert home.database.read(read_identity) == made


def test_whoever_is_at_the_command_line_is_an_admin(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "ada")  # anybody can say so
    account = pwd.getpwuid(os.getuid()).pw_name
    assert somebody_here(read_settings()).id == f"local:{account}"
    assert somebody_here(read_settings()).role is Role.ADMIN


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(uid: int) -> None:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert somebody_here(read_settings()).id == f"local:{os.getuid()}"
