"""Access keys: who holds one, what vouches for their rows, and which are known at a moment.

**Roles** say what a holder may do at all (`may`), before policy decides about a use.

**Rows.** A key's name is in the clear, as a collection's is: an operator's label, which no log and
no entry of the ledger holds. What vouches for a key's rows are its secrets, each sealed for all
that is said of it and its key. Where a row was changed by anybody who cannot seal, the secret opens
no more, and the key is refused. An older copy of the same rows, put back as a whole, is not told
from them.

**In memory** keys are never older than a moment, and say whose secret signs a request:

1. A key made, changed or disabled by another program counts within half a second: `Freshness` sees
   to it; one that was just made counts sooner. The revision says whether anything changed.
2. A secret ends when its time has come, whatever was read before.
3. Where the database cannot be read, nobody is known: `find` raises.
4. A key whose rows were changed by somebody who cannot seal is refused, it alone, and the log says
   so.
"""

import json
import logging
import re
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    select,
    update,
)

from likeness.errors import InvalidRequest, KeyUnusable
from likeness.secrets import Keyring
from likeness.storage import METADATA, Freshness, Identifier, Instant
from likeness.terms import UNDECLARED, Action, Principal, Role

_LONGEST_LINE = 255
_LONGEST_WORDS = 64
_WORDS = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,10}){0,3}", re.ASCII)
_MOST_PURPOSES = 32

_EVERYTHING = frozenset(Action)
# Consent that makes a use lawful, and rules themselves, are not for those who use them.
_ADMINS_ALONE = frozenset({Action.AUTHORISE, Action.GOVERN})
_ALLOWED = {
    Role.ADMIN: _EVERYTHING,
    Role.OPERATOR: _EVERYTHING - _ADMINS_ALONE,
    Role.REVIEWER: frozenset({Action.REVIEW, Action.READ}),
    # Reads the ledger and reports; sees no faces.
    Role.AUDITOR: frozenset({Action.AUDIT}),
    Role.CLIENT: frozenset(
        {
            Action.DETECT,
            Action.COMPARE,
            Action.SEARCH,
            Action.ENROL,
            Action.READ,
            Action.ERASE,
            Action.ARRANGE,
        }
    ),
}

_logger = logging.getLogger(__name__)

# Who comes with a key that was just made is looked for again; guesses cost few reads a second.
_UNKNOWN_S = 0.02

KEYS = Table(
    "access_keys",
    METADATA,
    Column("id", Identifier, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("role", String, nullable=False),
    Column("organisation", String(255), nullable=False),
    Column("sector", String, nullable=False),
    Column("jurisdiction", String, nullable=False),
    # JSON: a list of words, the first is in force where a use chooses none.
    Column("purposes", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String, nullable=False),
    Column("disabled_at", Instant),
    UniqueConstraint("name"),
)

# A key's newest secret has no end; older ones are there only while a rotation lets them live on.
SECRETS = Table(
    "access_secrets",
    METADATA,
    Column("access_key_id", String(20), primary_key=True),
    Column("key_id", Identifier, ForeignKey(KEYS.c.id), nullable=False, index=True),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("ends_at", Instant),
)

# One row. The revision counts up with every change to a key, so that servers see it soon.
STATE = Table(
    "access_state",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
    # Made when the first token comes; digests tokens, sessions and guesses, and seals what was
    # answered.
    Column("sealed_token_key", LargeBinary),
)


def may(role: Role, action: Action) -> bool:
    """Say whether a role may do this at all, before policy decides about the use itself.

    Tags that start with `likeness:` take `GOVERN`.
    """
    return action in _ALLOWED[role]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key's holder is, and which purposes they may choose among.

    Which sectors, jurisdictions and purposes mean something is policy's matter; here only their
    shape is held to.

    Raises:
        InvalidRequest: a value has another shape.
    """

    role: Role = Role.CLIENT
    organisation: str = UNDECLARED
    sector: str = UNDECLARED
    jurisdiction: str = UNDECLARED
    purposes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no rule could be about."""
        check_line(self.organisation, "an organisation")
        _check_words(self.sector, "a sector", "law-enforcement")
        if self.jurisdiction != UNDECLARED and not _JURISDICTION.fullmatch(self.jurisdiction):
            raise InvalidRequest(
                f"Not a jurisdiction: {self.jurisdiction!r}. Write a country's two capital letters"
                " and, where wanted, its parts, such as US-WA."
            )
        for purpose in self.purposes:
            _check_words(purpose, "a purpose", "missing-persons")
        if len(self.purposes) > _MOST_PURPOSES or len(set(self.purposes)) < len(self.purposes):
            raise InvalidRequest(
                f"{len(self.purposes)} purposes, or one of them twice. Give at most"
                f" {_MOST_PURPOSES}, each once."
            )


@dataclass(frozen=True, slots=True)
class SecretId:
    """What a request names its secret by; `ends_at` is None where no end is set."""

    access_key_id: str
    ends_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeyRow:
    """A key's row and its secrets, newest first.

    `created_by` is a principal's id, `disabled_at` None while the key may be used.
    """

    id: UUID
    name: str
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    secret_ids: tuple[SecretId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey(_KeyRow):
    """A holder that may call."""

    grant: Grant

    @property
    def is_admin(self) -> bool:
        """Whether its holder may change rules and keys now."""
        return self.grant.role is Role.ADMIN and self.disabled_at is None

    @property
    def principal(self) -> Principal:
        """Whom its requests come from."""
        grant = self.grant
        return Principal(
            f"key:{self.id}",
            grant.role,
            grant.organisation,
            grant.sector,
            grant.jurisdiction,
            grant.purposes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenKey(_KeyRow):
    """A key whose row says what no key can, so that it is for nothing."""


def check_line(text: str, what: str) -> None:
    """Refuse a text that does not fit on one line.

    Raises:
        InvalidRequest: it is empty, too long, or holds a control character.
    """
    if not 1 <= len(text) <= _LONGEST_LINE or not text.isprintable() or text != text.strip():
        raise InvalidRequest(
            f"Not {what}: {len(text)} characters. Choose 1 to {_LONGEST_LINE} printable ones, no"
            " space first or last."
        )


def _check_words(value: str, what: str, example: str) -> None:
    if len(value) > _LONGEST_WORDS or not _WORDS.fullmatch(value):
        raise InvalidRequest(
            f"Not {what}: {value[:_LONGEST_WORDS]!r}. Write lower-case words with hyphens, at most"
            f" {_LONGEST_WORDS} characters, such as {example}."
        )


def list_keys(connection: Connection, key_id: UUID | None = None) -> list[AccessKey | BrokenKey]:
    """List all keys by name, those also whose row was broken, so that one hides no other.

    With an id, that key alone.
    """
    secret_ids: dict[UUID, list[SecretId]] = defaultdict(list)
    columns = [SECRETS.c[name] for name in ("key_id", "access_key_id", "ends_at")]
    newest_first = (SECRETS.c.ends_at.is_not(None), SECRETS.c.created_at.desc())
    chosen, named = select(*columns).order_by(*newest_first), select(KEYS).order_by(KEYS.c.name)
    if key_id is not None:
        chosen, named = chosen.where(SECRETS.c.key_id == key_id), named.where(KEYS.c.id == key_id)
    for row in connection.execute(chosen):
        secret_ids[row.key_id].append(SecretId(row.access_key_id, row.ends_at))
    rows = connection.execute(named)
    return [_key(row, tuple(secret_ids[row.id])) for row in rows]


def _key(row: Row[Any], secret_ids: tuple[SecretId, ...]) -> AccessKey | BrokenKey:
    names = ("id", "name", "created_at", "created_by", "disabled_at")
    said = {name: row._mapping[name] for name in names}
    try:
        purposes = tuple(json.loads(row.purposes))
        grant = Grant(Role(row.role), row.organisation, row.sector, row.jurisdiction, purposes)
    except (InvalidRequest, RecursionError, TypeError, ValueError):
        return BrokenKey(**said, secret_ids=secret_ids)
    return AccessKey(**said, secret_ids=secret_ids, grant=grant)


def unusable(key: BrokenKey) -> KeyUnusable:
    """Say of a broken key what is wrong, and what to do."""
    return KeyUnusable(
        f"The row of access key {key.id} says what no key can. Restore it from a backup, or disable"
        " it and make another."
    )


def sealed_secrets(connection: Connection) -> dict[str, bytes]:
    """Give every secret as it is sealed, by what requests name it by."""
    chosen = select(SECRETS.c.access_key_id, SECRETS.c.sealed_secret)
    return {row.access_key_id: row.sealed_secret for row in connection.execute(chosen)}


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
    """Say whether a key's rows are those that Likeness wrote."""
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


@dataclass(frozen=True, slots=True)
class Credential:
    """What a caller's signature is checked with, and who they are then."""

    secret: str = field(repr=False)
    principal: Principal
    enabled: bool


class KnownKeys:
    """All keys of an installation, in memory; safe to use from many threads."""

    def __init__(
        self, freshness: Freshness, keyring: Keyring, clock: Callable[[], datetime]
    ) -> None:
        self._freshness = freshness
        self._keyring = keyring
        self._clock = clock
        self._revision: int | None = None
        self._guessed_at_s = -_UNKNOWN_S
        # By what requests name a secret by: whose it is, and when it ends.
        self._known: dict[str, tuple[Credential | KeyUnusable, datetime | None]] = {}
        freshness.follow(self._read_what_changed)

    def find(self, access_key_id: str) -> Credential | None:
        """Find whose key that is; None where nobody has it, or its secret has ended.

        Raises:
            Conflict, DatabaseUnavailable: the keys cannot be read.
            KeyUnusable: what sealed this secret is gone, or a row of the key was changed.
        """
        self._freshness.ensure()
        now_s = time.monotonic()
        if access_key_id not in self._known and now_s - self._guessed_at_s >= _UNKNOWN_S:
            # However new the last look is: the key may have been made since.
            self._guessed_at_s = now_s
            self._freshness.ensure(0.0)
        known, ends_at = self._known.get(access_key_id, (None, None))
        if ends_at is not None and ends_at <= self._clock():
            return None
        if isinstance(known, KeyUnusable):
            raise KeyUnusable(str(known))
        return known

    def _read_what_changed(self, connection: Connection) -> None:
        revision = connection.execute(select(STATE.c.revision)).scalar_one()
        if revision == self._revision:
            return
        sealed = sealed_secrets(connection)
        self._known = {
            one.access_key_id: (self._opened(key, one, sealed[one.access_key_id]), one.ends_at)
            for key in list_keys(connection)
            for one in key.secret_ids
        }
        self._revision = revision

    def _opened(
        self, key: AccessKey | BrokenKey, one: SecretId, sealed: bytes
    ) -> Credential | KeyUnusable:
        try:
            if isinstance(key, BrokenKey):
                raise unusable(key)
            secret = opened_secret(self._keyring, key, one, sealed).decode()
        except KeyUnusable as error:
            _logger.error("%s", error)
            return error  # of this key alone
        return Credential(secret, key.principal, enabled=key.disabled_at is None)
