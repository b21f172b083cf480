"""Sessions of people who signed in: who has a token is the holder of its key, for a while.

A token is 256 random bits, and only its SHA-256 is kept. A session ends after half an hour without
use, after twelve hours in any case, when its holder signs out or their password changes, and counts
for nothing while their key is disabled.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
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
from likeness.storage import METADATA, Identifier, Instant

IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=12)
# A session that is used is written to once in this time.
_NOTED_EVERY = timedelta(minutes=1)

SESSIONS = Table(
    "access_sessions",
    METADATA,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("key_id", Identifier, ForeignKey(KEYS.c.id), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Session:
    """Whose session it is; `is_stale` where it is to be noted that it is used."""

    key_id: UUID
    is_stale: bool


def begin(connection: Connection, key_id: UUID, now: datetime) -> str:
    """Begin a session of a key's holder; gives its token, which nobody is told again."""
    over = or_(SESSIONS.c.seen_at <= now - IDLE, SESSIONS.c.created_at <= now - LONGEST)
    connection.execute(delete(SESSIONS).where(over))
    token = secrets.token_urlsafe(32)
    row = {"digest": _digest(token), "key_id": key_id, "created_at": now, "seen_at": now}
    connection.execute(insert(SESSIONS).values(row))
    return token


def find(connection: Connection, token: str, now: datetime) -> Session | None:
    """Find the session of a token; None where there is none, or it is over."""
    row = connection.execute(select(SESSIONS).where(SESSIONS.c.digest == _digest(token))).first()
    if row is None or row.seen_at <= now - IDLE or row.created_at <= now - LONGEST:
        return None
    return Session(row.key_id, row.seen_at <= now - _NOTED_EVERY)


def note(connection: Connection, token: str, now: datetime) -> None:
    """Note that a session is used."""
    chosen = update(SESSIONS).where(SESSIONS.c.digest == _digest(token))
    connection.execute(chosen.values(seen_at=now))


def end(connection: Connection, token: str) -> None:
    """End a session."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.digest == _digest(token)))


def end_all_of(connection: Connection, key_id: UUID) -> None:
    """End all sessions of a key's holder."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.key_id == key_id))


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
