"""A migrated database on each engine, keys beside it, and cases to judge."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from likeness.secrets import KeyFiles, Keyring
from likeness.storage import migrate, open_database
from tests.review.judging import Desk


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    with open_database(database_url, lock_timeout_s=30) as database:
        migrate(database)
        yield Desk(database, Keyring(KeyFiles(tmp_path / "keys")))
