"""Who writes? One thread, which lets the acts of many share a commit.

A commit waits for the disk, and in that time dozens of acts could run. What holds:

1. Acts run one after the other, in the order they came, each inside a savepoint of its own.
2. An act that raises is rolled back to its savepoint, and the others keep what they did.
3. A caller is answered after the commit of its act, never before. If the commit fails, all acts
   of the transaction fail with it.
4. Acts that wait are limited in number, then callers wait to queue up. A transaction is limited
   in time, so that other programs get their turn.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from likeness.errors import DatabaseUnavailable
from likeness.storage.address import PostgresServer, SqliteFile
from likeness.storage.faults import faults_of

T = TypeVar("T")

_WAITING_AT_MOST = 1024
_TRANSACTION_S = 0.1


class Writer:
    """The one thread that writes to a database through `engine`."""

    def __init__(self, engine: Engine, address: SqliteFile | PostgresServer) -> None:
        self._engine = engine
        self._address = address
        self._waiting: deque[_Task] = deque()
        self._closed = False
        lock = threading.Lock()
        self._work = threading.Condition(lock)
        self._room = threading.Condition(lock)
        self._thread = threading.Thread(target=self._serve, name="likeness-writer", daemon=True)
        self._thread.start()

    def write(self, act: Callable[[Connection], T]) -> T:
        """Run an act in a transaction shared with others; return when it is committed."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("an act called `write`, which would wait for itself")
        task = _Task(act)
        with self._work:
            self._room.wait_for(lambda: self._closed or len(self._waiting) < _WAITING_AT_MOST)
            if self._closed:
                raise DatabaseUnavailable(
                    f"{self._address} was expected to be open and is closed: nothing was stored;"
                    " start Likeness again"
                )
            self._waiting.append(task)
            self._work.notify()
        result: T = task.answer.result()
        return result

    def close(self) -> None:
        """Refuse new acts, finish those that wait."""
        with self._work:
            self._closed = True
            self._work.notify()
            self._room.notify_all()
        self._thread.join()

    def _serve(self) -> None:
        while tasks := self._take_all():
            while tasks:
                self._commit_some(tasks)

    def _take_all(self) -> "deque[_Task]":
        """Wait for work and take all there is; none when closed."""
        with self._work:
            self._work.wait_for(lambda: self._closed or self._waiting)
            tasks, self._waiting = self._waiting, deque()
            self._room.notify_all()
            return tasks

    def _commit_some(self, tasks: "deque[_Task]") -> None:
        """Move tasks from the left of `tasks` through one transaction; answer them."""
        done: list[_Task] = []
        try:
            with faults_of(self._address), self._engine.begin() as connection:
                until = time.monotonic() + _TRANSACTION_S
                while tasks and time.monotonic() < until:
                    done.append(tasks.popleft())
                    done[-1].run(connection, self._address)
        except BaseException as error:
            # Where no transaction could begin, all have waited as long as the first.
            for task in done or tasks:
                task.answer.set_exception(error)
            if not done:
                tasks.clear()
        else:
            for task in done:
                task.give_answer()


class _Task:
    """An act, what came of it, and who waits for that."""

    def __init__(self, act: Callable[[Connection], Any]) -> None:
        self._act = act
        self._result: Any = None
        self._error: BaseException | None = None
        self.answer: Future[Any] = Future()

    def run(self, connection: Connection, address: SqliteFile | PostgresServer) -> None:
        """Run the act inside a savepoint.

        Raises:
            Exception: what the act raised, where the database gave up the whole transaction.
        """
        savepoint = connection.begin_nested()
        try:
            with faults_of(address):
                self._result = self._act(connection)
                savepoint.commit()
        except BaseException as error:
            self._error = error
            try:
                savepoint.rollback()
            except SQLAlchemyError:
                raise error from None
            if connection.invalidated:
                raise

    def give_answer(self) -> None:
        """Answer who waits; the act is committed, or was rolled back by itself."""
        if self._error is not None:
            self.answer.set_exception(self._error)
        else:
            self.answer.set_result(self._result)
