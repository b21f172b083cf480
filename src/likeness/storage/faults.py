"""What goes wrong in a database, in our words: on one line, without any value stored.

Only what the world does to a database is translated. A statement that is wrong is a mistake of
ours and stays what it is.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from likeness.errors import Conflict, DatabaseUnavailable, LikenessError
from likeness.storage.engine import PostgresServer, SqliteFile

_Words = tuple[type[LikenessError], str]

_LOCKED: _Words = (Conflict, "is held by another program. Retry, or end that program.")
_FULL: _Words = (
    DatabaseUnavailable,
    "has no room: its disk is full, and nothing was stored. Make room and retry.",
)
_DAMAGED: _Words = (DatabaseUnavailable, "is no database, or a damaged one. Restore a backup.")
_FORBIDDEN: _Words = (
    DatabaseUnavailable,
    "cannot be read and written. Mend its permissions or folder.",
)
_UNREADABLE: _Words = (
    DatabaseUnavailable,
    "cannot be read and written: its disk is full, or failed. Make room, or check it.",
)
_GONE: _Words = (DatabaseUnavailable, "stopped, or is overloaded. Start it, then retry.")

# https://sqlite.org/rescode.html
_SQLITE = {
    3: _FORBIDDEN,  # PERM
    5: _LOCKED,  # BUSY
    6: _LOCKED,  # LOCKED
    8: _FORBIDDEN,  # READONLY
    10: _UNREADABLE,  # IOERR
    11: _DAMAGED,  # CORRUPT
    13: _FULL,  # FULL
    14: _FORBIDDEN,  # CANTOPEN
    26: _DAMAGED,  # NOTADB
}
# https://www.postgresql.org/docs/current/errcodes-appendix.html, whole codes and classes.
_POSTGRESQL = {
    "08": _GONE,  # connection exception
    "25006": _FORBIDDEN,  # read-only transaction: a standby
    "40": _LOCKED,  # serialisation failure, deadlock
    "42501": _FORBIDDEN,  # insufficient privilege
    "53": _GONE,  # insufficient resources, but ...
    "53100": _FULL,  # ... a full disk
    "55P03": _LOCKED,  # a lock waited for too long
    "57P": _GONE,  # the server shuts down or starts up
    "58": _UNREADABLE,  # error outside of PostgreSQL
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}


@contextmanager
def faults_of(address: SqliteFile | PostgresServer) -> Iterator[None]:
    """Turn what the database and its driver raise into our own words.

    Raises:
        Conflict: another act or program stands in the way.
        DatabaseUnavailable: the database cannot be reached, read or written.
    """
    try:
        yield
    except IntegrityError:
        # Without `from`: PostgreSQL quotes the values, and no log may hold what a client sent.
        raise Conflict(
            f"A row of {address} stands against another: another act came first. Read again, then"
            " retry."
        ) from None
    except PoolTimeout as error:
        raise Conflict(f"Every connection to {address} is in use. Retry later.") from error
    except (DBAPIError, sqlite3.Error) as error:
        # What begins a transaction goes by no way of SQLAlchemy's.
        orig = error.orig if isinstance(error, DBAPIError) else error
        fault = _fault(error, orig, address)
        if fault is None:
            raise
        raise fault from error


def _fault(
    error: Exception, orig: BaseException | None, address: SqliteFile | PostgresServer
) -> LikenessError | None:
    if isinstance(address, SqliteFile):
        # The driver's own refusals carry no code; an extended code has the primary one below.
        code = getattr(orig, "sqlite_errorcode", 0) & 0xFF
        words = _SQLITE.get(code) if isinstance(orig, sqlite3.Error) else None
    else:
        state = getattr(orig, "sqlstate", None)
        if state is None:
            return _unreachable(error, address) if isinstance(error, OperationalError) else None
        words = next((_POSTGRESQL[state[:n]] for n in (5, 3, 2) if state[:n] in _POSTGRESQL), None)
    if words is None:
        return None
    kind, sentence = words
    return kind(f"{address} {sentence}")


def _unreachable(error: OperationalError, server: PostgresServer) -> DatabaseUnavailable:
    """Say why a server does not answer, in the driver's words, without the password."""
    lines = [line.strip() for line in str(error.orig).splitlines() if line.strip()]
    reason = lines[0].rpartition("failed: ")[2] if lines else "no reason given"
    if server.url.password is not None:
        reason = reason.replace(server.url.password, "***")
    return DatabaseUnavailable(
        f"{server} does not answer ({reason}). Start it, or correct the URL."
    )
