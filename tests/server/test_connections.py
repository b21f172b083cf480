"""What a connection may bring: heads to their limit, what is no HTTP, half a request, an end."""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from starlette.types import Message

from likeness.rekognition.application import Application
from likeness.rekognition.call import Call, Request, Response
from likeness.server import Gate, HttpServer, Metrics, Place
from tests.rekognition.conftest import Running
from tests.rekognition.test_application import KEY_ID, SECRET, Keys

from .test_hostile import answer, connected, head, signed, works

pytestmark = pytest.mark.slow

MOST = 64 << 10


@dataclass(frozen=True)
class Noting(Running):
    """A server, what it counts, and its end."""

    registry: CollectorRegistry
    stop: Callable[[], None]

    def counted(self, operation: str, code: str) -> float | None:
        labels = {"operation": operation, "code": code}
        return self.registry.get_sample_value("likeness_requests_total", labels)


def nothing(call: Call, request: Request) -> Response:
    return {}


@contextmanager
def noting(
    operation: Callable[[Call, Request], Response] = nothing, stop_within_s: float = 10
) -> Iterator[Noting]:
    registry = CollectorRegistry()
    with (
        Gate(Keys(), Metrics(registry)) as gate,
        HttpServer(Place(port=0), stop_within_s) as server,
    ):
        application = Application({"ListCollections": operation}, gate)
        run = Thread(target=server.run, args=(application, application.refuse_malformed))
        run.start()
        try:
            yield Noting(server.url, KEY_ID, SECRET, registry, server.stop)
        finally:
            server.stop()
            run.join()


@pytest.fixture
def server() -> Iterator[Noting]:
    with noting() as server:
        yield server


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record)["fields"] for record in caplog.records if hasattr(record, "fields")]


def head_of(size: int, filling: bytes = b"x") -> bytes:
    """A head of so many bytes that asks for what there is not."""
    start, end = b"GET / HTTP/1.1\r\nHost: x\r\na: ", b"b\r\n\r\n"
    return start + filling * (size - len(start) - len(end)) + end


@pytest.mark.parametrize("piece", [MOST * 2, MOST - 10, 1500])
@pytest.mark.parametrize("filling", [b"x", b" "])
@pytest.mark.parametrize(("size", "status"), [(MOST, 404), (MOST + 1, 400)])
def test_a_head_has_64_kib_at_most_however_it_comes(
    server: Noting, size: int, status: int, filling: bytes, piece: int
) -> None:
    sent = head_of(size, filling)
    with connected(server) as connection:
        for start in range(0, len(sent), piece):
            connection.sendall(sent[start : start + piece])
        answered, _, document = answer(connection)
    assert answered == status
    if status == 400:
        assert document["Code"] == "SerializationException"
        assert "65536 bytes" in document["Message"]


def test_the_next_head_on_a_connection_is_held_to_the_same(server: Noting) -> None:
    with connected(server) as connection:
        for _ in range(3):
            connection.sendall(signed(server, b"{}"))
            assert answer(connection)[0] == 200
            connection.sendall(head_of(MOST))
            assert answer(connection)[0] == 404
        connection.sendall(head_of(MOST + 1))
        assert answer(connection)[0] == 400


def test_who_sends_100_mb_that_nobody_will_look_at_hears_so(server: Noting) -> None:
    sent, piece = 100 << 20, bytes(1 << 20)
    with connected(server) as connection:
        connection.sendall(head("POST / HTTP/1.1", {"Host": "x", "Content-Length": str(sent)}))
        for _ in range(sent // len(piece)):
            connection.sendall(piece)
        status, headers, document = answer(connection)
    assert (status, document["Code"]) == (400, "MissingAuthenticationTokenException")
    assert "connection" not in headers


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01 no http\r\n\r\n", b"POST / HTTP/1.1\r\n: x\r\n\r\n", head_of(MOST + 1)]
)
def test_what_is_no_http_is_a_line_of_the_log_and_is_counted(
    server: Noting, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    caplog.set_level(logging.INFO)
    with connected(server) as connection:
        connection.sendall(sent)
        _, headers, document = answer(connection)
        assert connection.recv(1) == b""
    (line,) = lines(caplog)
    assert line.pop("ms") >= 0
    assert line.pop("bytes_in") == min(len(sent), MOST)
    assert line.pop("bytes_out") == int(headers["content-length"])
    assert line == {
        "request_id": document["Logref"],
        "operation": "unknown",
        "principal": None,
        "status": 400,
        "code": "SerializationException",
    }
    assert server.counted("unknown", "SerializationException") == 1
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


def test_another_protocol_is_not_spoken(server: Noting, caplog: pytest.LogCaptureFixture) -> None:
    wanted = {"Host": "x", "Connection": "upgrade", "Upgrade": "websocket"}
    with connected(server) as connection:
        connection.sendall(head("GET / HTTP/1.1", wanted) + bytes(100))
        assert answer(connection)[1]["connection"] == "close"
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


def test_a_half_closed_connection_is_answered(server: Noting) -> None:
    with connected(server) as connection:
        connection.sendall(signed(server, b"{}"))
        connection.shutdown(socket.SHUT_WR)
        assert answer(connection)[0] == 200
        assert connection.recv(1) == b""


def test_a_connection_closed_within_a_request_is_told(server: Noting) -> None:
    for end in (1, 10, 200, -1):
        with connected(server) as connection:
            connection.sendall(signed(server, b"{}")[:end])
            connection.shutdown(socket.SHUT_WR)
            status, headers, document = answer(connection)
            assert (status, document["Code"]) == (400, "SerializationException")
            assert headers["connection"] == "close"
            assert connection.recv(1) == b""
    assert server.counted("unknown", "SerializationException") == 4
    assert works(server)


def test_a_connection_closed_between_requests_is_told_nothing(server: Noting) -> None:
    with connected(server) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    with connected(server) as connection:
        connection.sendall(signed(server, b"{}"))
        assert answer(connection)[0] == 200
        connection.sendall(b"\r\n")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""


def test_a_body_that_is_not_whole_at_the_end_is_noted_and_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with noting() as server, connected(server) as connection:
        connection.sendall(signed(server, b"{}", Expect="100-continue")[:-1])
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        server.stop()
        assert connection.recv(1) == b""
    (line,) = lines(caplog)
    assert (line["operation"], line["status"], line["code"]) == (
        "ListCollections",
        499,
        "ClientLeft",
    )
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


def test_what_outlasts_the_end_is_answered_and_noted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "likeness")
    begun, let_go = Event(), Event()

    def wait(call: Call, request: Request) -> Response:
        begun.set()
        let_go.wait(20)
        return {}

    with noting(wait, stop_within_s=1) as server, connected(server) as connection:
        connection.sendall(signed(server, b"{}"))
        assert begun.wait(20)
        server.stop()
        status, _, document = answer(connection)
        assert (status, document["Code"]) == (500, "InternalServerError")
        assert "stopped" in document["Message"]
        let_go.set()
    (line,) = lines(caplog)
    assert (line["request_id"], line["status"]) == (document["Logref"], 500)
    assert "Exception in ASGI application" not in caplog.text


def test_a_refusal_whose_rest_is_still_read_at_the_end_is_told_and_noted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "likeness")
    sent: list[Message] = []

    async def refuse() -> None:
        reading = asyncio.Event()

        async def receive() -> Message:
            reading.set()
            return await asyncio.Future()

        async def send(message: Message) -> None:
            sent.append(message)

        headers = [(b"content-length", b"10")]
        scope = {"method": "POST", "raw_path": b"/", "query_string": b"", "headers": headers}
        with Gate(Keys(), Metrics(CollectorRegistry())) as gate:
            asking = asyncio.ensure_future(Application({}, gate)(scope, receive, send))
            await reading.wait()
            asking.cancel()
            await asking

    asyncio.run(refuse())
    assert sent[0]["status"] == 400
    assert (b"connection", b"close") in sent[0]["headers"]
    (line,) = lines(caplog)
    assert (line["status"], line["code"]) == (400, "MissingAuthenticationTokenException")
