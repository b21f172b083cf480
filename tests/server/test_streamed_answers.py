"""Answers that go on: sent piece by piece, until they end, nobody listens, or the server stops."""

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from likeness.server import (
    Answer,
    BodyLimits,
    Door,
    Exchange,
    Gate,
    HttpServer,
    Metrics,
    Place,
    http_connection,
)
from tests.rekognition.test_application import Keys

SOON_S = 20


class Telling(Door):
    """Answers whoever asks with what is told, for as long as they listen."""

    def __init__(self, gate: Gate) -> None:
        super().__init__(gate, BodyLimits())
        self.told = asyncio.Queue[bytes | None]()
        self.listened = threading.Event()
        self.ended = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.length: int | None = None

    def open(self, exchange: Exchange) -> bool:
        return False

    async def answer(self, exchange: Exchange) -> Answer:
        self.loop = asyncio.get_running_loop()
        return Answer(200, "OK", b"", {"Content-Length": "0"}, self._pieces, self.length)

    def word(self, error: Exception, request_id: UUID, operation: str) -> Answer:
        raise error

    def tell(self, piece: bytes | None) -> None:
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self.told.put_nowait, piece)

    async def _pieces(self, over: asyncio.Event) -> AsyncGenerator[bytes, None]:
        self.listened.set()
        try:
            while not over.is_set():
                try:
                    piece = await asyncio.wait_for(self.told.get(), 0.02)
                except TimeoutError:
                    continue
                if piece is None:
                    return
                if piece == b"fail":
                    raise ValueError("a secret")
                yield piece
        finally:
            self.ended.set()


class Served:
    """A door that is served."""

    def __init__(self, server: HttpServer, door: Telling) -> None:
        self.door = door
        self.stop = server.stop
        self.port = int(server.url.rpartition(":")[2])

    def listen(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=SOON_S)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert self.door.listened.wait(SOON_S)
        return connection


@pytest.fixture
def served() -> Iterator[Served]:
    with (
        Gate(Keys(), Metrics(CollectorRegistry())) as gate,
        HttpServer(Place(port=0), 60) as server,
    ):
        door = Telling(gate)
        run = threading.Thread(target=server.run, args=(door,))
        run.start()
        try:
            yield Served(server, door)
        finally:
            server.stop()
            run.join()


def read_until(connection: socket.socket, end: Callable[[bytes], bool]) -> bytes:
    received = b""
    while not end(received):
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    return received


def test_each_piece_is_sent_when_it_comes(served: Served) -> None:
    with served.listen() as connection:
        for piece in (b"one", b"three"):
            served.door.tell(piece)
            received = read_until(connection, lambda so_far, p=piece: p in so_far)  # type: ignore[misc]
        assert received.endswith(b"5\r\nthree\r\n")
        served.door.tell(None)
        assert read_until(connection, lambda so_far: so_far.endswith(b"0\r\n\r\n"))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")  # it goes on
        head = read_until(connection, lambda so_far: b"\r\n\r\n" in so_far)
    assert b"transfer-encoding: chunked" in head
    assert b"content-length" not in head


def test_a_length_that_is_known_is_said(served: Served) -> None:
    served.door.length = 8
    with served.listen() as connection:
        for piece in (b"one", b"three", None):
            served.door.tell(piece)
        received = read_until(connection, lambda so_far: so_far.endswith(b"onethree"))
        assert b"content-length: 8\r\n" in received
        assert b"chunked" not in received
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")  # it goes on
        read_until(connection, lambda so_far: b"\r\n\r\n" in so_far)


def test_of_what_only_the_head_is_asked_for_no_more_is_made(served: Served) -> None:
    served.door.length = 8
    with socket.create_connection(("127.0.0.1", served.port), timeout=SOON_S) as connection:
        connection.sendall(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert served.door.listened.wait(SOON_S)
        served.door.tell(b"one")
        assert served.door.ended.wait(SOON_S)
        received = read_until(connection, lambda so_far: so_far.endswith(b"\r\n\r\n"))
        assert b"content-length: 8\r\n" in received
        served.door.tell(b"one then")
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")  # it goes on
        received = read_until(connection, lambda so_far: so_far.endswith(b"one then"))
        assert received.startswith(b"HTTP/1.1 200")


def test_who_gets_less_than_was_said_is_told_by_the_end(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    served.door.length = 8
    with served.listen() as connection:
        for piece in (b"one", None):
            served.door.tell(piece)
        read_until(connection, lambda so_far: so_far.endswith(b"one"))
        assert connection.recv(1) == b""
    served.stop()
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


def test_it_ends_when_who_listens_is_gone(served: Served) -> None:
    served.listen().close()
    assert served.door.ended.wait(SOON_S)


def test_it_ends_whole_when_who_listens_will_send_no_more(served: Served) -> None:
    with served.listen() as connection:
        connection.shutdown(socket.SHUT_WR)
        assert served.door.ended.wait(SOON_S)
        assert read_until(connection, lambda so_far: so_far.endswith(b"0\r\n\r\n"))


def test_it_ends_whole_and_at_once_when_the_server_stops(served: Served) -> None:
    with served.listen() as connection:
        served.stop()
        assert served.door.ended.wait(SOON_S)
        received = read_until(connection, lambda so_far: so_far.endswith(b"0\r\n\r\n"))
        assert connection.recv(1) == b""
    assert received.startswith(b"HTTP/1.1 200 ")


def test_who_reads_nothing_is_let_go(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "_UNREAD_S", 0.2)
    with served.listen():
        for _ in range(64):
            served.door.tell(bytes(1 << 20))
        assert served.door.ended.wait(SOON_S)


def test_what_breaks_off_is_ended_and_in_the_log_without_its_reason(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with served.listen() as connection:
        served.door.tell(b"fail")
        read_until(connection, lambda so_far: so_far.endswith(b"0\r\n\r\n"))
    (said,) = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert "broke off: ValueError" in said
    assert "secret" not in caplog.text
