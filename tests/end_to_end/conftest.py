"""A home that is served, the command line beside it, and whoever holds a key of it."""

import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from likeness.app.serving import Serving
from likeness.config import read_settings
from tests.cli.conftest import (  # noqa: F401  # fixtures
    InstallationWithDiscs,
    Outcome,
    likeness,
    standards,
)
from tests.rekognition.conftest import running
from tests.rekognition.operations.discs import Colour, disc

_IN_FORCE_WITHIN_S = 3.0
REGION = "us-east-1"
THORN = ("--organisation", "Thorn", "--sector", "law-enforcement", "--jurisdiction", "US")
IN_EUROPE = ("--sector", "border-control", "--jurisdiction", "EU")


def soon(holds: Callable[[], Any]) -> Any:
    """What holds of a running server within the second that a change has, and a slow machine's."""
    deadline = time.monotonic() + _IN_FORCE_WITHIN_S
    while True:
        try:
            if held := holds():
                return held
        except (ClientError, AssertionError, pytest.fail.Exception):
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline
        time.sleep(0.05)


@dataclass(frozen=True)
class Caller:
    """Somebody with an access key, and what they can call."""

    url: str
    access_key_id: str
    secret: str

    def rekognition(self, **headers: str) -> Any:
        """A boto3 client that asks once, and states headers, signed, as docs/server.md says."""
        client = boto3.client(
            "rekognition",
            endpoint_url=self.url,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret,
            region_name=REGION,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
        )

        def state(request: Any, **_: Any) -> None:
            for name, value in headers.items():
                request.headers[name.replace("_", "-")] = value

        client.meta.events.register("before-sign.rekognition", state)
        return client

    def v1(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Call one of Likeness's own acts."""
        content = b"" if body is None else json.dumps(body).encode()
        request = AWSRequest(method, f"{self.url}/v1/{path}", data=content)
        request.headers["Content-Type"] = "application/json"
        SigV4Auth(Credentials(self.access_key_id, self.secret), "rekognition", REGION).add_auth(
            request
        )
        headers = dict(request.headers)
        return httpx.request(method, request.url, content=content, headers=headers, timeout=30)


@dataclass(frozen=True)
class Served:
    """A server of a home, and the command line of whoever runs it."""

    url: str
    command: Callable[..., Outcome]
    admin: Caller

    def json(self, *arguments: object) -> Any:
        """Run a command that has to succeed, and read what it prints."""
        outcome = self.command(*arguments, "--json")
        assert outcome.code == 0, outcome.err
        return json.loads(outcome.out)

    def entries(self) -> list[dict[str, Any]]:
        """All entries of the ledger, the oldest first."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "entries.jsonl"
            assert self.command("ledger", "export", "--out", out).code == 0
            return [json.loads(line) for line in out.read_text().splitlines()]

    def database(self) -> sqlite3.Connection:
        """The rows, for somebody who ruins them."""
        return sqlite3.connect(Path(os.environ["LIKENESS_HOME"]) / "likeness.db")

    def key(self, name: str, *options: str) -> Caller:
        """Make somebody a key at the command line."""
        made = self.json("keys", "create", name, *options)
        caller = Caller(self.url, made["access_key_id"], made["secret_access_key"])
        soon(lambda: caller.v1("GET", "receipts/none").status_code != 401)
        return caller


@pytest.fixture
def serve(likeness: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:  # noqa: F811
    """Serve the command line's home with some settings: `serve(LIKENESS_CROPS="on")`."""
    with ExitStack() as stack:

        def start(**settings: str) -> Served:
            for name, value in settings.items():
                monkeypatch.setenv(name, value)
            serving = stack.enter_context(Serving(InstallationWithDiscs(read_settings())))
            url = stack.enter_context(running(serving.router))
            first = serving.ensure_first_key()
            assert first is not None
            return Served(url, likeness, Caller(url, first.access_key_id, first.secret))

        yield start


def receipt_of(answer: Mapping[str, Any]) -> str:
    """The id of an answer's receipt."""
    return str(answer["ResponseMetadata"]["HTTPHeaders"]["x-likeness-receipt"])


def case_of(answer: Mapping[str, Any]) -> str | None:
    """The id of the case that an answer waits for."""
    return answer["ResponseMetadata"]["HTTPHeaders"].get("x-likeness-case")


def refused(act: Callable[[], Any]) -> str:
    """What a client is told that is refused."""
    with pytest.raises(ClientError) as error:
        act()
    assert error.value.response["Error"]["Code"] == "AccessDeniedException"
    return str(error.value.response["Error"]["Message"])


def people(server: Served, *colours: Colour, name: str = "c") -> None:
    """Make a collection with a face of each colour."""
    rekognition = server.admin.rekognition()
    rekognition.create_collection(CollectionId=name)
    for number, colour in enumerate(colours):
        rekognition.index_faces(
            CollectionId=name, Image={"Bytes": disc(colour)}, ExternalImageId=f"p{number}"
        )


def search(caller: Caller, picture: bytes, collection: str = "c", **headers: str) -> Any:
    """Search a collection by a picture."""
    return caller.rekognition(**headers).search_faces_by_image(
        CollectionId=collection, Image={"Bytes": picture}
    )
