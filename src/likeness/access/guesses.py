"""Guesses at passwords: after a few wrong ones, whoever guesses waits, longer each time.

1. Counted are wrong guesses at a name from one address, from an address, and at a name from
   everywhere: some are free, and each one more doubles the wait.
2. Who has signed in from an address within a month is bound by their own guesses from there alone:
   nobody who guesses, from elsewhere or beside them, keeps them out.
3. Names and addresses are kept as keyed digests, guesses for a day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    Table,
    and_,
    delete,
    insert,
    or_,
    select,
)

from likeness.access.request_tokens import find_token_key, make_token_key
from likeness.secrets import Digester, Key, Keyring
from likeness.storage import METADATA, Instant

_KEPT, _KNOWN_FOR = timedelta(days=1), timedelta(days=30)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 30.0, 900.0
# How many wrong guesses are free: of a name from one address, from an address, at a name.
_FREE = {"both": 5, "address": 20, "name": 50}
_KNOWN = "known"

# One without failures says that somebody has signed in from an address.
GUESSES = Table(
    "access_guesses",
    METADATA,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Instant, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Guesser:
    """Whoever tries to sign in: as whom, and from where."""

    name: str
    address: str


def wait_s(connection: Connection, keyring: Keyring, who: Guesser, now: datetime) -> float:
    """Say how many seconds somebody has to wait before they may guess again."""
    if (key := find_token_key(connection, keyring)) is None:
        return 0.0
    digests = _digests(key, who)
    rows = connection.execute(select(GUESSES).where(GUESSES.c.digest.in_(digests.values())))
    found = {row.digest: row for row in rows}
    known = found.get(digests[_KNOWN])
    is_known = known is not None and known.last_at > now - _KNOWN_FOR
    waits = [0.0]
    for kind in ("both",) if is_known else _FREE:
        row = found.get(digests[kind])
        if row is not None and row.failures >= _FREE[kind] and row.last_at > now - _KEPT:
            times = min(row.failures - _FREE[kind], 10)
            wait = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0**times)
            waits.append(wait - (now - row.last_at).total_seconds())
    return max(waits)


def count(connection: Connection, keyring: Keyring, who: Guesser, now: datetime) -> None:
    """Count a wrong guess."""
    sweep(connection, now)
    digests = _digests(make_token_key(connection, keyring), who)
    for kind in _FREE:
        chosen = GUESSES.c.digest == digests[kind]
        failures = connection.execute(select(GUESSES.c.failures).where(chosen)).scalar() or 0
        _put(connection, digests[kind], failures + 1, now)


def forget(connection: Connection, keyring: Keyring, who: Guesser, now: datetime) -> None:
    """Forget the wrong guesses of who has signed in at last, and know them from this address."""
    sweep(connection, now)
    digests = _digests(make_token_key(connection, keyring), who)
    connection.execute(delete(GUESSES).where(GUESSES.c.digest == digests["both"]))
    _put(connection, digests[_KNOWN], 0, now)


def _put(connection: Connection, digest: bytes, failures: int, now: datetime) -> None:
    connection.execute(delete(GUESSES).where(GUESSES.c.digest == digest))
    connection.execute(insert(GUESSES).values(digest=digest, failures=failures, last_at=now))


def sweep(connection: Connection, now: datetime) -> None:
    """Remove what is counted no longer; for when nobody comes who would."""
    is_old = and_(GUESSES.c.failures > 0, GUESSES.c.last_at <= now - _KEPT)
    connection.execute(delete(GUESSES).where(or_(is_old, GUESSES.c.last_at <= now - _KNOWN_FOR)))


def _digests(key: Key, who: Guesser) -> Mapping[str, bytes]:
    digester = Digester(key, "guess")
    said = {
        "both": f"{who.name}\0{who.address}",
        "address": who.address,
        "name": who.name,
        _KNOWN: f"{who.name}\0{who.address}",
    }
    return {kind: digester.digest(f"{kind}\0{one}".encode()) for kind, one in said.items()}
