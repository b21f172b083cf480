"""A database with its schema on each engine, a keyring, and a clock to set."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from likeness.secrets import KeyFiles, Keyring
from likeness.storage import Database, migrate, open_database


class Clock:
    """A clock that goes when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.passed_s = 0.0

    def __call__(self) -> datetime:
        return self.now

    def go(self, **on: float) -> None:
        """Go on, or be set back while as much time passes."""
        self.now += timedelta(**on)
        self.passed_s += abs(timedelta(**on).total_seconds())

    def seconds(self) -> float:
        """How much time has passed, as no clock that is set back says it."""
        return self.passed_s


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with open_database(database_url, lock_timeout_s=30) as database:
        migrate(database)
        yield database


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(KeyFiles(tmp_path / "keys"))


@pytest.fixture
def clock() -> Clock:
    return Clock()
