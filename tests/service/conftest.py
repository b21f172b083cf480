"""A home on each database, whose networks see discs, with the empty collection `staff`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from likeness.service.uses import Home
from tests.cli.conftest import ship_standards
from tests.service.people import home_at, make


@pytest.fixture(scope="session")
def standards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the standards of discs lie."""
    return ship_standards(tmp_path_factory.mktemp("shipped"))


@pytest.fixture
def home(database_url: str, tmp_path: Path, standards: Path) -> Iterator[Home]:
    with home_at(tmp_path, database_url, standards) as home:
        make(home)
        yield home


@pytest.fixture
def sqlite_home(tmp_path: Path, standards: Path) -> Iterator[Home]:
    """The same on SQLite alone."""
    with home_at(tmp_path, "", standards) as home:
        make(home)
        yield home
