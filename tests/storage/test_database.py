"""Acts: whole or not at all, on the disk when they return, one at a time, on both engines."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Table, func, insert, select, text
from sqlalchemy.exc import StatementError

from likeness.errors import Conflict, DatabaseUnavailable
from likeness.storage import Database, open_database


def add(things: Table, name: str) -> Callable[[Connection], int]:
    def act(connection: Connection) -> int:
        (number,) = connection.execute(insert(things).values(name=name)).inserted_primary_key
        return int(number)

    return act


def names(things: Table) -> Callable[[Connection], set[str]]:
    return lambda connection: set(connection.execute(select(things.c.name)).scalars())


class Gate:
    """An act that keeps the writer busy, so that those after it share a transaction."""

    def __init__(self, database: Database) -> None:
        self._entered, self._open = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=database.write, args=[self._act])

    def _act(self, connection: Connection) -> None:
        self._entered.set()
        self._open.wait()

    def __enter__(self) -> None:
        self._thread.start()
        self._entered.wait()

    def __exit__(self, *_: object) -> None:
        self._open.set()
        self._thread.join()


def wait_for_queue(database: Database, length: int) -> None:
    while len(database._writer._waiting) < length:
        time.sleep(0.001)


def test_result_of_an_act_is_its_callers(database: Database, things: Table) -> None:
    first = database.write(add(things, "a"))

    assert database.write(add(things, "b")) == first + 1
    assert database.read(names(things)) == {"a", "b"}


def test_acts_of_many_threads_all_count(database: Database, things: Table) -> None:
    wanted = {str(number) for number in range(200)}
    with ThreadPoolExecutor(16) as pool:
        numbers = list(pool.map(lambda name: database.write(add(things, name)), sorted(wanted)))

    assert len(set(numbers)) == 200
    assert database.read(names(things)) == wanted


def test_acts_that_wait_share_one_transaction(database: Database, things: Table) -> None:
    commits = []

    def act(connection: Connection) -> None:
        commits.append(connection.get_transaction())

    with ThreadPoolExecutor(8) as pool:
        with Gate(database):
            answers = [pool.submit(database.write, act) for _ in range(8)]
            wait_for_queue(database, 8)
        for answer in answers:
            answer.result()

    assert len(commits) == 8
    assert len({id(transaction) for transaction in commits}) == 1


def test_act_that_fails_leaves_nothing_and_disturbs_no_other(
    database: Database, things: Table
) -> None:
    def fail(connection: Connection) -> None:
        add(things, "half done")(connection)
        raise KeyError("its own reason")

    with ThreadPoolExecutor(3) as pool:
        with Gate(database):
            before = pool.submit(database.write, add(things, "before"))
            failing = pool.submit(database.write, fail)
            after = pool.submit(database.write, add(things, "after"))
        before.result()
        after.result()
        with pytest.raises(KeyError, match="its own reason"):
            failing.result()

    assert database.read(names(things)) == {"before", "after"}


def test_row_that_stands_against_another_is_a_conflict_without_its_values(
    database: Database, things: Table
) -> None:
    database.write(add(things, "Ada Lovelace"))

    with pytest.raises(Conflict, match="another act came first") as caught:
        database.write(add(things, "Ada Lovelace"))

    assert "Ada" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert database.read(names(things)) == {"Ada Lovelace"}


def test_message_of_a_wrong_statement_holds_no_value(database: Database) -> None:
    absent = text("INSERT INTO absent VALUES (:name)")

    with pytest.raises(StatementError) as caught:
        database.write(lambda connection: connection.execute(absent, {"name": "Ada"}))

    assert "Ada" not in str(caught.value)


def test_failing_commit_fails_every_act_of_it(database: Database, things: Table) -> None:
    database.write(
        lambda connection: connection.exec_driver_sql(
            "CREATE TABLE late (number BIGINT REFERENCES things (number)"
            " DEFERRABLE INITIALLY DEFERRED)"
        )
    )

    def break_commit(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO late VALUES (404)")

    with ThreadPoolExecutor(3) as pool:
        with Gate(database):
            acts = [add(things, "a"), break_commit, add(things, "b")]
            answers = [pool.submit(database.write, act) for act in acts]
            wait_for_queue(database, 3)
        for answer in answers:
            with pytest.raises(Conflict):
                answer.result()

    assert database.read(names(things)) == set()
    database.write(add(things, "after"))


def test_callers_wait_where_too_many_acts_do(
    database: Database, things: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.storage.database._WAITING_AT_MOST", 2)
    with ThreadPoolExecutor(6) as pool:
        with Gate(database):
            answers = [pool.submit(database.write, add(things, name)) for name in "abcdef"]
            wait_for_queue(database, 2)
            time.sleep(0.05)
            assert len(database._writer._waiting) == 2
        for answer in answers:
            answer.result()

    assert database.read(names(things)) == set("abcdef")


def test_transaction_ends_in_time_for_other_programs(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.storage.database._TRANSACTION_S", 0.02)
    transactions = []

    def slow(connection: Connection) -> None:
        transactions.append(connection.get_transaction())
        time.sleep(0.03)

    with ThreadPoolExecutor(3) as pool:
        with Gate(database):
            answers = [pool.submit(database.write, slow) for _ in range(3)]
            wait_for_queue(database, 3)
        for answer in answers:
            answer.result()

    assert len({id(transaction) for transaction in transactions}) == 3


def test_reader_sees_one_state_whatever_is_written(database: Database, things: Table) -> None:
    database.write(add(things, "a"))

    def read(connection: Connection) -> tuple[set[str], set[str]]:
        first = names(things)(connection)
        database.write(add(things, "b"))
        return first, names(things)(connection)

    assert database.read(read) == ({"a"}, {"a"})
    assert database.read(names(things)) == {"a", "b"}


def test_reader_cannot_write(database: Database, things: Table) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be read and written"):
        database.read(add(things, "a"))
    assert database.read(names(things)) == set()


def test_closed_database_has_done_what_it_took_and_takes_no_more(
    database: Database, things: Table, database_url: str
) -> None:
    with ThreadPoolExecutor(5) as pool:
        with Gate(database):
            taken = [pool.submit(database.write, add(things, name)) for name in "abcd"]
            wait_for_queue(database, 4)
            closing = pool.submit(database.close)
        for answer in taken:
            answer.result()
        closing.result()

    with pytest.raises(DatabaseUnavailable, match="is closed: nothing was stored"):
        database.write(add(things, "e"))
    with open_database(database_url) as again:
        assert again.read(names(things)) == set("abcd")


def test_act_that_writes_inside_an_act_is_told_so(database: Database, things: Table) -> None:
    with pytest.raises(RuntimeError, match="wait for itself"):
        database.write(lambda connection: database.write(add(things, "a")))


def test_interrupted_transaction_leaves_nothing_and_keeps_nobody_waiting(
    database: Database, things: Table
) -> None:
    def interrupted(connection: Connection) -> None:
        add(things, "half done")(connection)
        raise KeyboardInterrupt

    with ThreadPoolExecutor(3) as pool:
        with Gate(database):
            commits = pool.submit(database.write, add(things, "whose thread commits"))
            wait_for_queue(database, 1)
            beside = pool.submit(database.write, interrupted)
            wait_for_queue(database, 2)
            after = pool.submit(database.write, add(things, "after"))
            wait_for_queue(database, 3)
        with pytest.raises(KeyboardInterrupt):
            commits.result()
        with pytest.raises(DatabaseUnavailable, match="interrupted while it wrote"):
            beside.result()
        after.result()

    assert database.read(names(things)) == {"after"}


def test_caller_who_waits_no_more_keeps_nobody_waiting(
    database: Database, things: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Ctrl-C ends the wait of a program's main thread."""

    class Impatient(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if not self.is_set():
                raise KeyboardInterrupt
            return True

    with ThreadPoolExecutor(1) as pool:
        with Gate(database):
            with monkeypatch.context() as patched:
                patched.setattr("likeness.storage.database.threading.Event", Impatient)
                with pytest.raises(KeyboardInterrupt):
                    database.write(add(things, "given up"))
            after = pool.submit(database.write, add(things, "after"))
        after.result()

    assert database.read(names(things)) == {"after"}


def test_values_come_back_as_they_went(database: Database, things: Table) -> None:
    identifier, content = uuid4(), bytes(range(256))
    at = datetime(2026, 2, 3, 4, 5, 6, 789_012, tzinfo=timezone(timedelta(hours=5)))
    row = {"name": "x", "id": identifier, "at": at, "content": content}

    database.write(lambda connection: connection.execute(insert(things), row))

    columns = (things.c.id, things.c.at, things.c.content)
    came = database.read(lambda connection: connection.execute(select(*columns)).one())
    assert tuple(came) == (identifier, at, content)
    assert isinstance(came.id, UUID)
    assert came.at.tzinfo is UTC


def test_moments_are_found_by_their_order(database: Database, things: Table) -> None:
    early, late = datetime(1969, 7, 20, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    rows = [{"name": "late", "at": late}, {"name": "early", "at": early}]
    database.write(lambda connection: connection.execute(insert(things), rows))

    found = database.read(
        lambda connection: connection.execute(
            select(things.c.name).where(things.c.at < datetime(2000, 1, 1, tzinfo=UTC))
        ).scalar_one()
    )

    assert found == "early"


def test_moment_without_a_time_zone_is_refused(database: Database, things: Table) -> None:
    row = {"name": "x", "at": datetime(2026, 1, 1)}
    with pytest.raises((StatementError, TypeError), match="naive"):
        database.write(lambda connection: connection.execute(insert(things), row))


def test_moment_that_could_not_be_read_again_is_refused(database: Database, things: Table) -> None:
    last = datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14)))
    with pytest.raises((StatementError, OverflowError), match="out of range"):
        database.write(lambda connection: connection.execute(insert(things), {"at": last}))


WRITER = """
import sys
from sqlalchemy import insert
from likeness.storage import open_database
from tests.storage.conftest import THINGS

url, prefix = sys.argv[1:]
with open_database(url, lock_timeout_s=60) as database:
    number = 0
    while prefix == "endless" or number < 50:
        row = {"name": f"{prefix}-{number}"}
        database.write(lambda connection: connection.execute(insert(THINGS), row))
        print(row["name"], flush=True)
        number += 1
"""


def start_writer(url: str, prefix: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, url, prefix],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    )


@pytest.mark.slow
def test_programs_write_to_one_database_side_by_side(
    database: Database, things: Table, database_url: str
) -> None:
    others = [start_writer(database_url, prefix) for prefix in ("one", "two")]
    for number in range(50):
        database.write(add(things, f"here-{number}"))
    for other in others:
        other.communicate()

    assert [other.returncode for other in others] == [0, 0]
    assert database.read(lambda c: c.execute(select(func.count(things.c.number))).scalar()) == 150


@pytest.mark.slow
def test_acknowledged_acts_survive_kill_9(
    database: Database, things: Table, database_url: str
) -> None:
    writer = start_writer(database_url, "endless")
    assert writer.stdout is not None
    acknowledged = {writer.stdout.readline().strip() for _ in range(20)}
    writer.send_signal(signal.SIGKILL)
    acknowledged |= set(writer.communicate()[0].split())

    stored = database.read(names(things))

    assert len(acknowledged) >= 20
    assert acknowledged <= stored
    assert len(stored - acknowledged) <= 1


def test_no_row_appears_below_one_that_was_seen(
    database: Database, things: Table, database_url: str
) -> None:
    seen = [0]

    def look(connection: Connection) -> None:
        newer = select(things.c.number).where(things.c.number > seen[-1])
        seen.extend(connection.execute(newer.order_by(things.c.number)).scalars())

    with open_database(database_url) as other, ThreadPoolExecutor(4) as pool:
        answers = [
            pool.submit((database, other)[number % 2].write, add(things, f"{number}"))
            for number in range(60)
        ]
        while not all(answer.done() for answer in answers):
            database.read(look)
    database.read(look)

    assert len(seen) == 1 + 60


def test_sqlite_file_is_its_owners_alone(tmp_path: Path, things: Table) -> None:
    path = tmp_path / "home" / "likeness.db"
    with open_database(f"sqlite:///{path}") as database:
        database.write(things.metadata.create_all)
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}

    assert modes == {
        "likeness.db": 0o600,
        "likeness.db-wal": 0o600,
        "likeness.db-shm": 0o600,
    }
    assert path.parent.stat().st_mode & 0o777 == 0o700
