"""A home is told from one that was never there, by what it remembers inside and beside it."""

import base64
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from likeness.access import Grant
from likeness.app import Installation
from likeness.app.home import open_rows
from likeness.app.home_notes import HomeNotes, RowsHere
from likeness.config import Settings
from likeness.errors import DatabaseUnavailable, InvalidRequest, KeyUnusable, NotFound
from likeness.service.govern.keys import create_key
from likeness.service.uses import Caller, Rows
from likeness.storage import current, open_database
from likeness.terms import UNDECLARED, Role

KEY = base64.b64encode(b"k" * 32).decode()


@contextmanager
def rows(folder: Path, *, makes_home: bool = True, **chosen: object) -> Iterator[Rows]:
    settings = Settings(home=folder, **chosen)  # type: ignore[arg-type]  # pydantic checks
    with open_rows(Installation(settings), makes_home=makes_home) as opened:
        yield opened


def make(folder: Path, **chosen: object) -> None:
    """Make a home whose keys have sealed something."""
    with rows(folder, **chosen) as opened:
        grant = Grant(Role.CLIENT, UNDECLARED, UNDECLARED, UNDECLARED, ())
        create_key(opened, Caller(opened.somebody, "CreateAccessKey"), "desk", grant)


def refusal(kind: type[Exception], folder: Path, **chosen: object) -> str:
    """What an opening says that makes nothing; the home is as it was."""
    before = sorted(folder.rglob("*"))
    with pytest.raises(kind) as raised, rows(folder, **chosen):
        pass
    assert sorted(folder.rglob("*")) == before
    return str(raised.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_a_home_that_is_there_is_opened_by_whatever_makes_none(folder: Path) -> None:
    make(folder)
    with rows(folder, makes_home=False):
        pass


def test_what_makes_no_home_leaves_none(folder: Path) -> None:
    assert "no home" in refusal(NotFound, folder, makes_home=False)
    folder.mkdir()
    assert "no home" in refusal(NotFound, folder, makes_home=False)


def test_an_empty_folder_can_become_a_home(folder: Path) -> None:
    folder.mkdir()
    make(folder)


@pytest.mark.parametrize("left", ["nothing", "a mount point"])
def test_a_home_that_was_there_and_is_gone_is_no_first_start(folder: Path, left: str) -> None:
    make(folder)
    shutil.rmtree(folder)
    if left == "a mount point":
        folder.mkdir()
    beside = folder.with_name(".home.likeness")
    assert str(beside) in refusal(DatabaseUnavailable, folder)
    beside.unlink()
    make(folder)


def test_a_home_that_was_moved_is_opened_where_it_is(folder: Path, tmp_path: Path) -> None:
    make(folder)
    folder.rename(tmp_path / "moved")
    with rows(tmp_path / "moved", makes_home=False):
        pass
    refusal(DatabaseUnavailable, folder)


@pytest.mark.parametrize("how", ["missing", "empty"])
@pytest.mark.parametrize("remembers", [True, False])
def test_a_database_that_is_gone_is_not_made_anew(folder: Path, how: str, remembers: bool) -> None:
    make(folder)
    for left in folder.glob("likeness.db*"):
        left.unlink()
    if how == "empty":
        (folder / "likeness.db").touch()
    if not remembers:  # as in a home of an older Likeness
        (folder / "home.json").unlink()
        (folder.with_name(".home.likeness")).unlink()
    assert "Restore it from a backup" in refusal(DatabaseUnavailable, folder)


def test_a_relative_home_is_used_where_it_is_and_made_nowhere(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(folder)
    monkeypatch.chdir(tmp_path)
    with rows(Path("home")):
        pass
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "relative" in refusal(InvalidRequest, Path("home"))


def test_rows_of_another_home_are_refused(folder: Path, tmp_path: Path) -> None:
    make(folder)
    make(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "likeness.db", folder)
    assert "not the database of the home" in refusal(DatabaseUnavailable, folder)


def test_older_rows_of_another_home_are_refused_before_they_are_changed(
    folder: Path, tmp_path: Path
) -> None:
    make(folder)
    make(tmp_path / "other")
    older = folder / "likeness.db"
    shutil.copy(tmp_path / "other" / "likeness.db", older)
    with open_database(f"sqlite:///{older}") as database:
        database.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num='0029'")))
    assert "not the database of the home" in refusal(DatabaseUnavailable, folder)
    with open_database(f"sqlite:///{older}") as database:
        assert current(database) == "0029"


def test_a_database_elsewhere_is_not_forgotten(folder: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'rows.db'}"
    make(folder, database=SecretStr(url))
    assert "Set LIKENESS_DATABASE as it was" in refusal(DatabaseUnavailable, folder)
    (tmp_path / "rows.db").rename(tmp_path / "moved.db")
    with rows(folder, database=SecretStr(f"sqlite:///{tmp_path / 'moved.db'}")):
        pass


def test_keys_that_are_not_set_are_named_and_none_are_made(folder: Path) -> None:
    make(folder, keys=SecretStr(KEY))
    assert "come from LIKENESS_KEYS" in refusal(KeyUnusable, folder)
    assert not (folder / "keys").exists()
    with rows(folder, keys=SecretStr(KEY)):
        pass


def test_keys_of_an_older_home_are_asked_for(folder: Path) -> None:
    make(folder, keys=SecretStr(KEY))
    (folder / "home.json").unlink()
    assert "Set LIKENESS_KEYS" in refusal(KeyUnusable, folder).replace("set", "Set")
    with rows(folder, keys=SecretStr(KEY)):
        pass
    assert json.loads((folder / "home.json").read_bytes())["keys"] == "LIKENESS_KEYS"


def test_a_stray_key_does_not_open_a_home_whose_keys_come_from_elsewhere(folder: Path) -> None:
    make(folder, keys=SecretStr(KEY))
    (folder / "home.json").unlink()
    with open_rows(Installation(Settings(home=folder)), without_lost_keys=True) as stray:
        stray.keyring.new_data_key(b"stray")
    (folder / "home.json").unlink()
    with rows(folder, keys=SecretStr(KEY)):
        pass
    assert "come from LIKENESS_KEYS" in refusal(KeyUnusable, folder)


def test_keys_may_move_with_all_that_they_sealed(folder: Path) -> None:
    make(folder)
    (file,) = (folder / "keys").glob("*.key")
    moved = SecretStr(file.read_text().splitlines()[2])
    with rows(folder, keys=moved):
        pass
    shutil.rmtree(folder / "keys")
    assert "come from LIKENESS_KEYS" in refusal(KeyUnusable, folder)


def test_another_key_in_the_setting_is_to_be_unset(folder: Path) -> None:
    make(folder)
    assert "Unset LIKENESS_KEYS" in refusal(KeyUnusable, folder, keys=SecretStr(KEY))


@pytest.mark.parametrize("said", [b"", b"{", b"[]", b'{"database_id": 7}', b"[" * 99_999])
def test_a_damaged_note_is_written_anew(folder: Path, said: bytes) -> None:
    make(folder)
    kept = (folder / "home.json").read_bytes()
    (folder / "home.json").write_bytes(said)
    with rows(folder):
        pass
    assert (folder / "home.json").read_bytes() == kept


@pytest.mark.skipif(os.geteuid() == 0, reason="root's notes are believed wherever they are")
def test_a_folder_that_takes_no_note_beside_the_home_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "fixed" / "home").mkdir(parents=True)
    (tmp_path / "fixed").chmod(0o500)
    make(tmp_path / "fixed" / "home")
    (tmp_path / "fixed").chmod(0o700)


def test_the_root_of_all_folders_is_no_home() -> None:
    notes = HomeNotes(Path("/"))
    with pytest.raises(NotFound, match="There is no home in /"):
        notes.require_none_lost(RowsHere("/likeness.db", ""), makes=False)
