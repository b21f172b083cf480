"""What the world does to a database is said on one line, without secrets or values."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, Table, insert

from likeness.errors import Conflict, DatabaseUnavailable, InvalidRequest
from likeness.storage import open_database


def open_and_close(url: str) -> None:
    open_database(url, lock_timeout_s=0.1).close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://ada:hunter2@db/likeness", "Not a database of Likeness: mysql"),
        ("hunter2", "cannot be read"),
        ("postgresql://ada:hunter2@db:port/likeness", "cannot be read"),
        ("postgresql://ada:hunter2@db", "does not name the database"),
        ("sqlite://", "has a path and nothing else"),
        ("sqlite:///:memory:", "has a path and nothing else"),
        ("sqlite:////tmp/x.db?mode=hunter2", "has a path and nothing else"),
    ],
)
def test_unusable_url_is_refused_without_being_quoted(url: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as caught:
        open_and_close(url)

    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("content", [b"a text file" * 1000, b"SQLite format 3\0" + b"\xff" * 8192])
def test_file_that_is_no_database_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "likeness.db"
    path.write_bytes(content)

    with pytest.raises(DatabaseUnavailable, match=r"likeness\.db .* damaged one"):
        open_and_close(f"sqlite:///{path}")

    assert path.read_bytes() == content


def test_database_damaged_in_its_middle_is_said_to_be(tmp_path: Path, things: Table) -> None:
    path = tmp_path / "likeness.db"
    with open_database(f"sqlite:///{path}") as database:
        database.write(things.metadata.create_all)
        rows = [{"name": str(number), "content": bytes(500)} for number in range(200)]
        database.write(lambda connection: connection.execute(insert(things), rows))
    content = bytearray(path.read_bytes())
    content[4096 : len(content)] = b"\xaa" * (len(content) - 4096)
    path.write_bytes(content)

    with (
        pytest.raises(DatabaseUnavailable, match="damaged one"),
        open_database(f"sqlite:///{path}") as database,
    ):
        database.read(lambda c: c.exec_driver_sql("SELECT sum(length(content)) FROM things").all())


def test_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder belongs")

    with pytest.raises(DatabaseUnavailable, match=r"likeness\.db .* \(.*\)\. Mend its folder"):
        open_and_close(f"sqlite:///{tmp_path / 'file' / 'likeness.db'}")


def test_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="Mend its permissions or folder"):
        open_and_close(f"sqlite:///{tmp_path}")


def test_full_disk_stores_nothing_and_ends_with_the_next_room(
    tmp_path: Path, things: Table
) -> None:
    big = {"name": "big", "content": bytes(1_000_000)}

    def add_big(connection: Connection) -> None:
        connection.execute(insert(things), big)

    with open_database(f"sqlite:///{tmp_path / 'likeness.db'}") as database:
        database.write(things.metadata.create_all)
        # What SQLite says of a full disk, it says of a file that has reached its limit.
        database.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count=20").all())
        with pytest.raises(DatabaseUnavailable, match="disk is full, and nothing was stored"):
            database.write(add_big)
        database.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count=2000").all())
        database.write(add_big)


def test_sqlite_that_another_program_holds_is_a_conflict(tmp_path: Path, things: Table) -> None:
    path = tmp_path / "likeness.db"
    with open_database(f"sqlite:///{path}", lock_timeout_s=0.1) as database:
        database.write(things.metadata.create_all)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Conflict, match="is held by another program"):
            database.write(lambda connection: None)
        assert database.read(lambda c: c.exec_driver_sql("SELECT 1").scalar_one()) == 1

        other.execute("COMMIT")
        other.close()
        database.write(lambda connection: None)


@pytest.mark.services
def test_postgresql_that_another_program_holds_is_a_conflict(postgresql_url: str) -> None:
    with (
        open_database(postgresql_url, lock_timeout_s=0.1) as database,
        open_database(postgresql_url) as other,
    ):

        def write_meanwhile(connection: Connection) -> None:
            with pytest.raises(Conflict, match="is held by another program"):
                database.write(lambda connection: None)

        other.write(write_meanwhile)
        database.write(lambda connection: None)


@pytest.mark.services
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda url: url.replace("?host=", "?host=/nowhere"), "No such file"),
        (lambda url: url.replace("/test_", "/absent_"), "does not exist"),
        (lambda url: "postgresql://ada:hunter2@127.0.0.1:1/x", "refused"),
    ],
)
def test_server_that_does_not_answer_is_named_without_secrets(
    postgresql_url: str, change: Callable[[str], str], reason: str
) -> None:
    with pytest.raises(DatabaseUnavailable, match=f"does not .*{reason}.*Start it") as caught:
        open_and_close(change(postgresql_url))

    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.services
def test_connection_that_broke_is_made_anew(postgresql_url: str, things: Table) -> None:
    end_all = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    end_self = "SELECT pg_terminate_backend(pg_backend_pid())"
    with open_database(postgresql_url) as database:
        database.write(things.metadata.create_all)
        with pytest.raises(DatabaseUnavailable):
            database.write(lambda connection: connection.exec_driver_sql(end_self))

        database.write(lambda connection: connection.exec_driver_sql(end_all).all())

        assert database.read(lambda c: c.exec_driver_sql("SELECT 1").scalar_one()) == 1


def test_missing_driver_is_answered_with_the_command_that_mends_it() -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from likeness.errors import DatabaseUnavailable\n"
        "from likeness.storage import open_database\n"
        "try: open_database('postgresql://db/likeness')\n"
        "except DatabaseUnavailable as error: print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )

    assert "pip install 'psycopg[binary]'" in run.stdout
