"""Migrations give a database the schema of this program, forward only.

Alembic runs them. It takes a third of a second to import, so a database that has its schema is
recognised without: by the number of the last migration, with which the names of their files begin.
"""

import threading
from importlib import resources

from sqlalchemy import Connection, column, inspect, select, table

from likeness.errors import Conflict, DatabaseUnavailable
from likeness.storage.database import Database
from likeness.storage.engine import SqliteFile, faults_of

_VERSION = table("alembic_version", column("version_num"))  # as Alembic makes it
# Alembic keeps the migration that runs in a global of its own.
_one_at_a_time = threading.Lock()


def migrate(database: Database) -> None:
    """Bring a database to the schema of this program, whole or not at all.

    Programs that do so at once take turns.

    Raises:
        Conflict: the database is of a newer program, or another holds it for too long.
        DatabaseUnavailable: it cannot be written, or a migration would break what it holds.
    """
    if current(database) == head():
        return
    with (
        _one_at_a_time,
        faults_of(database.address),
        database.writing_engine.connect() as connection,
    ):
        if not isinstance(database.address, SqliteFile):
            with connection.begin():
                _upgrade(connection, database)
            return
        # SQLite alters a table by making it anew, and dropping the old one must not take along
        # the rows that refer to it. The pragma does nothing inside a transaction.
        _set_foreign_keys(connection, "OFF")
        try:
            with connection.begin():
                _upgrade(connection, database)
                if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                    raise DatabaseUnavailable(
                        f"After migration rows of {database.address} would refer to others that do"
                        " not exist. Nothing was changed; report it."
                    )
        finally:
            _set_foreign_keys(connection, "ON")


def current(database: Database) -> str | None:
    """Say what schema a database has, None where it has none yet."""
    return database.read(_current)


def head() -> str:
    """Say what schema this program needs."""
    return max(_known())


def _upgrade(connection: Connection, database: Database) -> None:
    from alembic import command
    from alembic.config import Config

    came = _current(connection)
    if came is not None and came not in _known():
        raise Conflict(
            f"{database.address} has schema {came}, of a newer Likeness than this one, which knows"
            f" {head()}. Run that one, or restore a backup made before it."
        )
    config = Config()
    config.set_main_option("script_location", "likeness.storage:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none()


def _known() -> set[str]:
    versions = resources.files("likeness.storage.migrations") / "versions"
    return {each.name[:4] for each in versions.iterdir() if each.name[:4].isdigit()}


def _set_foreign_keys(connection: Connection, state: str) -> None:
    connection.connection.cursor().execute(f"PRAGMA foreign_keys={state}")
