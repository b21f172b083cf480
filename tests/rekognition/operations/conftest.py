"""A server of a home whose networks see discs, empty for each test, and boto3 in front of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from likeness.access import Credential, RequestTokens
from likeness.buckets import FolderBuckets
from likeness.rekognition.application import Application
from likeness.rekognition.backend import Backend, PageTokens
from likeness.rekognition.operations import OPERATIONS
from likeness.server import Gate, Limits, Metrics
from likeness.service.uses import Home
from likeness.terms import Principal, Role
from tests.cli.conftest import ship_standards
from tests.gallery import erase
from tests.gallery.galleries import Clock, at
from tests.rekognition.conftest import Running, running
from tests.service.people import home_at

ADMIN = Principal("key:admin", Role.ADMIN)


class OneKey:
    """Knows one access key."""

    def __init__(self, principal: Principal) -> None:
        self._credential = Credential("secret", principal, enabled=True)

    def find(self, access_key_id: str) -> Credential | None:
        return self._credential if access_key_id == "LKIATEST" else None


def backend_of(home: Home, buckets: Path, clock: Callable[[], datetime]) -> Backend:
    """Put together what operations need of a home."""
    return Backend(
        **home.parts() | {"clock": clock},
        buckets=FolderBuckets(buckets),
        page_tokens=PageTokens(home.keyring, clock),
        request_tokens=RequestTokens(home.keyring, clock),
        account="000000000000",
    )


@pytest.fixture(scope="session")
def standards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the standards of discs lie."""
    return ship_standards(tmp_path_factory.mktemp("shipped"))


@pytest.fixture(scope="session")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where everything lies: the home, and the folder of buckets with the empty one `pictures`."""
    folder = tmp_path_factory.mktemp("operations")
    (folder / "buckets" / "pictures").mkdir(parents=True)
    return folder


@pytest.fixture(scope="session")
def backend(folder: Path, standards: Path, clock: Clock) -> Iterator[Backend]:
    with home_at(folder, "", standards) as home:
        yield backend_of(home, folder / "buckets", clock)


@contextmanager
def serving(backend: Backend, principal: Principal = ADMIN) -> Iterator[Any]:
    """Serve to a principal; gives a boto3 client."""
    operations = {name: partial(operation, backend) for name, operation in OPERATIONS.items()}
    limits = Limits(picture_workers=8)
    with (
        Gate(OneKey(principal), Metrics(CollectorRegistry()), limits) as gate,
        running(Application(operations, gate)) as url,
    ):
        yield Running(url, "LKIATEST", "secret").client()


@pytest.fixture(scope="session")
def client(backend: Backend) -> Iterator[Any]:
    with serving(backend) as client:
        yield client


@pytest.fixture
def rekognition(client: Any, backend: Backend) -> Iterator[Any]:
    """A client, and the empty collection `staff`, alone until the test is over."""
    client.create_collection(CollectionId="staff")
    yield client
    for collection in backend.gallery.collections():
        erase.collection(backend.gallery, collection.name)


def tag_as_before(backend: Backend, tagged: dict[str, str]) -> None:
    """Tag `staff` as could be done before every value had to be known."""
    opened = backend.gallery.in_use.open(backend.gallery.collection("staff"))
    backend.database.write(lambda connection: at(connection, opened.seal).tags.put(tagged))
