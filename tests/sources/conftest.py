"""A migrated database on each engine, and keys beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from likeness.secrets import KeyFiles, Keyring
from likeness.storage import migrate, open_database
from tests.sources.registering import Bench


@pytest.fixture
def bench(database_url: str, tmp_path: Path) -> Iterator[Bench]:
    with open_database(database_url, lock_timeout_s=30) as database:
        migrate(database)
        yield Bench(database, Keyring(KeyFiles(tmp_path / "keys")))
