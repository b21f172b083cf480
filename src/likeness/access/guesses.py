"""Guesses at passwords: after a few wrong ones, whoever guesses waits, longer each time.

Counted for a name from one address, for an address, and for a name from everywhere; so nobody who
guesses from elsewhere keeps a person out of their own account soon. Of names and addresses only a
digest is kept, for a day.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Column, Connection, Integer, LargeBinary, Table, delete, insert, select

from likeness.storage import METADATA, Instant

_KEPT = timedelta(days=1)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 30.0, 900.0
# How many wrong guesses are free: of a name from one address, from an address, at a name.
_FREE = {"both": 5, "address": 20, "name": 50}

GUESSES = Table(
    "access_guesses",
    METADATA,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Instant, nullable=False, index=True),
)


def wait_s(connection: Connection, name: str, address: str, now: datetime) -> float:
    """Say how many seconds somebody has to wait before they may guess again."""
    waits = [0.0]
    for kind, digest in _counted(name, address):
        row = connection.execute(select(GUESSES).where(GUESSES.c.digest == digest)).first()
        if row is not None and row.failures >= _FREE[kind] and row.last_at > now - _KEPT:
            times = min(row.failures - _FREE[kind], 10)
            wait = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0**times)
            waits.append(wait - (now - row.last_at).total_seconds())
    return max(waits)


def count(connection: Connection, name: str, address: str, now: datetime) -> None:
    """Count a wrong guess."""
    connection.execute(delete(GUESSES).where(GUESSES.c.last_at <= now - _KEPT))
    for _, digest in _counted(name, address):
        chosen = GUESSES.c.digest == digest
        failures = connection.execute(select(GUESSES.c.failures).where(chosen)).scalar() or 0
        connection.execute(delete(GUESSES).where(chosen))
        connection.execute(
            insert(GUESSES).values(digest=digest, failures=failures + 1, last_at=now)
        )


def forget(connection: Connection, name: str, address: str) -> None:
    """Forget wrong guesses of who has signed in at last, at this name from this address."""
    both = next(digest for kind, digest in _counted(name, address) if kind == "both")
    connection.execute(delete(GUESSES).where(GUESSES.c.digest == both))


def _counted(name: str, address: str) -> Iterator[tuple[str, bytes]]:
    for kind, said in (("both", f"{name}\0{address}"), ("address", address), ("name", name)):
        yield kind, sha256(f"{kind}\0{said}".encode()).digest()
