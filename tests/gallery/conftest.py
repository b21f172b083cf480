"""A home on each database, and a gallery in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from likeness.gallery import Gallery
from tests.gallery.galleries import Home, make


@pytest.fixture
def home(database_url: str, tmp_path: Path) -> Iterator[Home]:
    home = Home(database_url, tmp_path)
    with home.database:
        yield home


@pytest.fixture
def gallery(home: Home) -> Iterator[Gallery]:
    """An open gallery with the empty collection `staff`."""
    with home.open() as gallery:
        make(gallery)
        yield gallery
