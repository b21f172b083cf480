"""A database with its schema on each engine."""

from collections.abc import Iterator

import pytest

from likeness.storage import Database, migrate, open_database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with open_database(database_url, lock_timeout_s=30) as database:
        migrate(database)
        yield database
