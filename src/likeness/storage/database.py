"""A database, through which acts reach the rows: many read, one writes.

What programs hold of the rows in memory, such as rules and keys, is looked after by `Freshness`.

One thread writes at a time and lets the acts of many share a commit: that waits for the disk, and
in that time dozens of acts could queue up. What holds:

1. Acts run one after the other, in the order they came. Who finds nobody committing commits at
   once; the others wait, and the first of them then commits for all who wait.
2. An act that raises is rolled back, and the others that share its transaction keep what they did:
   where there are others, each act runs inside a savepoint of its own.
3. A caller is answered after the commit of its act, never before. If the commit fails, all acts
   of the transaction fail with it.
4. Acts that wait are limited in number, then callers wait to queue up. A transaction is limited
   in time, so that other programs get their turn.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from likeness.errors import DatabaseUnavailable
from likeness.opened_here import OpenedHere
from likeness.storage.damage import Damage
from likeness.storage.engine import (
    PostgresServer,
    SqliteFile,
    faults_of,
    make_private_file,
    read_address,
    reading_engine,
    writing_engine,
)
from likeness.terms import Closing

T = TypeVar("T")

LOCK_TIMEOUT_S = 10.0
LOOK_EVERY_S = 0.5
_WAITING_AT_MOST = 1024
_TRANSACTION_S = 0.1


class Database(Closing):
    """Rows, behind one writer and many readers; safe to use from many threads.

    `address` says where it lies and may be shown: its text holds no secret. `damage` has the rows
    that were left out, for they could not be read.
    """

    def __init__(self, address: SqliteFile | PostgresServer, lock_timeout_s: float) -> None:
        self._opened = OpenedHere()
        self.address = address
        self.lock_timeout_s = lock_timeout_s
        self.damage = Damage()
        self.writing_engine = writing_engine(address, lock_timeout_s, self.damage)
        self._reading_engine = reading_engine(address, lock_timeout_s, self.damage)
        self._writer = _Writer(self.writing_engine, address)

    def write(self, act: Callable[[Connection], T]) -> T:
        """Run an act in a transaction and give its result once that is on the disk.

        Acts of many threads share a commit, one after the other. An act that raises leaves
        nothing and disturbs no other. It neither commits nor rolls back, never calls `write`, and
        does what is slow, such as embedding, before: everybody waits meanwhile.

        Raises:
            Conflict: another program holds the database, or a stored row stands against one; or the
                database was opened before this process was forked.
            DatabaseUnavailable: it cannot be written; nothing was stored, except that a lost
                connection may hide that it was.
            Exception: whatever the act raises.
        """
        self._opened.require_here()
        return self._writer.write(act)

    def read(self, act: Callable[[Connection], T]) -> T:
        """Run an act that only reads, all of it from one state of the database.

        A long one holds back what `scrub` can reach.

        Raises:
            Conflict: every connection is in use, or the database was opened before this process
                was forked.
            DatabaseUnavailable: it cannot be read.
            Exception: whatever the act raises.
        """
        self._opened.require_here()
        with faults_of(self.address), self._reading_engine.begin() as connection:
            return act(connection)

    def close(self) -> None:
        """Finish the acts that wait, refuse new ones, and let go of the database."""
        if not self._opened.is_here():
            return  # what was copied belongs to the other process
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


class _Writer:
    """The one way to write to a database through `engine`."""

    def __init__(self, engine: Engine, address: SqliteFile | PostgresServer) -> None:
        self._engine = engine
        self._address = address
        self._waiting: deque[_Task] = deque()
        self._committing: _Task | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._idle = threading.Condition(self._lock)

    def write(self, act: Callable[[Connection], T]) -> T:
        """Run an act in a transaction shared with others; return when it is committed."""
        task = _Task(act)
        try:
            self._queue_up(task)
            task.turn.wait()
            if not task.answered:
                self._commit_those_who_wait()
        finally:
            self._leave(task)
        result: T = task.result()
        return result

    def close(self) -> None:
        """Refuse new acts, finish those that wait."""
        with self._lock:
            self._closed = True
            self._room.notify_all()
            self._idle.wait_for(lambda: self._committing is None)

    def _queue_up(self, task: "_Task") -> None:
        with self._lock:
            if self._committing and self._committing.thread == task.thread:
                raise RuntimeError("an act called `write`, which would wait for itself")
            self._room.wait_for(lambda: self._closed or len(self._waiting) < _WAITING_AT_MOST)
            if self._closed:
                raise DatabaseUnavailable(
                    f"{self._address} is closed: nothing was stored. Start Likeness again."
                )
            self._waiting.append(task)
            if self._committing is None:
                self._call_first()

    def _leave(self, task: "_Task") -> None:
        """Let the next commit; whoever was interrupted while waiting waits no more."""
        with self._lock:
            if not task.answered and task in self._waiting:
                self._waiting.remove(task)
            if self._committing is task:
                self._call_first()

    def _call_first(self) -> None:
        self._committing = self._waiting[0] if self._waiting else None
        if self._committing is None:
            self._idle.notify_all()
        else:
            self._committing.turn.set()

    def _commit_those_who_wait(self) -> None:
        """Commit as many acts as one transaction has time for, the caller's own first."""
        with self._lock:
            tasks, self._waiting = self._waiting, deque()
            self._room.notify_all()
        try:
            self._commit_some(tasks)
        finally:
            with self._lock:
                self._waiting.extendleft(reversed(tasks))

    def _commit_some(self, tasks: "deque[_Task]") -> None:
        """Move tasks from the left of `tasks` through one transaction; answer them."""
        done: list[_Task] = []
        run = _Task.run if len(tasks) == 1 else self._run_apart
        try:
            with faults_of(self._address), self._engine.begin() as connection:
                until = time.monotonic() + _TRANSACTION_S
                while tasks and time.monotonic() < until:
                    done.append(tasks.popleft())
                    run(done[-1], connection)
        except Exception as error:
            if not done:  # no transaction could begin: all have waited as long as the first
                done.extend(tasks)
                tasks.clear()
            for task in done:
                task.error = error
        except BaseException:
            for task in done:
                task.error = DatabaseUnavailable(
                    f"The program was interrupted while it wrote {self._address}. Look at what is"
                    " stored, then retry."
                )
            raise
        finally:
            for task in done:
                task.answered = True
                task.turn.set()

    def _run_apart(self, task: "_Task", connection: Connection) -> None:
        """Run an act inside a savepoint.

        Raises:
            Exception: what the act raised, where the database gave up the whole transaction.
        """
        savepoint = connection.begin_nested()
        try:
            with faults_of(self._address):
                task.run(connection)
                savepoint.commit()
        except Exception as error:
            task.error = error
            try:
                savepoint.rollback()
            except SQLAlchemyError:
                raise error from None
            if connection.invalidated:
                raise


class _Task:
    """An act, what came of it, and the thread that waits for that.

    `turn` is set when it is answered, and when its thread is to commit.
    """

    __slots__ = ("_act", "_result", "answered", "error", "thread", "turn")

    def __init__(self, act: Callable[[Connection], Any]) -> None:
        self.thread = threading.get_ident()
        self.turn = threading.Event()
        self.answered = False
        self.error: Exception | None = None
        self._act = act
        self._result: Any = None

    def run(self, connection: Connection) -> None:
        """Run the act."""
        self._result = self._act(connection)

    def result(self) -> Any:
        """Give what the act gave, or raise what it raised, or what befell its transaction."""
        if self.error is not None:
            raise self.error
        return self._result
