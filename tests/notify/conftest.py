"""Endpoints of AWS's protocols: moto's, and one that answers as a test says."""

from collections.abc import Iterator

import pytest

from tests.buckets.test_s3 import Answering, serving
from tests.services.moto import moto


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto() as address:
        yield address


class Posting(Answering):
    """Answers what is posted."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()


@pytest.fixture
def answering() -> Iterator[type[Answering]]:
    class Server(Posting):
        address = ""

    with serving(Server) as address:
        Server.address = address
        yield Server
