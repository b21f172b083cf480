"""A database with its schema, a keyring, and a ledger in it, on each engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from likeness.ledger import Ledger
from likeness.secrets import KeyFiles, Keyring
from likeness.storage import Database, migrate, open_database
from tests.ledger.recording import Clock


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with open_database(database_url, lock_timeout_s=5) as database:
        migrate(database)
        yield database


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(KeyFiles(tmp_path / "keys"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(database: Database, keyring: Keyring, clock: Clock) -> Ledger:
    return Ledger(database, keyring, clock)
