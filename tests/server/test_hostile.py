"""Whatever is sent, the answer has AWS's shape, and the server goes on."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from starlette.types import Receive, Scope, Send

from likeness.rekognition.application import Application
from likeness.server import BodyLimits, Gate, Limits, Metrics, http_connection
from tests.rekognition.conftest import Running, running
from tests.rekognition.test_application import KEY_ID, SECRET, Keys

pytestmark = pytest.mark.slow

TARGET = "RekognitionService.ListCollections"
LIMITS = Limits(body=BodyLimits(body_bytes=100_000, held_bytes=150_000, body_s=0.5))


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """A wire with small limits that answers every operation with nothing."""
    names = ("ListCollections", "CreateCollection", "IndexFaces")
    with Gate(Keys(), Metrics(CollectorRegistry()), LIMITS) as gate:
        application = Application({name: lambda call, request: {} for name in names}, gate)
        with running(application, application.refuse_malformed) as url:
            yield Running(url, KEY_ID, SECRET)


def signed(server: Running, body: bytes, target: str = TARGET, **more: str) -> bytes:
    """A whole request, as bytes."""
    sent = AWSRequest("POST", server.url + "/", data=body)
    for name, value in {"X-Amz-Target": target, **more}.items():
        sent.headers[name] = value
    SigV4Auth(
        Credentials(server.access_key_id, server.secret), "rekognition", "eu-west-1"
    ).add_auth(sent)
    headers = {**dict(sent.headers), "Host": server.url.removeprefix("http://")}
    return head("POST / HTTP/1.1", {**headers, "Content-Length": str(len(body))}) + body


def head(line: str, headers: dict[str, str]) -> bytes:
    lines = [line, *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@contextmanager
def connected(server: Running) -> Iterator[socket.socket]:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        yield connection


def answer(connection: socket.socket) -> tuple[int, dict[str, str], Any]:
    """Read one answer, and check that it has AWS's shape."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    top, _, content = received.partition(b"\r\n\r\n")
    line, *lines = top.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in lines)}
    while len(content) < int(headers["content-length"]):
        content += connection.recv(65536)
    assert headers["content-type"] == "application/x-amz-json-1.1"
    document = json.loads(content)
    status = int(line.split()[1])
    if status != 200:
        assert document.keys() == {"__type", "Code", "Logref", "Message"}
        assert document["__type"] == document["Code"]
        assert UUID(document["Logref"]) == UUID(headers["x-amzn-requestid"])
        assert not re.search(r"Traceback|\.py|line \d", document["Message"])
    return status, headers, document


def asked(server: Running, *pieces: bytes) -> tuple[int, Any]:
    with connected(server) as connection:
        for piece in pieces:
            connection.sendall(piece)
        status, _, document = answer(connection)
    return status, document


def works(server: Running) -> bool:
    return asked(server, signed(server, b"{}")) == (200, {})


def test_a_request_as_it_should_be_is_answered(server: Running) -> None:
    assert works(server)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("RekognitionService.Nothing", "X-Amz-Target names no operation"),
        ("RekognitionService.DetectLabels", "DetectLabels is not offered by Likeness."),
        ("RekognitionService.__class__", "X-Amz-Target names no operation"),
        ("DynamoDB_20120810.ListTables", "X-Amz-Target names no operation"),
        ("ListCollections", "X-Amz-Target names no operation"),
        ("", "X-Amz-Target names no operation"),
    ],
)
def test_a_wrong_target_is_no_operation(server: Running, target: str, words: str) -> None:
    status, document = asked(server, signed(server, b"{}", target))
    assert (status, document["Code"]) == (400, "UnknownOperationException")
    assert document["Message"].startswith(words)


@pytest.mark.parametrize("line", ["GET / HTTP/1.1", "PUT / HTTP/1.1", "POST /other HTTP/1.1"])
def test_another_method_or_path_is_no_operation(server: Running, line: str) -> None:
    status, document = asked(server, head(line, {"Host": "x", "Content-Length": "0"}))
    assert (status, document["Code"]) == (404, "UnknownOperationException")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\x00", b"[" * 90_000, b'{"MaxResults":1e999}'])
def test_a_malformed_body_cannot_be_read(server: Running, body: bytes) -> None:
    status, document = asked(server, signed(server, body))
    assert (status, document["Code"]) == (400, "SerializationException")


def test_a_body_is_not_parsed_before_its_hash_is_proven(server: Running) -> None:
    request = signed(server, b'{"a":1}')
    status, document = asked(server, request.replace(b'{"a":1}', b'{"a":1,'[:7]))
    assert (status, document["Code"]) == (400, "InvalidSignatureException")


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_too_large_is_refused_and_its_sender_hears_why(
    server: Running, declared: bool
) -> None:
    request = signed(server, b"")
    if declared:
        pieces = [
            request.replace(b"Content-Length: 0", b"Content-Length: 20000000"),
            bytes(20_000_000),
        ]
    else:
        chunk = b"%x\r\n%b\r\n" % (500_000, bytes(500_000))
        chunked = request.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        pieces = [chunked, chunk * 40, b"0\r\n\r\n"]
    status, document = asked(server, *pieces)
    assert (status, document["Code"]) == (413, "RequestEntityTooLargeException")
    assert works(server)


def test_a_body_too_large_is_refused_before_it_is_sent(server: Running) -> None:
    request = signed(server, b"", Expect="100-continue")
    status, document = asked(
        server, request.replace(b"Content-Length: 0", b"Content-Length: 20000000")
    )
    assert (status, document["Code"]) == (413, "RequestEntityTooLargeException")


def test_a_body_under_a_key_that_is_none_is_not_kept(server: Running) -> None:
    """Else a few strangers who send slowly would take all the room there is for bodies."""
    known = signed(server, bytes(90_000))
    unknown = known.replace(KEY_ID.encode(), b"LKIA" + b"X" * 16)
    with connected(server) as first, connected(server) as second:
        first.sendall(unknown[:-1])
        second.sendall(unknown[:-1])
        status, document = asked(server, known)
        assert (status, document["Code"]) == (400, "SerializationException")
        assert answer(first)[2]["Code"] == "UnrecognizedClientException"


def test_a_body_of_somebody_unknown_is_not_kept(server: Running) -> None:
    request = head("POST / HTTP/1.1", {"Host": "x", "Content-Length": "1000000"})
    status, document = asked(server, request, bytes(1_000_000))
    assert (status, document["Code"]) == (400, "MissingAuthenticationTokenException")


def test_a_body_whose_declared_hash_is_falsely_signed_is_not_kept(server: Running) -> None:
    false = Running(server.url, KEY_ID, "another secret")
    declared = "0" * 64
    request = signed(false, bytes(90_000), **{"X-Amz-Content-SHA256": declared})
    with connected(server) as first:
        first.sendall(request[:-1])
        assert asked(server, signed(server, bytes(90_000)))[1]["Code"] == "SerializationException"
        assert answer(first)[2]["Code"] == "InvalidSignatureException"


def test_a_slow_sender_is_cut(server: Running) -> None:
    request = signed(server, b"{}")
    with connected(server) as connection:
        connection.sendall(request[:-1])
        status, headers, document = answer(connection)
        assert (status, document["Code"]) == (408, "RequestTimeoutException")
        assert headers["connection"] == "close"
        assert connection.recv(1) == b""
    assert works(server)


def test_who_never_ends_a_body_keeps_nobody_out(server: Running) -> None:
    request = signed(server, bytes(90_000))
    with connected(server) as first:
        first.sendall(request[:-1])
        codes = [asked(server, request)[1]["Code"] for _ in range(3)]
        assert codes[-1] == "SerializationException"
        late = ("RequestTimeoutException", "ProvisionedThroughputExceededException")
        assert answer(first)[2]["Code"] in late
    assert works(server)


def test_requests_in_a_row_on_one_connection_are_all_answered(server: Running) -> None:
    with connected(server) as connection:
        for _ in range(3):
            connection.sendall(signed(server, b"{}"))
            assert answer(connection)[0] == 200
        connection.sendall(head("GET / HTTP/1.1", {"Host": "x"}))
        assert answer(connection)[0] == 404
        connection.sendall(signed(server, b"{}"))
        assert answer(connection)[0] == 200


def test_what_is_no_http_is_answered_in_aws_shape(server: Running) -> None:
    status, document = asked(server, b"\x16\x03\x01 no http\r\n\r\n")
    assert (status, document["Code"]) == (400, "SerializationException")


@pytest.mark.parametrize(
    "line",
    [
        "OPTIONS * HTTP/1.1",
        "CONNECT example:1 HTTP/1.1",
        "POST http://example HTTP/1.1",
        "POST //example//../ HTTP/1.1",
        "POST /%ff%00 HTTP/1.1",
        "POST / HTTP/1.0",
        "POST /?x=%zz HTTP/1.1",
        "HEAD / HTTP/1.1",
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Connection": "upgrade", "Upgrade": "websocket"},
        {"Content-Length": "-1"},
        {"Content-Length": "9" * 5000},
        {"Transfer-Encoding": "chunked", "Content-Length": "5"},
        {"Content-Length": "0", "Authorization": "\xff"},
    ],
)
def test_odd_requests_end_without_a_failure(
    server: Running, caplog: pytest.LogCaptureFixture, line: str, headers: dict[str, str]
) -> None:
    with connected(server) as connection:
        connection.sendall(head(line, {"Host": "x", **headers}))
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert received == b"" or re.match(rb"HTTP/1.1 4\d\d ", received)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    assert works(server)


def test_a_head_without_end_is_cut(server: Running) -> None:
    with connected(server) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nx: " + bytes([97]) * 200_000)
        assert answer(connection)[2]["Code"] == "SerializationException"


def test_a_slow_head_is_cut(monkeypatch: pytest.MonkeyPatch, server: Running) -> None:
    monkeypatch.setattr(http_connection, "_HEAD_S", 0.2)
    for sent in (b"", b"POST / HT", b"POST / HTTP/1.1\r\nHost: x\r\n"):
        with connected(server) as connection:
            connection.sendall(sent)
            assert connection.recv(1) == b""


def test_a_line_break_between_requests_holds_no_connection(
    monkeypatch: pytest.MonkeyPatch, server: Running
) -> None:
    with connected(server) as connection:
        connection.sendall(signed(server, b"{}"))
        assert answer(connection)[0] == 200
        monkeypatch.setattr(http_connection, "_HEAD_S", 0.3)
        connection.sendall(b"\r\n")
        assert connection.recv(1000) == b""


def test_headers_behind_a_body_count_as_nothing(server: Running) -> None:
    request = signed(server, b"{}").replace(
        b"Content-Length: 2\r\n\r\n{}",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Likeness-Case: 1\r\n\r\n",
    )
    assert asked(server, request) == (200, {})


@pytest.mark.parametrize("endless", [b"a: b\r\n", b"a"])
def test_headers_behind_a_body_without_end_are_cut(endless: bytes) -> None:
    begun = threading.Event()

    async def patient(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        while (await receive())["type"] != "http.disconnect":
            pass

    request = head("POST / HTTP/1.1", {"Host": "x", "Transfer-Encoding": "chunked"}) + b"0\r\na"
    with (
        Gate(Keys(), Metrics(CollectorRegistry())) as gate,
        running(patient, Application({}, gate).refuse_malformed) as url,
        connected(Running(url, KEY_ID, SECRET)) as connection,
    ):
        connection.sendall(request)
        assert begun.wait(20)
        connection.sendall(endless * (100_000 // len(endless)))
        status, _, document = answer(connection)
    assert (status, document["Code"]) == (400, "SerializationException")


@pytest.mark.parametrize(
    "name", ["\x00", "a\x00b", "\u202e", "a\r\nb", "../../etc", "é", "\U0001f600", "a" * 256, " "]
)
def test_odd_names_are_refused(server: Running, name: str) -> None:
    body = json.dumps({"CollectionId": name}).encode()
    status, document = asked(server, signed(server, body, "RekognitionService.CreateCollection"))
    assert (status, document["Code"]) == (400, "ValidationException")


@settings(max_examples=150)
@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=10),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["CollectionId", "Image", "Bytes", "x"]), inner)
            ),
            max_leaves=8,
        ).map(lambda document: json.dumps(document).encode()),
    ),
    operation=st.sampled_from(["ListCollections", "CreateCollection", "IndexFaces", "DetectText"]),
)
def test_whatever_body_comes_is_answered(server: Running, body: bytes, operation: str) -> None:
    status, _ = asked(server, signed(server, body, f"RekognitionService.{operation}"))
    assert status in (200, 400)


odd_words = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f")
)
pieces = [
    *("AWS4-HMAC-SHA256 ", "Credential=", "SignedHeaders=", "Signature=", ",", "/", "="),
    *("host;x-amz-date", "LKIAEXAMPLE", "/eu-west-1/rekognition/aws4_request"),
]


@settings(max_examples=150)
@given(
    authorization=st.one_of(
        odd_words,
        st.lists(st.sampled_from(pieces)).map("".join),
    ),
    moment=st.one_of(odd_words, st.just(f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}")),
)
def test_whatever_signature_comes_is_refused(
    server: Running, authorization: str, moment: str
) -> None:
    headers = {"Host": "x", "Authorization": authorization, "X-Amz-Date": moment}
    status, document = asked(server, head("POST / HTTP/1.1", {**headers, "Content-Length": "0"}))
    assert status == 400
    assert document["Code"] in (
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    )
