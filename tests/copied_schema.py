"""The schema as a copy of what the migrations made once, for tests of all but the migrations.

Alembic takes ten times as long as its statements. Copies are installations of their own.
"""

import sqlite3
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect, update

from likeness.storage import Database, SqliteFile, open_database
from likeness.storage.metadata import INSTALLATION

_MODULE = import_module("likeness.storage.schema")
OF_0_1_0 = "0014"
"""What a database of 0.1.0 says that its schema is."""

migrate_by_alembic: Callable[[Connection, Database], None] = _MODULE._upgrade
"""Migrates as the program does, whatever is copied."""


def copy_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `migrate` copy the schema into SQLite's databases that have no table yet."""
    monkeypatch.setattr(_MODULE, "_upgrade", _upgrade)


def become_another_installation(connection: Connection) -> None:
    """Give a copied database the id of an installation of its own."""
    connection.execute(update(INSTALLATION).values(id=uuid4()))


def _upgrade(connection: Connection, database: Database) -> None:
    if not isinstance(database.address, SqliteFile) or inspect(connection).get_table_names():
        migrate_by_alembic(connection, database)
        return
    for statement in _statements():
        connection.exec_driver_sql(statement)
    become_another_installation(connection)


@cache
def _statements() -> tuple[str, ...]:
    """Give the statements that make the schema, and the rows that it starts with."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "likeness.db"
        with (
            open_database(f"sqlite:///{path}") as database,
            database.writing_engine.begin() as connection,
        ):
            migrate_by_alembic(connection, database)
        made = sqlite3.connect(path)
        try:
            # The first and the last statement begin and commit a transaction.
            return tuple(made.iterdump())[1:-1]
        finally:
            made.close()


def migrate_to(database: Database, revision: str) -> None:
    """Bring a database to the schema of an older Likeness."""
    config = Config()
    config.set_main_option("script_location", "likeness.storage:migrations")
    with database.writing_engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
