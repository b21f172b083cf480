"""boto3 in front of the operations of a home whose networks see discs, without a socket between.

A client signs, serialises and parses as ever; what it sends is parsed against the service model and
done by the operation itself, in this process. tests/rekognition has the server.
"""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config

from likeness.access import RequestTokens
from likeness.app import Installation, Workload
from likeness.app.collections import calibration_of
from likeness.app.home import Home
from likeness.buckets import FolderBuckets
from likeness.errors import LikenessError
from likeness.rekognition.call import Call
from likeness.rekognition.contract import contract
from likeness.rekognition.faults import AwsError, in_aws_words
from likeness.rekognition.operations import OPERATIONS
from likeness.rekognition.page_tokens import PageTokens
from likeness.rekognition.parsing import parse
from likeness.rekognition.serialising import serialise
from likeness.rekognition.served import Served
from likeness.service.create_collection import TemplatesOf
from likeness.service.unrecorded import UnrecordedDesk
from likeness.terms.use import Principal, Role
from tests.cli.conftest import ship_standards
from tests.gallery.galleries import Clock
from tests.service.people import home_at

ADMIN = Principal("key:admin", Role.ADMIN)


def serve(home: Home, buckets: Path, clock: Callable[[], datetime]) -> Served:
    """Put together what operations need of a home."""
    installation: Installation = home.installation
    finder = installation.finder(installation.engine(Workload.ONE))
    dimensions = installation.recogniser.dimensions
    assert dimensions is not None
    return Served(
        database=home.database,
        keyring=home.keyring,
        gallery=home.gallery,
        desk=UnrecordedDesk(home.database),
        buckets=FolderBuckets(buckets),
        finder=finder,
        limits=installation.limits,
        templates=TemplatesOf(finder.model, dimensions, finder.cohort_version),
        calibration=installation.standards.calibration(finder.model, finder.cohort_version),
        calibration_of=partial(calibration_of, home),
        page_tokens=PageTokens(home.keyring, clock),
        request_tokens=RequestTokens(home.keyring, clock),
        account="000000000000",
        clock=clock,
    )


class _Raw(io.BytesIO):
    def stream(self, **_: object) -> Iterator[bytes]:
        while chunk := self.read(1 << 16):
            yield chunk


def client_of(served: Served, principal: Principal = ADMIN) -> Any:
    """Make a boto3 client whose requests are done by `served`."""

    def send(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        name = request.headers["X-Amz-Target"].decode().partition(".")[2]
        wanted = contract(name)
        assert wanted is not None
        call = Call(name, principal, "eu-west-1", uuid4())
        try:
            try:
                response = OPERATIONS[name](served, call, parse(wanted, request.body))
            except LikenessError as error:
                raise in_aws_words(error, wanted.errors) from error
            status, content = 200, serialise(wanted, response)
        except AwsError as error:
            status = error.status
            content = json.dumps({"__type": error.code, "Message": error.message}).encode()
        return AWSResponse(request.url, status, dict(call.headers), _Raw(content))

    client = boto3.client(
        "rekognition",
        region_name="eu-west-1",
        aws_access_key_id="LKIATEST",
        aws_secret_access_key="secret",
        endpoint_url="http://127.0.0.1:1",
        config=Config(retries={"total_max_attempts": 1}),
    )
    client.meta.events.register("before-send.rekognition", send)
    return client


@pytest.fixture(scope="session")
def standards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the standards of discs lie."""
    return ship_standards(tmp_path_factory.mktemp("shipped"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def buckets(tmp_path: Path) -> Path:
    """A folder of buckets, with the empty one `pictures`."""
    (tmp_path / "buckets" / "pictures").mkdir(parents=True)
    return tmp_path / "buckets"


@pytest.fixture
def served(tmp_path: Path, standards: Path, buckets: Path, clock: Clock) -> Iterator[Served]:
    with home_at(tmp_path, "", standards) as home:
        yield serve(home, buckets, clock)


@pytest.fixture
def rekognition(served: Served) -> Any:
    """A client, and the empty collection `staff`."""
    client = client_of(served)
    client.create_collection(CollectionId="staff")
    return client


@pytest.fixture
def with_limits(served: Served) -> Callable[..., Any]:
    """Make a client of the same home under narrower limits."""
    return lambda **changed: client_of(replace(served, limits=replace(served.limits, **changed)))
