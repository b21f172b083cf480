"""Writing: one thread at a time, which lets the acts of many share a commit.

A commit waits for the disk, and in that time dozens of acts could queue up. What holds:

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
from likeness.storage.engine import PostgresServer, SqliteFile
from likeness.storage.faults import faults_of

T = TypeVar("T")

_WAITING_AT_MOST = 1024
_TRANSACTION_S = 0.1


class Writer:
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
