"""Servers on loopback for real clients: one whose networks see discs, or any application."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from starlette.types import ASGIApp

from likeness.app.serving import Serving
from likeness.config import Settings
from likeness.server import HttpServer, Place
from likeness.server.http_connection import Refuse
from tests.cli.conftest import InstallationWithDiscs, ship_standards


@dataclass(frozen=True)
class Running:
    """A server that answers, and a key that it knows."""

    url: str
    access_key_id: str
    secret: str
    home: Path = field(default=Path("/nowhere"), kw_only=True)

    def client(self, **chosen: Any) -> Any:
        """A boto3 client that asks once, so that errors are seen as they come."""
        settings = {
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": self.secret,
            "region_name": "eu-west-1",
            "config": Config(retries={"total_max_attempts": 1}, read_timeout=30),
        }
        return boto3.client("rekognition", endpoint_url=self.url, **{**settings, **chosen})


@contextmanager
def running(
    application: ASGIApp, refuse: Refuse | None = None, *, behind_proxy: bool = False
) -> Iterator[str]:
    """Serve an application from a thread; gives its URL."""
    server = HttpServer(Place(port=0, behind_proxy=behind_proxy), stop_within_s=10)
    thread = threading.Thread(target=server.run, args=(application, refuse), daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.stop()
        thread.join()


@contextmanager
def serving_discs(
    home: Path, shipped: Path, *, behind_proxy: bool = False, **chosen: object
) -> Iterator[tuple[Running, Serving]]:
    """Serve a home whose networks see discs; what is behind it comes beside."""
    installation = InstallationWithDiscs.__new__(InstallationWithDiscs)
    installation.shipped = shipped
    settings = Settings(home=home, cache=home / "cache", **chosen)  # type: ignore[arg-type]
    installation.__init__(settings)  # type: ignore[misc]
    with (
        Serving(installation) as serving,
        running(serving.router, serving.refuse_malformed, behind_proxy=behind_proxy) as url,
    ):
        key = serving.ensure_first_key()
        assert key is not None
        yield Running(url, key.access_key_id, key.secret, home=home), serving


@pytest.fixture(scope="session")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server of discs for all tests; each makes collections with names of its own."""
    shipped = ship_standards(tmp_path_factory.mktemp("shipped"))
    with serving_discs(tmp_path_factory.mktemp("home"), shipped) as (server, _):
        yield server


@pytest.fixture(scope="session")
def rekognition(discs: Running) -> Any:
    """A boto3 client of that server."""
    return discs.client()


@pytest.fixture
def serve() -> Iterator[Callable[[ASGIApp], str]]:
    """Serve applications until the test is over."""
    with ExitStack() as stack:
        yield lambda application: stack.enter_context(running(application))
