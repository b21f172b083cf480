"""What tests copy is what migrations make, on both engines."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, inspect, select, text

from likeness.storage import current, head, migrate, open_database
from tests.copied_schema import migrate_by_alembic


def described(connection: Connection) -> dict[str, Any]:
    """Everything that makes the schema, and how many rows it starts with."""
    inspector = inspect(connection)
    tables = MetaData()
    tables.reflect(connection)
    schema: dict[str, Any] = {
        name: (
            [{**column, "type": str(column["type"])} for column in inspector.get_columns(name)],
            inspector.get_pk_constraint(name),
            by_name(inspector.get_foreign_keys(name)),
            by_name([written(index) for index in inspector.get_indexes(name)]),
            by_name(inspector.get_unique_constraints(name)),
            by_name(inspector.get_check_constraints(name)),
            len(connection.execute(select(table)).all()),  # some say when they were made
        )
        for name, table in tables.tables.items()
    }
    if connection.dialect.name == "sqlite":
        statements = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
        schema["statements"] = connection.execute(text(statements)).all()
    return schema


def written(index: Any) -> dict[str, Any]:
    """An index whose condition, if it has one, is text, so that it equals another."""
    options = index.get("dialect_options", {})
    return {**index, "dialect_options": {name: str(value) for name, value in options.items()}}


def by_name(parts: list[Any]) -> list[Any]:
    return sorted(parts, key=lambda part: str(part["name"]))


def test_a_copied_database_is_as_a_migrated_one(
    database_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    is_file = database_url.startswith("sqlite:")
    in_file = f"sqlite:///{tmp_path / 'migrated.db'}"
    migrated_url = in_file if is_file else request.getfixturevalue("postgresql_url")
    with open_database(database_url) as copied, open_database(migrated_url) as migrated:
        migrate(copied)
        with migrated.writing_engine.begin() as connection:
            migrate_by_alembic(connection, migrated)
        expected = migrated.read(described)
        assert copied.read(described) == expected
        assert current(copied) == current(migrated) == head()
    assert {"alembic_version", "installation"} < expected.keys()
