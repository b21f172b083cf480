"""What vouches for a key's rows: its secrets, each sealed for all that is said of it and its key.

Where a row was changed by anybody who cannot seal, the secret opens no more, and the key is
refused. An older copy of the same rows, put back as a whole, is not told from them.
"""

import json
from collections.abc import Mapping

from sqlalchemy import Connection, select, update

from likeness.access.access_key import AccessKey, SecretId
from likeness.access.tables import SECRETS
from likeness.errors import KeyUnusable
from likeness.secrets import Keyring


def open_secrets(connection: Connection, keyring: Keyring, key: AccessKey) -> dict[str, bytes]:
    """Open a key's secrets, by what requests name them by; so its rows are proven, too.

    Raises:
        KeyUnusable: what sealed one is gone, a row was changed, or the key has no secret.
    """
    rows = connection.execute(select(SECRETS).where(SECRETS.c.key_id == key.id))
    sealed = {row.access_key_id: row.sealed_secret for row in rows}
    if not sealed:
        raise KeyUnusable(
            f"Access key {key.id} has no secret that vouches for it. Restore it from a backup, or"
            " make another key."
        )
    return {
        one.access_key_id: opened_secret(keyring, key, one, sealed[one.access_key_id])
        for one in key.secret_ids
    }


def opened_secret(keyring: Keyring, key: AccessKey, one: SecretId, sealed: bytes) -> bytes:
    """Open one secret of a key.

    Raises:
        KeyUnusable: what sealed it is gone, or a row was changed.
    """
    try:
        return keyring.unseal(sealed, secret_context(key, one))
    except KeyUnusable as error:
        raise KeyUnusable(
            f"The rows of access key {one.access_key_id} were changed, or what sealed its secret is"
            " gone. Restore them from a backup, or disable it and make another."
        ) from error


def is_as_written(connection: Connection, keyring: Keyring, key: AccessKey) -> bool:
    """Whether a key's rows are those that Likeness wrote."""
    try:
        open_secrets(connection, keyring, key)
    except KeyUnusable:
        return False
    return True


def seal_secrets(
    connection: Connection, keyring: Keyring, key: AccessKey, opened: Mapping[str, bytes]
) -> None:
    """Seal those of some secrets that a key still has for what its rows say now."""
    for one in key.secret_ids:
        if one.access_key_id in opened:
            sealed = keyring.seal(opened[one.access_key_id], secret_context(key, one))
            chosen = update(SECRETS).where(SECRETS.c.access_key_id == one.access_key_id)
            connection.execute(chosen.values(sealed_secret=sealed))


def secret_context(key: AccessKey, one: SecretId) -> bytes:
    """Say what a sealed secret vouches for: all that the rows say."""
    grant, moments = key.grant, (key.created_at, key.disabled_at, one.ends_at)
    said = [
        key.id.hex,
        key.name,
        grant.role.value,
        grant.organisation,
        grant.sector,
        grant.jurisdiction,
        grant.purposes,
        key.created_by,
        one.access_key_id,
        *(moment and moment.isoformat() for moment in moments),
    ]
    return b"secret and grant of access key " + json.dumps(said).encode()
