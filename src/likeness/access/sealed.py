"""What of access does the installation's key seal? Secrets, and the key of request tokens."""

from collections import Counter

from sqlalchemy import Connection, select, update

from likeness.access.keys import count_up, secret_context
from likeness.access.request_tokens import TOKEN_KEY_CONTEXT
from likeness.access.tables import SECRETS, STATE
from likeness.secrets import Keyring, key_id_of


def rewrap_keys(connection: Connection, keyring: Keyring) -> int:
    """Seal with the installation's newest key what an older one seals; say how many that were.

    Raises:
        KeyUnusable: as for `Keyring.rewrap`.
    """
    rewrapped = 0
    columns = [SECRETS.c[name] for name in ("access_key_id", "key_id", "sealed_secret")]
    for row in connection.execute(select(*columns)).all():
        sealed = keyring.rewrap(row.sealed_secret, secret_context(row.key_id, row.access_key_id))
        if sealed != row.sealed_secret:
            chosen = update(SECRETS).where(SECRETS.c.access_key_id == row.access_key_id)
            connection.execute(chosen.values(sealed_secret=sealed))
            rewrapped += 1
    for token_key in _token_key(connection):
        sealed = keyring.rewrap(token_key, TOKEN_KEY_CONTEXT)
        if sealed != token_key:
            connection.execute(update(STATE).values(sealed_token_key=sealed))
            rewrapped += 1
    if rewrapped:
        count_up(connection)  # who could not open a secret just now tries again
    return rewrapped


def counts_by_key(connection: Connection) -> Counter[str]:
    """Count what is sealed, by the id of the installation's key that seals it."""
    secrets = connection.execute(select(SECRETS.c.sealed_secret)).scalars()
    return Counter(key_id_of(one) for one in [*secrets, *_token_key(connection)])


def _token_key(connection: Connection) -> list[bytes]:
    """Give the one there is, or none."""
    sealed = connection.execute(select(STATE.c.sealed_token_key)).scalar_one()
    return [] if sealed is None else [sealed]
