"""Passwords and one-time codes of those who sign in to the console, beside their access keys.

Who signs in is the holder of an access key, with that key's role and grant. A password is kept as
Argon2id makes it (RFC 9106, second recommended option), sealed for its key together with the secret
of one-time codes (RFC 6238: SHA-1, six digits, 30 seconds). A code holds one step before and after
its own, and once.
"""

import base64
import hmac
import json
import logging
import secrets
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import Column, Connection, ForeignKey, LargeBinary, Table, delete, insert, select

from likeness.access.access_keys import KEYS, AccessKey, open_secrets
from likeness.errors import InvalidRequest, KeyUnusable
from likeness.secrets import Keyring, key_id_of
from likeness.storage import METADATA, Identifier, Instant

LEAST_CHARACTERS, MOST_CHARACTERS = 12, 256
_LEAST_DIFFERENT, _LEAST_OF_NAME = 5, 4
_DRAWN_WORDS, _DRAWN_LETTERS = 5, 4
# Without those that are taken for one another.
_DRAWN_FROM = "abcdefghjkmnpqrstuvwxyz23456789"
_STEP_S, _DIGITS, _CODE_SECRET_BYTES = 30, 6, 20

_logger = logging.getLogger(__name__)

PASSWORDS = Table(
    "access_passwords",
    METADATA,
    Column("key_id", Identifier, ForeignKey(KEYS.c.id), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("changed_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Password:
    """What a key's holder signs in with, sealed; `last_step` is that of the last code taken."""

    hashed: str
    code_secret: str | None = None
    last_step: int = 0


def check_password(password: str, name: str) -> None:
    """Refuse what is guessed easily (after NIST SP 800-63B).

    Raises:
        InvalidRequest: it is too short or too long, holds the name or Likeness's, or is a few
            characters again and again.
    """
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise InvalidRequest(
            f"A password of {len(password)} characters. Choose {LEAST_CHARACTERS} to"
            f" {MOST_CHARACTERS}; a few words will do."
        )
    names = [one for one in (name.casefold(), "likeness") if len(one) >= _LEAST_OF_NAME]
    if len(set(password)) < _LEAST_DIFFERENT or any(one in password.casefold() for one in names):
        raise InvalidRequest(
            "This password is guessed easily: it holds the name or Likeness's, or few different"
            " characters. Choose other words."
        )


def hash_password(password: str) -> str:
    """Make of a password what is kept; takes a tenth of a second and 64 MiB on purpose."""
    return _hasher().hash(_as_typed_anywhere(password))


def draw_password() -> str:
    """Draw a password of 99 bits, to be read out and typed."""
    words = (
        "".join(secrets.choice(_DRAWN_FROM) for _ in range(_DRAWN_LETTERS))
        for _ in range(_DRAWN_WORDS)
    )
    return "-".join(words)


def is_right(password: str, kept: Password | None) -> bool:
    """Say whether a password is the one kept; takes as long where there is none."""
    if len(password) > MOST_CHARACTERS:  # which nobody's is, and some texts grow when normalised
        password, kept = "", None
    try:
        _hasher().verify(_nobodys() if kept is None else kept.hashed, _as_typed_anywhere(password))
    except (InvalidHashError, VerificationError):
        return False
    return kept is not None


def read(connection: Connection, keyring: Keyring, key: AccessKey) -> Password | None:
    """Give what a key's holder signs in with; None where they have no password.

    Raises:
        KeyUnusable: what sealed it is gone, or the row was changed.
    """
    row = connection.execute(select(PASSWORDS).where(PASSWORDS.c.key_id == key.id)).first()
    if row is None:
        return None
    return Password(**json.loads(keyring.unseal(row.sealed, _context(key.id))))


def write(
    connection: Connection, keyring: Keyring, key: AccessKey, password: Password, now: datetime
) -> None:
    """Have a key's holder sign in with this from now on."""
    content = {
        "hashed": password.hashed,
        "code_secret": password.code_secret,
        "last_step": password.last_step,
    }
    sealed = keyring.seal(json.dumps(content).encode(), _context(key.id))
    connection.execute(delete(PASSWORDS).where(PASSWORDS.c.key_id == key.id))
    connection.execute(insert(PASSWORDS).values(key_id=key.id, sealed=sealed, changed_at=now))


def remove(connection: Connection, key_id: UUID) -> None:
    """Let a key's holder sign in with no password any more."""
    connection.execute(delete(PASSWORDS).where(PASSWORDS.c.key_id == key_id))


def holders(connection: Connection) -> frozenset[UUID]:
    """List the keys whose holders have a password."""
    return frozenset(connection.execute(select(PASSWORDS.c.key_id)).scalars())


def new_code_secret() -> str:
    """Draw the secret of one-time codes, in base 32, as authenticator apps take it."""
    return base64.b32encode(secrets.token_bytes(_CODE_SECRET_BYTES)).decode()


def is_code_secret(text: str) -> bool:
    """Say whether a text is the secret of one-time codes, as `new_code_secret` draws them."""
    try:
        return len(base64.b32decode(text)) == _CODE_SECRET_BYTES
    except ValueError:
        return False


def code_address(name: str, secret: str) -> str:
    """Give what authenticator apps read: a key URI."""
    return _codes(secret).get_provisioning_uri(name, "Likeness")


def taken(password: Password, code: str, now: datetime) -> Password | None:
    """Give the password after a code was taken; None where the code is wrong or was taken before.

    Without a secret of codes, none is needed.
    """
    if password.code_secret is None:
        return password
    if not is_code_secret(password.code_secret):
        return None
    code, codes = "".join(code.split()), _codes(password.code_secret)
    present = int(now.timestamp()) // _STEP_S
    for step in (present - 1, present, present + 1):
        expected = codes.generate(step * _STEP_S)
        if hmac.compare_digest(expected, code.encode()) and step > password.last_step:
            return replace(password, last_step=step)
    return None


def _codes(secret: str) -> TOTP:
    # RFC 6238's usual parameters, which every authenticator app takes.
    return TOTP(base64.b32decode(secret), _DIGITS, SHA1(), _STEP_S)  # noqa: S303


def has_secret(
    connection: Connection, keyring: Keyring, key: AccessKey, access_key_id: str, secret: str
) -> bool:
    """Say whether a secret is a key's, by what a request would name it by."""
    with suppress(KeyUnusable):
        kept = open_secrets(connection, keyring, key).get(access_key_id)
        return kept is not None and hmac.compare_digest(kept, secret.encode())
    return False


def rewrap_passwords(connection: Connection, keyring: Keyring) -> int:
    """Seal with the installation's newest key what an older one seals; say how many that were.

    Raises:
        KeyUnusable: as for `Keyring.rewrap`.
    """
    count = 0
    for row in connection.execute(select(PASSWORDS)).all():
        try:
            resealed = keyring.rewrap(row.sealed, _context(row.key_id))
        except KeyUnusable:
            if key_id_of(row.sealed) not in keyring.key_ids:
                raise
            _logger.warning("the password beside access key %s was changed: unusable", row.key_id)
            continue
        if resealed != row.sealed:
            chosen = PASSWORDS.update().where(PASSWORDS.c.key_id == row.key_id)
            connection.execute(chosen.values(sealed=resealed))
            count += 1
    return count


def sealed_passwords(connection: Connection) -> list[bytes]:
    """Give every password as it is sealed."""
    return list(connection.execute(select(PASSWORDS.c.sealed)).scalars())


def _context(key_id: UUID) -> bytes:
    return b"password beside access key " + key_id.hex.encode()


def _as_typed_anywhere(password: str) -> str:
    # Keyboards of different machines write one letter as one or as two characters.
    return unicodedata.normalize("NFKC", password)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash(secrets.token_hex())
