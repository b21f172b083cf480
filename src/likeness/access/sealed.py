"""What of access does the installation's key seal? Secrets, and the key of request tokens."""

import logging
from collections import Counter

from sqlalchemy import Connection, select, update

from likeness.access.access_key import AccessKey, SecretId
from likeness.access.keys import count_up, every
from likeness.access.request_tokens import TOKEN_KEY_CONTEXT
from likeness.access.tables import SECRETS, STATE
from likeness.access.vouching import secret_context
from likeness.errors import KeyUnusable
from likeness.secrets import Keyring, key_id_of

_logger = logging.getLogger(__name__)


def rewrap_keys(connection: Connection, keyring: Keyring) -> int:
    """Seal with the installation's newest key what an older one seals; say how many that were.

    Secrets of keys whose rows were changed open for nobody; they are passed over, and lost with the
    key that sealed them.

    Raises:
        KeyUnusable: as for `Keyring.rewrap`.
    """
    rewrapped = 0
    sealed = _sealed_secrets(connection)
    for key in every(connection):
        for one in key.secret_ids:
            rewrapped += _rewrap(connection, keyring, key, one, sealed[one.access_key_id])
    for token_key in _token_key(connection):
        resealed = keyring.rewrap(token_key, TOKEN_KEY_CONTEXT)
        if resealed != token_key:
            connection.execute(update(STATE).values(sealed_token_key=resealed))
            rewrapped += 1
    if rewrapped:
        count_up(connection)  # who could not open a secret just now tries again
    return rewrapped


def counts_by_key(connection: Connection) -> Counter[str]:
    """Count what is sealed, by the id of the installation's key that seals it."""
    secrets = _sealed_secrets(connection).values()
    return Counter(key_id_of(one) for one in [*secrets, *_token_key(connection)])


def _rewrap(
    connection: Connection, keyring: Keyring, key: AccessKey, one: SecretId, sealed: bytes
) -> bool:
    """Seal one secret with the newest key, unless that has sealed it."""
    try:
        resealed = keyring.rewrap(sealed, secret_context(key, one))
    except KeyUnusable:
        if key_id_of(sealed) not in keyring.key_ids:
            raise
        _logger.warning("access key %s stays refused: its rows were changed", one.access_key_id)
        return False
    if resealed == sealed:
        return False
    chosen = update(SECRETS).where(SECRETS.c.access_key_id == one.access_key_id)
    connection.execute(chosen.values(sealed_secret=resealed))
    return True


def _sealed_secrets(connection: Connection) -> dict[str, bytes]:
    chosen = select(SECRETS.c.access_key_id, SECRETS.c.sealed_secret)
    return {row.access_key_id: row.sealed_secret for row in connection.execute(chosen)}


def _token_key(connection: Connection) -> list[bytes]:
    """Give the one there is, or none."""
    sealed = connection.execute(select(STATE.c.sealed_token_key)).scalar_one()
    return [] if sealed is None else [sealed]
