"""Sessions of people who signed in: who has a token is the holder of its key, for a while.

A token is 256 random bits, kept as a keyed digest. A second one proves whose session it is and when
it began, so that whoever can write rows alone makes none. A session ends after half an hour without
use, after twelve hours in any case, and when its holder signs out; all of a holder end when their
password changes, their key is disabled, or its secret is replaced at once.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    LargeBinary,
    Table,
    delete,
    insert,
    or_,
    select,
    update,
)

from likeness.access.access_keys import KEYS
from likeness.access.request_tokens import find_token_key, make_token_key
from likeness.secrets import Digester, Key, Keyring
from likeness.storage import METADATA, Identifier, Instant

IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=12)
# A session that is used is written to once in this time.
_NOTED_EVERY = timedelta(minutes=1)

SESSIONS = Table(
    "access_sessions",
    METADATA,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("key_id", Identifier, ForeignKey(KEYS.c.id), nullable=False, index=True),
    Column("proof", LargeBinary(32), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Session:
    """Whose session it is; `is_stale` where it is to be noted that it is used."""

    key_id: UUID
    is_stale: bool


def begin(connection: Connection, keyring: Keyring, key_id: UUID, now: datetime) -> str:
    """Begin a session of a key's holder; gives its token, which nobody is told again."""
    sweep(connection, now)
    key, token = make_token_key(connection, keyring), secrets.token_urlsafe(32)
    digest = _digest(key, token)
    row = {
        "digest": digest,
        "key_id": key_id,
        "proof": _proof(key, digest, key_id, now),
        "created_at": now,
        "seen_at": now,
    }
    connection.execute(insert(SESSIONS).values(row))
    return token


def find(connection: Connection, keyring: Keyring, token: str, now: datetime) -> Session | None:
    """Find the session of a token; None where there is none, it is over, or its row is not ours."""
    if (key := find_token_key(connection, keyring)) is None:
        return None
    digest = _digest(key, token)
    row = connection.execute(select(SESSIONS).where(SESSIONS.c.digest == digest)).first()
    if row is None or not (
        row.seen_at > now - IDLE
        and row.created_at > now - LONGEST
        and hmac.compare_digest(row.proof, _proof(key, digest, row.key_id, row.created_at))
    ):
        return None
    return Session(row.key_id, row.seen_at <= now - _NOTED_EVERY)


def note(connection: Connection, keyring: Keyring, token: str, now: datetime) -> None:
    """Note that a session is used."""
    if (key := find_token_key(connection, keyring)) is not None:
        chosen = update(SESSIONS).where(SESSIONS.c.digest == _digest(key, token))
        connection.execute(chosen.values(seen_at=now))


def end(connection: Connection, keyring: Keyring, token: str) -> None:
    """End a session."""
    if (key := find_token_key(connection, keyring)) is not None:
        connection.execute(delete(SESSIONS).where(SESSIONS.c.digest == _digest(key, token)))


def end_all_of(connection: Connection, key_id: UUID) -> None:
    """End all sessions of a key's holder."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.key_id == key_id))


def sweep(connection: Connection, now: datetime) -> None:
    """Remove sessions that are over; for when nobody comes who would."""
    over = or_(SESSIONS.c.seen_at <= now - IDLE, SESSIONS.c.created_at <= now - LONGEST)
    connection.execute(delete(SESSIONS).where(over))


def _digest(key: Key, token: str) -> bytes:
    return Digester(key, "session").digest(token.encode())


def _proof(key: Key, digest: bytes, key_id: UUID, created_at: datetime) -> bytes:
    said = digest + key_id.bytes + created_at.astimezone(UTC).isoformat().encode()
    return Digester(key, "holder of a session").digest(said)
