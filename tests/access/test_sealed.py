"""What the installation's key seals of access: sealed anew when that key is rotated."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from likeness.access import Grant, IssuedSecret, KnownKeys, RequestTokens, keys, sealed
from likeness.access.tables import KEYS, SECRETS
from likeness.errors import KeyUnusable
from likeness.secrets import KeyFiles, Keyring
from likeness.service.govern.rotate_keys import other_secrets_by_key
from likeness.storage import Database
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
    database.write(lambda c: tokens.keep(c, *request, b"{}"))
    # A server that has read the keys already, with a keyring of its own.
    server = KnownKeys(database, Keyring(KeyFiles(tmp_path / "keys")), clock)
    assert server.find(issued.access_key_id) is not None
    (old,) = keyring.key_ids
    assert database.read(sealed.counts_by_key) == {old: 2}

    rotation = rotating.rotate(database, keyring)

    assert (rotation.resealed, rotation.destroyed) == (2, (old,))
    assert database.read(other_secrets_by_key) == {rotation.newest: 2}
    assert database.write(lambda c: tokens.claim(c, *request)) == b"{}"
    clock.go(seconds=0.5)
    for known in (server, KnownKeys(database, Keyring(KeyFiles(tmp_path / "keys")), clock)):
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


def loosen(database: Database, keyring: Keyring, issued: IssuedSecret) -> None:
    """Seal a secret as Likeness did before secrets vouched for what rows say."""
    place = issued.access_key_id
    context = b"secret of access key " + issued.key.id.bytes + place.encode()

    def act(connection: Connection) -> None:
        chosen = update(SECRETS).where(SECRETS.c.access_key_id == place)
        sealed = keyring.seal(issued.secret.encode(), context)
        connection.execute(chosen.values(sealed_secret=sealed))

    database.write(act)


def bind(database: Database, keyring: Keyring) -> int:
    """Bind older secrets as the first start does; say of how many keys."""
    if not database.read(lambda c: sealed.has_older_secrets(c, keyring)):
        return 0
    return database.write(lambda c: sealed.bind_older_secrets(c, keyring))


def test_keys_of_an_older_likeness_are_bound_once_to_what_their_rows_say(
    make: Make, database: Database, keyring: Keyring, clock: Clock
) -> None:
    issued = [make("desk"), make("other")]
    for one in issued:
        loosen(database, keyring, one)
    with pytest.raises(KeyUnusable):
        KnownKeys(database, keyring, clock).find(issued[0].access_key_id)

    assert bind(database, keyring) == 2
    for one in issued:
        found = KnownKeys(database, keyring, clock).find(one.access_key_id)
        assert found is not None
        assert found.secret == one.secret
    assert bind(database, keyring) == 0


def test_an_older_copy_of_a_row_among_bound_ones_is_not_bound(
    make: Make, database: Database, keyring: Keyring, clock: Clock
) -> None:
    older, other = make("desk"), make("other")
    loosen(database, keyring, older)
    database.write(
        lambda c: c.execute(update(KEYS).where(KEYS.c.name == "desk").values(role="admin"))
    )

    bind(database, keyring)

    known = KnownKeys(database, keyring, clock)
    assert known.find(other.access_key_id) is not None
    with pytest.raises(KeyUnusable):
        known.find(older.access_key_id)


def test_once_the_installations_key_was_rotated_older_copies_of_all_rows_open_nothing(
    make: Make, database: Database, keyring: Keyring, clock: Clock
) -> None:
    issued = make("desk")
    loosen(database, keyring, issued)
    (copy,) = database.read(lambda c: c.execute(SECRETS.select()).all())
    bind(database, keyring)
    rotating.rotate(database, keyring)

    database.write(lambda c: c.execute(update(SECRETS).values(sealed_secret=copy.sealed_secret)))
    bind(database, keyring)

    with pytest.raises(KeyUnusable):
        KnownKeys(database, keyring, clock).find(issued.access_key_id)


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
    known = KnownKeys(database, keyring, clock)
    assert known.find(other.access_key_id) is not None
    with pytest.raises(KeyUnusable):
        known.find(changed.access_key_id)
