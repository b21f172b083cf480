"""Connections that take and give nothing, over real sockets, beside others that are answered."""

import errno
import os
import resource
import socket
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from likeness.server import Certificate, HttpServer, Metrics, Place, Refusals, listener
from tests.certificates import make_certificate

WHOLE = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
SILENT_S = 0.2


async def done(scope: Scope, receive: Receive, send: Send) -> None:
    await Request(scope, receive).body()
    await PlainTextResponse("done")(scope, receive, send)


def read_to_the_end(connection: socket.socket) -> bytes:
    pieces = []
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


class Listening:
    """A server that answers `done`, and what it refused."""

    def __init__(self, server: HttpServer, registry: CollectorRegistry, chain: Path | None) -> None:
        self.port = int(server.url.rpartition(":")[2])
        self._registry = registry
        self._context = ssl.create_default_context(cafile=chain) if chain else None

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        place = ("127.0.0.1", self.port)
        return socket.create_connection(place, timeout=20, source_address=(source, 0))

    def ask(self, connection: socket.socket | None = None) -> bytes:
        with ExitStack() as opened:
            asking = connection or opened.enter_context(self.connect())
            if self._context:
                asking = opened.enter_context(self.shake_hands(asking))
            asking.sendall(WHOLE.replace(b"Host: x", b"Host: x\r\nConnection: close"))
            answer = read_to_the_end(asking)
        return answer.rpartition(b"\r\n")[2]

    def shake_hands(self, connection: socket.socket) -> ssl.SSLSocket:
        assert self._context is not None
        return self._context.wrap_socket(connection, server_hostname="127.0.0.1")

    def refused(self, reason: str) -> float:
        labels = {"reason": reason}
        return self._registry.get_sample_value("likeness_refusals_total", labels) or 0


@pytest.fixture
def listening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AbstractContextManager[Listening]]:
    monkeypatch.setattr(listener, "_SILENT_S", SILENT_S)
    monkeypatch.setattr(listener, "_HANDSHAKE_S", SILENT_S)

    @contextmanager
    def listen(*, tls: bool) -> Iterator[Listening]:
        chain, key = make_certificate(tmp_path) if tls else (None, None)
        certificate = Certificate(chain, key) if chain and key else None
        registry = CollectorRegistry()
        with (
            Refusals(Metrics(registry)) as refusals,
            HttpServer(Place(port=0, certificate=certificate), 10) as server,
        ):
            run = threading.Thread(target=server.run, args=(done, None, refusals))
            run.start()
            try:
                yield Listening(server, registry, chain)
            finally:
                server.stop()
                run.join()

    return listen


def hello() -> bytes:
    """The first message of a handshake."""
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    speaking = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="x.test")
    with pytest.raises(ssl.SSLWantReadError):
        speaking.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize(
    ("tls", "sent", "reason"),
    [
        (False, b"", "silent"),
        (True, b"", "silent"),
        (True, hello()[:1], "silent"),
        (True, hello()[:5], "silent"),
        (True, hello()[:-1], "silent"),
        (True, hello(), "slow-handshake"),
    ],
    ids=["plain", "tls", "a byte", "a record's head", "nearly all", "no more"],
)
def test_who_does_not_go_on_is_let_go_while_others_are_answered(
    listening: Callable[..., AbstractContextManager[Listening]], tls: bool, sent: bytes, reason: str
) -> None:
    with listening(tls=tls) as server, server.connect() as quiet:
        quiet.sendall(sent)
        assert server.ask() == b"done"
        read_to_the_end(quiet)
        assert server.ask() == b"done"
        assert server.refused(reason) == 1


def test_a_handshake_in_pieces_is_one(
    listening: Callable[..., AbstractContextManager[Listening]],
) -> None:
    """Pieces of the first message wake nothing until it is whole."""
    with listening(tls=True) as server, server.connect() as slow:
        whole = hello()
        for piece in (whole[:2], whole[2:9], whole[9:]):
            slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            slow.sendall(piece)
            assert server.ask() == b"done"
        assert slow.recv(1) == b"\x16"


@pytest.mark.parametrize("sent", [b"", hello()[:3], hello()[:40]], ids=["nothing", "a bit", "half"])
def test_who_is_gone_is_no_refusal(
    listening: Callable[..., AbstractContextManager[Listening]], sent: bytes
) -> None:
    with listening(tls=True) as server:
        with server.connect() as gone:
            gone.sendall(sent)
            gone.shutdown(socket.SHUT_WR)
            assert read_to_the_end(gone) == b""
        assert server.ask() == b"done"
        assert server.refused("silent") == 0


def test_one_address_makes_room_for_itself_and_not_for_others(
    listening: Callable[..., AbstractContextManager[Listening]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "_SILENT_S", 20.0)
    monkeypatch.setattr("likeness.server.http_server._MOST", 20)
    with listening(tls=False) as server, ExitStack() as opened:
        other = opened.enter_context(server.connect("127.0.0.2"))
        many = [opened.enter_context(server.connect()) for _ in range(40)]
        assert server.ask() == b"done"
        assert server.refused("idle-connections") == 31
        assert [one.recv(1) for one in many[:31]] == [b""] * 31
        assert server.ask(other) == b"done"


SERVER = """
import resource, sys
from starlette.responses import PlainTextResponse
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (limit // 2, limit))
from likeness.server import HttpServer, Place, log_json_lines
log_json_lines()
with HttpServer(Place(port=0), 5) as server:
    print(server.url, flush=True)
    if len(sys.argv) > 2:  # somebody takes what was to be in reserve
        import likeness.server.http_server as inside
        inside.descriptors_for_connections = lambda: 1000
    server.run(PlainTextResponse("done"))
"""


@contextmanager
def process(limit: int, *more: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    command = [sys.executable, "-c", SERVER, str(limit), *more]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as served:
        assert served.stdout is not None
        try:
            yield served.stdout.readline().strip(), served
        finally:
            served.terminate()


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["greedy"]], ids=["reserve", "no reserve"])
def test_descriptors_do_not_run_out(more: list[str]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 1000:
        pytest.skip("this test needs descriptors of its own")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1000), hard))
    try:
        with process(128, *more) as (url, served), ExitStack() as opened:
            place = ("127.0.0.1", int(url.rpartition(":")[2]))
            for _ in range(400):
                opened.enter_context(socket.create_connection(place, timeout=20))
            for _ in range(10):
                assert urllib.request.urlopen(url, timeout=20).read() == b"done"
            used = len(list(Path(f"/proc/{served.pid}/fd").iterdir()))
            assert used <= (128 if more else 80)
            served.terminate()
            _, said = served.communicate(timeout=20)
            assert served.returncode == 0
            assert '"reason": "idle-connections"' in said
            assert ('"reason": "descriptors"' in said) is bool(more)
            assert said.count("\n") < 10
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
def test_a_process_that_may_open_too_little_says_so() -> None:
    with process(24) as (_, served):
        _, said = served.communicate(timeout=20)
    assert "may open only 24 files and connections" in said
    assert "ulimit -n" in said


@pytest.mark.parametrize("number", [errno.ECONNABORTED, errno.EPERM, errno.EMFILE])
def test_no_error_of_taking_a_connection_ends_the_listening(
    listening: Callable[..., AbstractContextManager[Listening]],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    accept, failed = socket.socket.accept, threading.Event()

    def fail_once(self: socket.socket) -> tuple[socket.socket, object]:
        if not failed.is_set():
            failed.set()
            raise OSError(number, os.strerror(number))
        return accept(self)

    with listening(tls=False) as server:
        monkeypatch.setattr(socket.socket, "accept", fail_once)
        first = server.ask()
        assert failed.is_set()
        assert first == (b"" if number == errno.EMFILE else b"done")
        assert server.ask() == b"done"


def test_who_says_nothing_after_the_handshake_is_let_go_without_a_goodbye(
    listening: Callable[..., AbstractContextManager[Listening]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("likeness.server.http_connection._HEAD_S", SILENT_S)
    with listening(tls=True) as server:
        quiet = server.shake_hands(server.connect())
        assert read_to_the_end(quiet) == b""
        with socket.socket(fileno=quiet.detach()) as below:
            below.settimeout(5)
            assert read_to_the_end(below) == b""
        assert server.ask() == b"done"
    assert [one.message for one in caplog.records if one.name == "asyncio"] == []
