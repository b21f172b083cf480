"""Engines that open a database: SQLite in a file, PostgreSQL on a server, two for each.

Where it lies is a URL, read once, and never shown with its secrets. What holds for every connection
that is handed out:

1. A committed act is on the disk: `synchronous=FULL`, and never `synchronous_commit=off`.
2. A writing transaction is alone, among all programs on this database: SQLite takes its write lock
   at the start (`BEGIN IMMEDIATE`), PostgreSQL an advisory lock. Acts need not fear each other.
3. A reading transaction sees one state of the database, and cannot write.
4. SQLite overwrites what is deleted with zeros (`secure_delete`), and holds foreign keys.
5. Values stay out of messages and logs (`hide_parameters`).
6. What the world does to a database is told in our words, on one line, without any value stored
   (`faults_of`). A statement that is wrong is a mistake of ours and stays what it is.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from likeness.errors import DatabaseInUse, DatabaseUnavailable, InvalidRequest, LikenessError
from likeness.storage.damage import Damage, damage_options

_EXAMPLES = "sqlite:////folder/likeness.db or postgresql://user@host/database"


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """A database in a file of this machine."""

    path: Path

    def __str__(self) -> str:
        """Name the file."""
        return str(self.path)


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A database on a server; `url` may hold a password."""

    url: URL

    def __str__(self) -> str:
        """Name server and database, and neither user nor password."""
        # A folder in the query is that of a Unix socket.
        host = self.url.host or self.url.query.get("host", "localhost")
        return f"PostgreSQL database {self.url.database} on {host}:{self.url.port or 5432}"


def read_address(url: str) -> SqliteFile | PostgresServer:
    """Read a database's URL; none of its text gets into an error.

    Raises:
        InvalidRequest: it is no URL of a database that Likeness knows.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Without `from`: the cause quotes the URL.
        raise InvalidRequest(
            f"The URL of the database cannot be read. Write it like {_EXAMPLES}."
        ) from None
    match parsed.drivername:
        case "sqlite":
            if parsed.database in (None, "", ":memory:") or parsed.host or parsed.query:
                raise InvalidRequest(
                    "The URL of a SQLite file has a path and nothing else. Write it like"
                    f" {_EXAMPLES.split()[0]}."
                )
            return SqliteFile(Path(str(parsed.database)))
        case "postgresql" | "postgresql+psycopg":
            if not parsed.database:
                raise InvalidRequest(
                    "The URL of the PostgreSQL database does not name the database. Write it like"
                    f" {_EXAMPLES.split()[-1]}."
                )
            return PostgresServer(parsed.set(drivername="postgresql+psycopg"))
        case other:
            raise InvalidRequest(f"Not a database of Likeness: {other}. Use {_EXAMPLES}.")


# Any number will do that nobody else takes on this database: "likeness", read as one.
_WRITE_LOCK = int.from_bytes(b"likeness", "big")
_CONNECTIONS_KEPT = 8
_CONNECTIONS_MORE = 24
_SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON")


def writing_engine(
    address: SqliteFile | PostgresServer, lock_timeout_s: float, damage: Damage | None = None
) -> Engine:
    """Make the engine whose transactions write, one at a time among all programs."""
    options = damage_options(damage or Damage())
    if isinstance(address, SqliteFile):
        engine = _sqlite_engine(address, lock_timeout_s, options=options)
        return _begun_by_driver("BEGIN IMMEDIATE", engine)
    engine = _postgresql_engine(address, lock_timeout_s, **options)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})")

    return engine


def reading_engine(
    address: SqliteFile | PostgresServer, lock_timeout_s: float, damage: Damage | None = None
) -> Engine:
    """Make the engine whose transactions read, each from one state of the database."""
    options = damage_options(damage or Damage())
    if isinstance(address, SqliteFile):
        engine = _sqlite_engine(address, lock_timeout_s, "query_only=ON", options=options)
        return _begun_by_driver("BEGIN", engine)
    return _postgresql_engine(
        address,
        lock_timeout_s,
        isolation_level="REPEATABLE READ",
        postgresql_readonly=True,
        **options,
    )


def maintenance_engine(address: SqliteFile | PostgresServer, lock_timeout_s: float) -> Engine:
    """Make the engine whose statements stand alone, outside of any transaction."""
    if isinstance(address, SqliteFile):
        return _sqlite_engine(address, lock_timeout_s)
    return _postgresql_engine(address, lock_timeout_s, isolation_level="AUTOCOMMIT")


def make_private_file(file: SqliteFile) -> None:
    """Make an empty file that only its owner reads; SQLite gives its log the same permissions.

    Raises:
        OSError: its folder cannot be written.
    """
    file.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Never open one that exists: closing it would drop the locks that SQLite holds on it for this
    # process (https://sqlite.org/howtocorrupt.html, 2.2).
    with suppress(FileExistsError):
        os.close(os.open(file.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _begun_by_driver(statement: str, engine: Engine) -> Engine:
    """Begin transactions without SQLAlchemy, for which that is a third of an empty one's time."""

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.connection.cursor().execute(statement)

    return engine


def _sqlite_engine(
    file: SqliteFile,
    lock_timeout_s: float,
    *pragmas: str,
    options: Mapping[str, object] = MappingProxyType({}),
) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(file.path)),
        execution_options=dict(options),
        connect_args={
            "timeout": lock_timeout_s,
            # The driver would begin transactions by rules of its own.
            "isolation_level": None,
        },
        hide_parameters=True,
        pool_size=_CONNECTIONS_KEPT,
        max_overflow=_CONNECTIONS_MORE,
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, record: object) -> None:
        for pragma in (*_SQLITE_PRAGMAS, *pragmas):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _postgresql_engine(
    server: PostgresServer, lock_timeout_s: float, **execution_options: object
) -> Engine:
    try:
        engine = create_engine(
            server.url,
            execution_options=execution_options,
            hide_parameters=True,
            pool_size=_CONNECTIONS_KEPT,
            max_overflow=_CONNECTIONS_MORE,
            # A server that was started again has forgotten its connections.
            pool_pre_ping=True,
        )
    except ModuleNotFoundError as error:
        raise DatabaseUnavailable(
            "PostgreSQL needs the driver psycopg, which is not installed. `pip install"
            " 'psycopg[binary]'`."
        ) from error

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {int(lock_timeout_s * 1000)}")
            # What an operator chose to be stronger stays.
            cursor.execute(
                "SELECT set_config('synchronous_commit', 'on', false)"
                " WHERE current_setting('synchronous_commit') = 'off'"
            )
        connection.commit()

    return engine


_Words = tuple[type[LikenessError], str]

_LOCKED: _Words = (DatabaseInUse, "is held by another program. Retry, or end that program.")
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
        DatabaseInUse: another act or program stands in the way.
        DatabaseUnavailable: the database cannot be reached, read or written.
    """
    try:
        yield
    except IntegrityError:
        # Without `from`: PostgreSQL quotes the values, and no log may hold what a client sent.
        raise DatabaseInUse(
            f"A row of {address} stands against another: another act came first. Read again, then"
            " retry."
        ) from None
    except PoolTimeout as error:
        raise DatabaseInUse(f"Every connection to {address} is in use. Retry later.") from error
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
