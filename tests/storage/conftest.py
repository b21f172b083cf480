"""An open database on each engine, and a table to fill."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Column, LargeBinary, MetaData, String, Table, UniqueConstraint

from likeness.storage import Database, Identifier, Instant, Serial, open_database

# Not on METADATA, which is what migrations are held to.
THINGS = Table(
    "things",
    MetaData(),
    Column("number", Serial, primary_key=True),
    Column("name", String, nullable=False),
    Column("id", Identifier),
    Column("at", Instant),
    Column("content", LargeBinary),
    UniqueConstraint("name"),
)


@pytest.fixture(autouse=True)
def copied_schema() -> None:
    """Migrations run as they are."""


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    return empty_database_url


@pytest.fixture
def things() -> Table:
    return THINGS


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database with the table `things`."""
    with open_database(database_url, lock_timeout_s=5) as database:
        database.write(THINGS.metadata.create_all)
        yield database
