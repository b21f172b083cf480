"""What the installation's key seals of access: sealed anew when that key is rotated."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from likeness.access import Grant, IssuedSecret, KnownKeys, RequestTokens, keys
from likeness.access import keys as sealed
from likeness.access.access_keys import KEYS
from likeness.errors import KeyUnusable
from likeness.secrets import KeyFiles, Keyring
from likeness.service.govern.secrets import sealed_by_key
from likeness.storage import Database, Freshness
from likeness.terms import Principal, Role
from tests.service import rotating

from .conftest import Clock


def test_keys_and_tokens_outlive_the_installations_key(
    database: Database, keyring: Keyring, clock: Clock, tmp_path: Path
) -> None:
    issued = database.write(
        lambda c: keys.create(c, keyring, "desk", Grant(), created_by="local:ada", now=clock())
    )
    request = (Principal("key:ada", Role.CLIENT), "CreateUser", "t", bytes(32))
    tokens = RequestTokens(keyring, clock)
    assert database.write(lambda c: tokens.claim(c, *request)) is None
    database.write(lambda c: tokens.keep(c, *request, response=b"{}"))
    # A server that has read the keys already, with a keyring of its own.
    server = KnownKeys(
        Freshness(database, clock.seconds), Keyring(KeyFiles(tmp_path / "keys")), clock
    )
    assert server.find(issued.access_key_id) is not None
    (old,) = keyring.key_ids
    assert database.read(sealed.counts_by_key) == {old: 2}

    rotation = rotating.rotate(database, keyring)

    assert (rotation.resealed, rotation.destroyed) == (2, (old,))
    assert database.read(sealed_by_key)[1] == {rotation.newest: 2}
    assert database.write(lambda c: tokens.claim(c, *request)) == b"{}"
    clock.go(seconds=0.5)
    for known in (
        server,
        KnownKeys(Freshness(database, clock.seconds), Keyring(KeyFiles(tmp_path / "keys")), clock),
    ):
        found = known.find(issued.access_key_id)
        assert found is not None
        assert found.secret == issued.secret


Make = Callable[[str], IssuedSecret]


@pytest.fixture
def make(database: Database, keyring: Keyring, clock: Clock) -> Make:
    """Make a key."""
    return lambda name: database.write(
        lambda c: keys.create(c, keyring, name, Grant(), created_by="local:ada", now=clock())
    )


def test_a_key_whose_rows_were_changed_keeps_nobody_from_rotating(
    make: Make,
    database: Database,
    keyring: Keyring,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    changed, other = make("changed"), make("other")
    database.write(
        lambda c: c.execute(update(KEYS).where(KEYS.c.name == "changed").values(role="admin"))
    )
    (old,) = keyring.key_ids
    assert rotating.rotate(database, keyring).destroyed == (old,)
    assert f"{changed.access_key_id} stays refused" in caplog.text
    known = KnownKeys(Freshness(database), keyring, clock)
    assert known.find(other.access_key_id) is not None
    with pytest.raises(KeyUnusable):
        known.find(changed.access_key_id)
