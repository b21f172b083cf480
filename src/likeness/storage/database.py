"""A database, through which acts reach the rows: many read, one writes.

What programs hold of the rows in memory, such as rules and keys, is looked after by `Freshness`.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from likeness.errors import DatabaseUnavailable
from likeness.storage.engine import (
    PostgresServer,
    SqliteFile,
    make_private_file,
    read_address,
    reading_engine,
    writing_engine,
)
from likeness.storage.faults import faults_of
from likeness.storage.writer import Writer
from likeness.terms import Closing

T = TypeVar("T")

LOCK_TIMEOUT_S = 10.0


class Database(Closing):
    """Rows, behind one writer and many readers; safe to use from many threads.

    `address` says where it lies and may be shown: its text holds no secret.
    """

    def __init__(self, address: SqliteFile | PostgresServer, lock_timeout_s: float) -> None:
        self.address = address
        self.lock_timeout_s = lock_timeout_s
        self.writing_engine = writing_engine(address, lock_timeout_s)
        self._reading_engine = reading_engine(address, lock_timeout_s)
        self._writer = Writer(self.writing_engine, address)

    def write(self, act: Callable[[Connection], T]) -> T:
        """Run an act in a transaction and give its result once that is on the disk.

        Acts of many threads share a commit, one after the other. An act that raises leaves
        nothing and disturbs no other. It neither commits nor rolls back, never calls `write`, and
        does what is slow, such as embedding, before: everybody waits meanwhile.

        Raises:
            Conflict: another program holds the database, or a stored row stands against one.
            DatabaseUnavailable: it cannot be written; nothing was stored, except that a lost
                connection may hide that it was.
            Exception: whatever the act raises.
        """
        return self._writer.write(act)

    def read(self, act: Callable[[Connection], T]) -> T:
        """Run an act that only reads, all of it from one state of the database.

        A long one holds back what `scrub` can reach.

        Raises:
            Conflict: every connection is in use.
            DatabaseUnavailable: it cannot be read.
            Exception: whatever the act raises.
        """
        with faults_of(self.address), self._reading_engine.begin() as connection:
            return act(connection)

    def close(self) -> None:
        """Finish the acts that wait, refuse new ones, and let go of the database."""
        self._writer.close()
        self.writing_engine.dispose()
        self._reading_engine.dispose()


def open_database(url: str, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> Database:
    """Open a database; a SQLite file is made where there is none. Its schema is `migrate`'s.

    Args:
        url: `sqlite:////folder/likeness.db` or `postgresql://user@host/database`.
        lock_timeout_s: how long to wait for another program's lock.

    Raises:
        InvalidRequest: the URL is none of these.
        Conflict: another program holds the database.
        DatabaseUnavailable: it cannot be reached, or is none.
    """
    address = read_address(url)
    if isinstance(address, SqliteFile):
        try:
            make_private_file(address)
        except OSError as error:
            raise DatabaseUnavailable(
                f"{address} cannot be read and written ({error.strerror}). Mend its folder and"
                " permissions."
            ) from error
    database = Database(address, lock_timeout_s)
    try:
        database.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar_one())
    except BaseException:
        database.close()
        raise
    return database


LOOK_EVERY_S = 0.5


class Freshness:
    """Keeps what is held of a database's rows no older than a moment; for many threads.

    A change that another program commits counts within half a second: when the last look is that
    old, everything that is held is looked after again, all of it in one read.
    """

    def __init__(
        self, database: Database, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._looked_at_s: float | None = None
        self._looks: list[Callable[[Connection], None]] = []

    def follow(self, look: Callable[[Connection], None]) -> None:
        """Look after something more: `look` reads what changed since it was called before."""
        with self._lock:
            self._looks.append(look)
            self._looked_at_s = None

    def ensure(self, at_most_s: float | None = None) -> None:
        """See that nothing that is held is older than half a second, or than `at_most_s`.

        Raises:
            Conflict, DatabaseUnavailable: the rows cannot be read.
        """
        with self._lock:
            now_s, oldest_s = self._monotonic_s(), LOOK_EVERY_S if at_most_s is None else at_most_s
            if self._looked_at_s is None or now_s - self._looked_at_s >= oldest_s:
                self._database.read(self._look)
                self._looked_at_s = now_s

    def _look(self, connection: Connection) -> None:
        for look in self._looks:
            look(connection)
