"""What the installation's key seals of access: sealed anew when that key is rotated."""

from pathlib import Path

from likeness.access import Grant, KnownKeys, RequestTokens, keys, sealed
from likeness.secrets import KeyFiles, Keyring
from likeness.service.rotate_keys import other_secrets_by_key
from likeness.storage import Database
from likeness.terms.use import Principal, Role
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
