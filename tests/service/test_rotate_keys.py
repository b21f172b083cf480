"""Rotation: one new key seals everything, older ones are gone, whatever happens in between."""

import base64
import multiprocessing
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import likeness
from likeness.errors import Conflict, DatabaseUnavailable, KeyUnusable
from likeness.gallery import stored_collections
from likeness.secrets import Keyring, TextKeys
from likeness.service.govern.secrets import REWRAPS, Rotation
from likeness.storage import Database
from tests.gallery.galleries import Home, enrol, make, new, template
from tests.service import rotating

pytestmark = pytest.mark.slow


@pytest.fixture
def rows(database_url: str, tmp_path: Path) -> Iterator[Home]:
    """A home with two collections, each of which knows Ada."""
    home = Home(database_url, tmp_path)
    with home.open() as gallery:
        for name in ("staff", "visitors"):
            make(gallery, name)
            enrol(gallery, name, [new(1, "Ada")])
    with home.database:
        yield home


def all_know_ada(home: Home, keyring: Keyring | None = None) -> bool:
    with home.open(keyring=keyring) as gallery:
        found = [
            gallery.collection(name).search(template(1), 1)[0] for name in ("staff", "visitors")
        ]
    return [one.subject.name for one in found if one.subject] == ["Ada", "Ada"]


def given(*keys: bytes) -> Keyring:
    return Keyring(TextKeys(" ".join(base64.b64encode(key).decode() for key in keys), "KEYS"))


def test_one_new_key_takes_the_place_of_all(rows: Home) -> None:
    keyring = rows.keyring()
    (old,) = keyring.key_ids

    rotation = rotating.rotate(rows.database, keyring)

    assert rotation == Rotation(keyring.key_ids[0], 2, (old,), ())
    assert rows.keyring().key_ids == (rotation.newest,) != (old,)
    assert rows.database.read(stored_collections.counts_by_key) == {rotation.newest: 2}
    assert all_know_ada(rows)


@pytest.mark.parametrize("step", rotating.STEPS)
def test_rotation_killed_at_any_step_is_finished_by_the_next(rows: Home, step: str) -> None:
    (old,) = rows.keyring().key_ids
    program = multiprocessing.get_context("spawn").Process(
        target=rotating.run, args=(rows.url, rows.folder, step)
    )
    program.start()
    program.join()
    assert program.exitcode == -9
    assert all_know_ada(rows)
    left = rows.keyring().key_ids
    assert len(left) == (1 if step in ("begun", "destroying", "destroyed") else 2)

    rotation = rotating.rotate(rows.database, rows.keyring())

    assert rows.keyring().key_ids == (rotation.newest,)
    assert old != rotation.newest
    if len(left) == 2:  # it goes on with the key that was made
        assert rotation.newest == left[0]
    assert all_know_ada(rows)
    assert list((rows.folder / "keys").iterdir()) == [
        rows.folder / "keys" / f"installation-{3 if step.startswith('destr') else 2}.key"
    ]


def test_keys_from_elsewhere_are_resealed_and_left_to_whoever_keeps_them(rows: Home) -> None:
    (file,) = (rows.folder / "keys").iterdir()
    older, newer = base64.b64decode(file.read_text().splitlines()[2]), os.urandom(32)
    with pytest.raises(Conflict, match="in front of the others"):
        rotating.rotate(rows.database, given(older))

    keyring = given(newer, older)
    rotation = rotating.rotate(rows.database, keyring)

    assert rotation == Rotation(keyring.key_ids[0], 2, (), keyring.key_ids[1:])
    assert all_know_ada(rows, given(newer))
    assert rotating.rotate(rows.database, keyring).resealed == 0


def test_a_key_that_is_gone_stops_the_rotation_before_anything_is_destroyed(rows: Home) -> None:
    with pytest.raises(KeyUnusable, match="Restore that key"):
        rotating.rotate(rows.database, given(os.urandom(32), os.urandom(32)))
    assert all_know_ada(rows)


def test_what_cannot_be_stored_keeps_the_older_keys(
    rows: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Database, act: object) -> None:
        raise DatabaseUnavailable("full")

    keyring = rows.keyring()
    with monkeypatch.context() as patch, pytest.raises(DatabaseUnavailable):
        patch.setattr(Database, "write", fail)
        rotating.rotate(rows.database, keyring)
    assert len(rows.keyring().key_ids) == 2
    assert all_know_ada(rows)
    assert rotating.rotate(rows.database, rows.keyring()).resealed == 2


def test_whoever_keeps_a_key_has_it_sealed_anew() -> None:
    package = Path(likeness.__file__).parent
    keepers = {
        path.relative_to(package).parts[0]
        for path in package.rglob("*.py")
        if re.search(r"keyring\.new_data_key\(|\.sealed\(keyring", path.read_text())
    }
    assert keepers == {rewrap.__module__.split(".")[1] for rewrap in REWRAPS}
