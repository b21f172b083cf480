"""Makes, changes and finds access keys, as functions over a connection.

A key is a holder, what they may be trusted with, and secrets to sign with. It stays the same
principal when its secret is rotated. Whatever changes a key counts the revision up, by which
servers that hold keys in memory know to read them again.

Secrets vouch for what the rows say: `access_keys` has how.
"""

import json
import logging
import secrets
import string
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection, delete, insert, or_, select, update

from likeness.access.access_keys import (
    KEYS,
    SECRETS,
    STATE,
    AccessKey,
    BrokenKey,
    Grant,
    SecretId,
    check_line,
    list_keys,
    open_secrets,
    seal_secrets,
    sealed_secrets,
    secret_context,
    unusable,
)
from likeness.access.passwords import rewrap_passwords, sealed_passwords
from likeness.access.request_tokens import TOKEN_KEY_CONTEXT
from likeness.access.sessions import end_all_of
from likeness.errors import AlreadyExists, Conflict, InvalidRequest, KeyUnusable, NotFound
from likeness.secrets import Keyring, count_by_key, key_id_of
from likeness.terms import Role

_logger = logging.getLogger(__name__)

# The shape of AWS's, which clients check, and a prefix that is not theirs.
_PREFIX = "LKIA"
_ID_ALPHABET = string.ascii_uppercase + "234567"
_SECRET_ALPHABET = string.ascii_letters + string.digits + "+/"
_ID_CHARACTERS, _SECRET_CHARACTERS = 20, 40
_LONGEST_GRACE_HOURS = 90 * 24


@dataclass(frozen=True, slots=True)
class IssuedSecret:
    """A key and its newest secret, which nobody is shown again."""

    key: AccessKey
    access_key_id: str
    secret: str = field(repr=False)


def create(
    connection: Connection,
    keyring: Keyring,
    name: str,
    grant: Grant,
    *,
    created_by: str,
    now: datetime,
) -> IssuedSecret:
    """Make a key with its first secret.

    Raises:
        InvalidRequest: the name cannot be kept.
        AlreadyExists: there is one of that name.
    """
    check_line(name, "an access key's name")
    if connection.execute(select(KEYS.c.id).where(KEYS.c.name == name)).first():
        raise AlreadyExists(
            f"Access key {name!r} exists. Choose another name, or `likeness keys rotate` for a new"
            " secret."
        )
    key_id = uuid4()
    connection.execute(
        insert(KEYS).values(
            id=key_id,
            name=name,
            role=grant.role.value,
            organisation=grant.organisation,
            sector=grant.sector,
            jurisdiction=grant.jurisdiction,
            purposes=json.dumps(grant.purposes),
            created_at=now,
            created_by=created_by,
        )
    )
    return _issue(connection, keyring, key_id, name, now)


def ensure_first(
    connection: Connection, keyring: Keyring, *, created_by: str, now: datetime
) -> IssuedSecret | None:
    """Make an admin's key where there is no key at all; None where there is one."""
    if connection.execute(select(KEYS.c.id)).first():
        return None
    grant = Grant(role=Role.ADMIN)
    return create(connection, keyring, "first", grant, created_by=created_by, now=now)


def every(connection: Connection) -> list[AccessKey]:
    """List by name the keys that are for something, as the rows say; `open_secrets` proves that."""
    return [one for one in list_keys(connection) if isinstance(one, AccessKey)]


def get(connection: Connection, name: str) -> AccessKey:
    """Find a key by its name.

    Raises:
        NotFound: there is none.
        KeyUnusable: its row says what no key can.
    """
    key = _named(connection, name)
    if isinstance(key, BrokenKey):
        raise unusable(key)
    return key


def disable(
    connection: Connection,
    keyring: Keyring,
    name: str,
    *,
    now: datetime,
    last_admin_too: bool = False,
) -> AccessKey | BrokenKey:
    """Let a key be refused from now on; one that is refused already stays so. Its sessions end.

    One whose rows were changed from outside, broken or not, is never let in again.

    Raises:
        NotFound: there is none of that name.
        Conflict: no admin's key would be left.
    """
    key = _named(connection, name)
    if key.disabled_at is None:
        admins = [one.id for one in every(connection) if one.is_admin]
        if not last_admin_too and admins == [key.id]:
            raise Conflict(
                f"{name!r} is the last enabled key of an admin: without one nobody changes rules or"
                " keys but at this machine's command line. Make another first, or give --yes there."
            )
        opened: dict[str, bytes] = {}
        with suppress(KeyUnusable):
            opened = open_secrets(connection, keyring, get(connection, name))
        _set_disabled(connection, keyring, name, now, opened)
        end_all_of(connection, key.id)
    return _named(connection, name)


def enable(connection: Connection, keyring: Keyring, name: str) -> AccessKey:
    """Let a key be used again.

    Raises:
        NotFound: there is none of that name.
        KeyUnusable: as for `get` and `open_secrets`.
    """
    key = get(connection, name)
    if key.disabled_at is not None:
        opened = open_secrets(connection, keyring, key)
        _set_disabled(connection, keyring, name, None, opened)
    return get(connection, name)


def rotate(
    connection: Connection, keyring: Keyring, name: str, *, grace_hours: int, now: datetime
) -> IssuedSecret:
    """Give a key a new secret; older ones end after the grace, or when they were to end before.

    Without a grace sessions of its holder end, too.

    Raises:
        NotFound: there is none of that name.
        InvalidRequest: the grace is negative or too long.
        KeyUnusable: as for `get` and `open_secrets`; a new secret would vouch for what
            was changed.
    """
    if not 0 <= grace_hours <= _LONGEST_GRACE_HOURS:
        raise InvalidRequest(f"Not a grace: {grace_hours} hours. Give 0 to {_LONGEST_GRACE_HOURS}.")
    key = get(connection, name)
    opened = open_secrets(connection, keyring, key)
    of_key = SECRETS.c.key_id == key.id
    ends_at = now + timedelta(hours=grace_hours)
    later = or_(SECRETS.c.ends_at.is_(None), SECRETS.c.ends_at > ends_at)
    connection.execute(update(SECRETS).where(of_key, later).values(ends_at=ends_at))
    connection.execute(delete(SECRETS).where(of_key, SECRETS.c.ends_at <= now))
    seal_secrets(connection, keyring, get(connection, name), opened)
    if not grace_hours:
        end_all_of(connection, key.id)
    return _issue(connection, keyring, key.id, name, now)


def count_up(connection: Connection) -> None:
    """Have servers read the keys again."""
    connection.execute(update(STATE).values(revision=STATE.c.revision + 1))


def _set_disabled(
    connection: Connection,
    keyring: Keyring,
    name: str,
    at: datetime | None,
    opened: Mapping[str, bytes],
) -> None:
    """Change since when a key is disabled; its opened secrets vouch for what the row says then."""
    connection.execute(update(KEYS).where(KEYS.c.name == name).values(disabled_at=at))
    if opened:
        seal_secrets(connection, keyring, get(connection, name), opened)
    count_up(connection)


def _issue(
    connection: Connection, keyring: Keyring, key_id: UUID, name: str, now: datetime
) -> IssuedSecret:
    access_key_id = _PREFIX + _drawn(_ID_ALPHABET, _ID_CHARACTERS - len(_PREFIX))
    secret = _drawn(_SECRET_ALPHABET, _SECRET_CHARACTERS)
    context = secret_context(get(connection, name), SecretId(access_key_id, None))
    connection.execute(
        insert(SECRETS).values(
            access_key_id=access_key_id,
            key_id=key_id,
            sealed_secret=keyring.seal(secret.encode(), context),
            created_at=now,
        )
    )
    count_up(connection)
    return IssuedSecret(get(connection, name), access_key_id, secret)


def _named(connection: Connection, name: str) -> AccessKey | BrokenKey:
    for key in list_keys(connection):
        if key.name == name:
            return key
    raise NotFound(f"No such access key {name!r}. `likeness keys list` shows what there is.")


def _drawn(alphabet: str, count: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(count))


def rewrap_keys(connection: Connection, keyring: Keyring) -> int:
    """Seal with the installation's newest key what an older one seals; say how many that were.

    Secrets of keys whose rows were changed open for nobody; they are passed over, and lost with the
    key that sealed them.

    Raises:
        KeyUnusable: as for `Keyring.rewrap`.
    """
    rewrapped = 0
    sealed = sealed_secrets(connection)
    for key in every(connection):
        for one in key.secret_ids:
            rewrapped += _rewrap(connection, keyring, key, one, sealed[one.access_key_id])
    for token_key in _token_key(connection):
        resealed = keyring.rewrap(token_key, TOKEN_KEY_CONTEXT)
        if resealed != token_key:
            connection.execute(update(STATE).values(sealed_token_key=resealed))
            rewrapped += 1
    rewrapped += rewrap_passwords(connection, keyring)
    if rewrapped:
        count_up(connection)  # who could not open a secret just now tries again
    return rewrapped


def counts_by_key(connection: Connection) -> Counter[str]:
    """Count what is sealed, by the id of the installation's key that seals it."""
    secrets = sealed_secrets(connection).values()
    return count_by_key([*secrets, *sealed_passwords(connection), *_token_key(connection)])


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


def _token_key(connection: Connection) -> list[bytes]:
    """Give the sealed key of request tokens, if there is one."""
    sealed = connection.execute(select(STATE.c.sealed_token_key)).scalar_one()
    return [] if sealed is None else [sealed]
