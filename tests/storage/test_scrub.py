"""What was deleted is gone: down to the bytes of the file where SQLite keeps it."""

import random
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, Table, delete, func, insert, select

from likeness.storage import Database, open_database, scrub

# Of the size of a sealed template; half of them are to be erased.
CONTENTS = [random.Random(number).randbytes(549) for number in range(2000)]
KEPT, ERASED = CONTENTS[::2], CONTENTS[1::2]


def name_of(content: bytes) -> str:
    return content[:16].hex()


def fill(database: Database, things: Table) -> None:
    # In no order, so that pages of the index on names are split in their middle.
    shuffled = random.Random(0).sample(CONTENTS, len(CONTENTS))
    rows = [{"name": name_of(content), "content": content} for content in shuffled]
    for start in range(0, len(rows), 50):
        some = insert(things).values(rows[start : start + 50])
        database.write(lambda connection, some=some: connection.execute(some))


def erase(database: Database, things: Table) -> None:
    for start in range(0, len(ERASED), 10):
        named = things.c.name.in_([name_of(content) for content in ERASED[start : start + 10]])
        row = delete(things).where(named)
        database.write(lambda connection, row=row: connection.execute(row))


def found(folder: Path, pieces: list[bytes]) -> int:
    """Count the pieces that any file of the folder holds."""
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return sum(piece in everything for piece in pieces)


def middles(contents: list[bytes]) -> list[bytes]:
    return [content[256:288] for content in contents]


@pytest.mark.slow
def test_deleted_rows_are_in_no_file_of_sqlite(tmp_path: Path, things: Table) -> None:
    with open_database(f"sqlite:///{tmp_path / 'likeness.db'}") as database:
        database.write(things.metadata.create_all)
        fill(database, things)
        assert found(tmp_path, middles(ERASED)) == len(ERASED)

        erase(database, things)
        assert found(tmp_path, middles(ERASED)) > 0
        scrubbing = scrub(database, [things])

        assert scrubbing.complete
        assert (tmp_path / "likeness.db-wal").stat().st_size == 0
        assert found(tmp_path, middles(ERASED)) == 0
        assert found(tmp_path, middles(KEPT)) == len(KEPT)


def test_rewritten_sqlite_has_no_deleted_index_entry_either(tmp_path: Path, things: Table) -> None:
    with open_database(f"sqlite:///{tmp_path / 'likeness.db'}") as database:
        database.write(things.metadata.create_all)
        fill(database, things)
        erase(database, things)
        plain = scrub(database, [things])

        thorough = scrub(database, [things], rewrite=True)

        assert found(tmp_path, [name_of(content).encode() for content in ERASED]) == 0
        assert thorough.complete
        assert set(plain.out_of_reach) - set(thorough.out_of_reach) == {
            "copies of a few index entries in SQLite's pages, until the database is rewritten"
        }


class Reader:
    """A program that has begun to read and does not end."""

    def __init__(self, database: Database, things: Table) -> None:
        self._began, self._end = threading.Event(), threading.Event()

        def read(connection: Connection) -> None:
            connection.execute(select(func.count()).select_from(things)).scalar_one()
            self._began.set()
            self._end.wait()

        self._thread = threading.Thread(target=database.read, args=[read])

    def __enter__(self) -> "Reader":
        self._thread.start()
        self._began.wait()
        return self

    def end(self) -> None:
        self._end.set()

    def __exit__(self, *_: object) -> None:
        self.end()
        self._thread.join()


def write_and_delete(database: Database, things: Table) -> None:
    row = {"name": "x", "content": ERASED[0]}
    database.write(lambda connection: connection.execute(insert(things), row))
    database.write(lambda connection: connection.execute(delete(things)))


def test_reader_that_stands_in_the_way_is_told_of(database: Database, things: Table) -> None:
    with Reader(database, things):
        write_and_delete(database, things)
        scrubbing = scrub(database, [things], wait_s=0.2)

    assert not scrubbing.complete
    assert "a program" in scrubbing.stood_in_way
    assert scrub(database, [things]).complete


def test_reader_is_waited_for(database: Database, things: Table) -> None:
    with Reader(database, things) as reader:
        write_and_delete(database, things)
        threading.Timer(0.3, reader.end).start()

        assert scrub(database, [things], wait_s=60).complete


@pytest.mark.parametrize("rewrite", [False, True])
def test_what_no_database_can_reach_is_always_said(
    database: Database, things: Table, rewrite: bool
) -> None:
    write_and_delete(database, things)

    scrubbing = scrub(database, [things], rewrite=rewrite)

    assert any("backups" in place for place in scrubbing.out_of_reach)
    on_postgresql = "PostgreSQL" in str(database.address)
    assert on_postgresql == any("write-ahead log" in place for place in scrubbing.out_of_reach)


@pytest.mark.services
def test_vacuum_leaves_no_dead_row_of_postgresql(postgresql_url: str, things: Table) -> None:
    with open_database(postgresql_url) as database:
        database.write(things.metadata.create_all)
        fill(database, things)
        erase(database, things)

        assert scrub(database, [things]).complete

        def dead_rows(connection: Connection) -> int:
            connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")
            sql = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'things'"
            return int(connection.exec_driver_sql(sql).scalar_one())

        assert database.read(dead_rows) == 0
