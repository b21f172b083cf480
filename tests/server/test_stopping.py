"""How a server stops: what is whole is answered, and nobody who owes something is waited for."""

import asyncio
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from likeness.server import Certificate, HttpServer, Place, http_connection
from tests.certificates import make_certificate

pytestmark = pytest.mark.slow

WHOLE = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
STOP_WITHIN_S = 120
SOON_S = 30  # however slow the machine is; far from what it would wait otherwise


class Slow:
    """Reads a body, then works until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.working = threading.Semaphore(0)
        self.let_go = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.release()
        try:
            await Request(scope, receive).body()
        except ClientDisconnect:
            return
        self.working.release()
        await run_in_threadpool(self.let_go.wait, 20)
        await PlainTextResponse("done")(scope, receive, send)


@pytest.fixture
def slow() -> Iterator[Slow]:
    slow = Slow()
    yield slow
    slow.let_go.set()


class Stopping:
    """A server that runs until it is stopped."""

    def __init__(self, server: HttpServer, application: ASGIApp) -> None:
        self.port = int(server.url.rpartition(":")[2])
        self._server = server
        self._thread = threading.Thread(target=server.run, args=(application,))
        self._thread.start()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def stop(self) -> None:
        self._server.stop()

    def stop_and_see(self) -> None:
        """Stop, and wait until it has begun to."""
        self.stop()
        for _ in range(1000):
            try:
                self.connect().close()
            except OSError:
                return
            time.sleep(0.02)
        raise AssertionError("it is still listened to")

    def ended(self, within_s: float) -> bool:
        self._thread.join(within_s)
        return not self._thread.is_alive()


@contextmanager
def running(
    application: ASGIApp, certificate: Certificate | None = None, within_s: float = STOP_WITHIN_S
) -> Iterator[Stopping]:
    with HttpServer(Place(port=0, certificate=certificate), within_s) as server:
        stopping = Stopping(server, application)
        try:
            yield stopping
        finally:
            stopping.stop()
            assert stopping.ended(STOP_WITHIN_S + 10)


def received(connection: socket.socket) -> bytes:
    """Read until the end."""
    pieces = []
    try:
        while piece := connection.recv(65536):
            pieces.append(piece)
    except ConnectionResetError:
        pass
    return b"".join(pieces)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("sent", [b"", WHOLE[:20], WHOLE[:-1]])
def test_who_has_not_asked_yet_is_not_waited_for(
    slow: Slow, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with running(slow) as server, server.connect() as connection:
        connection.sendall(sent)
        if sent == WHOLE[:-1]:
            assert slow.begun.acquire(timeout=20)
        server.stop()
        assert server.ended(SOON_S)
        assert received(connection) == b""
    assert errors(caplog) == []


def test_what_is_whole_is_answered_whoever_else_is_cut(slow: Slow) -> None:
    with running(slow) as server, server.connect() as whole, server.connect() as part:
        whole.sendall(WHOLE)
        assert slow.working.acquire(timeout=20)
        part.sendall(WHOLE[:-1])
        server.stop()
        assert received(part) == b""
        assert not server.ended(within_s=0.5)
        slow.let_go.set()
        assert received(whole).endswith(b"done")
        assert server.ended(SOON_S)


def test_who_is_nearly_done_asking_has_a_moment(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connection, "_STOP_S", SOON_S)
    slow.let_go.set()
    with running(slow) as server, server.connect() as connection:
        connection.sendall(WHOLE[:-1])
        assert slow.begun.acquire(timeout=20)
        server.stop_and_see()
        connection.sendall(WHOLE[-1:])
        assert received(connection).endswith(b"done")


def test_half_a_request_behind_a_whole_one_does_not_cost_that_its_answer(slow: Slow) -> None:
    with running(slow) as server, server.connect() as connection, server.connect() as part:
        connection.sendall(WHOLE)
        assert slow.working.acquire(timeout=20)
        connection.sendall(WHOLE[:-1])
        part.sendall(WHOLE[:20])
        server.stop()
        assert received(part) == b""  # who is owed nothing is cut by now
        slow.let_go.set()
        assert b"done" in received(connection)
        assert server.ended(SOON_S)


def test_who_says_no_goodbye_under_tls_is_not_waited_for(slow: Slow, tmp_path: Path) -> None:
    chain, key = make_certificate(tmp_path)
    slow.let_go.set()
    with running(slow, Certificate(chain, key)) as server:
        context = ssl.create_default_context(cafile=chain)
        with context.wrap_socket(server.connect(), server_hostname="127.0.0.1") as connection:
            connection.sendall(WHOLE)
            answer = b""
            while not answer.endswith(b"done"):
                answer += connection.recv(65536)
            server.stop()
            assert server.ended(SOON_S)


def test_who_comes_too_late_is_not_waited_for(slow: Slow) -> None:
    with running(slow) as server:
        server.connect().close()
        server.stop()
        late = []
        try:
            while len(late) < 100:
                late.append(server.connect())
        except OSError:
            pass
        assert server.ended(SOON_S)
        for connection in late:
            connection.close()


class Endless:
    """Answers more than anybody's buffers hold."""

    def __init__(self) -> None:
        self.writing = threading.Event()
        self.ended = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        self.writing.set()
        try:
            for _ in range(100):
                await send(
                    {"type": "http.response.body", "body": bytes(1 << 20), "more_body": True}
                )
        finally:
            self.ended.set()
        await send({"type": "http.response.body"})


def deaf(server: Stopping) -> socket.socket:
    """Connect as somebody who will read nothing."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    connection.connect(("127.0.0.1", server.port))
    return connection


def test_who_reads_no_answer_holds_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "_UNREAD_S", 0.1)
    endless = Endless()
    with running(endless) as server, deaf(server) as connection:
        connection.sendall(WHOLE * 100)
        assert endless.ended.wait(20)


@pytest.mark.parametrize("stop_s", [0.1, 60])
def test_who_reads_no_answer_does_not_keep_the_server_from_stopping(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, stop_s: float
) -> None:
    monkeypatch.setattr(http_connection, "_STOP_S", stop_s)
    endless = Endless()
    with running(endless, within_s=1) as server, deaf(server) as connection:
        connection.sendall(WHOLE * 100)
        assert endless.writing.wait(20)
        server.stop()
        assert server.ended(SOON_S)
    assert "Traceback" not in caplog.text


def test_what_outlasts_the_end_is_told_and_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    begun = threading.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await asyncio.sleep(STOP_WITHIN_S)

    with (
        running(endless, within_s=1) as server,
        server.connect() as connection,
        ThreadPoolExecutor() as pool,
    ):
        connection.sendall(WHOLE)
        assert begun.wait(20)
        answer = pool.submit(received, connection)
        server.stop()
        assert answer.result(20).startswith(b"HTTP/1.1 503 ")
    (said,) = errors(caplog)
    assert "timeout graceful shutdown exceeded" in said


def test_an_answer_that_has_begun_is_not_begun_again(caplog: pytest.LogCaptureFixture) -> None:
    begun = threading.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        begun.set()
        await asyncio.sleep(STOP_WITHIN_S)

    with running(endless, within_s=1) as server, server.connect() as connection:
        connection.sendall(WHOLE)
        assert begun.wait(20)
        server.stop()
        answer = received(connection)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert "Traceback" not in caplog.text
