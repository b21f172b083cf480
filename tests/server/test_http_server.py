"""Where a server listens, and where it will not."""

import socket
import threading
import urllib.error
import urllib.request
from asyncio import Transport
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from likeness.errors import InvalidRequest
from likeness.server import Certificate, HttpServer, Metrics, Place, Refusals
from likeness.server.http_connection import HttpConnection


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.test"])
def test_nothing_is_served_in_the_clear_beyond_loopback(host: str) -> None:
    with pytest.raises(InvalidRequest, match="--tls-cert and --tls-key, or --behind-proxy"):
        HttpServer(Place(host, 0), stop_within_s=1)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_served_in_the_clear(host: str) -> None:
    with HttpServer(Place(host, 0), stop_within_s=1) as server:
        assert server.url.startswith(f"http://{host}:")


@pytest.mark.parametrize("host", ["0.0.0.0", "0"])
def test_behind_a_proxy_every_address_may_be_listened_at(host: str) -> None:
    with HttpServer(Place(host, 0, behind_proxy=True), stop_within_s=1) as server:
        place, _, port = server.url.rpartition(":")
        assert place == f"http://{socket.gethostname()}"
        socket.create_connection(("127.0.0.1", int(port)), timeout=5).close()


def test_a_port_in_use_is_said_on_one_line() -> None:
    with (
        HttpServer(Place(port=0), stop_within_s=1) as first,
        pytest.raises(InvalidRequest, match=r"at 127.0.0.1 port \d+: in use. Choose") as caught,
    ):
        HttpServer(Place(port=int(first.url.rpartition(":")[2])), stop_within_s=1)
    assert "\n" not in str(caught.value)


def test_what_was_begun_is_answered_after_the_stop() -> None:
    entered, released = threading.Event(), threading.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        entered.set()
        await run_in_threadpool(released.wait, 20)
        await PlainTextResponse("done")(scope, receive, send)

    with HttpServer(Place(port=0), stop_within_s=20) as server, ThreadPoolExecutor() as pool:
        running = pool.submit(server.run, slow)
        answer = pool.submit(lambda: urllib.request.urlopen(server.url, timeout=20).read())
        assert entered.wait(20)
        server.stop()
        with pytest.raises(TimeoutError):
            running.result(0.5)
        released.set()
        assert answer.result(20) == b"done"
        running.result(20)
        with pytest.raises(urllib.error.URLError, match="refused"):
            urllib.request.urlopen(server.url, timeout=20)


def test_behind_a_proxy_one_address_has_its_share_of_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("likeness.server.http_server._MOST", 4)
    entered, released = threading.Semaphore(0), threading.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        entered.release()
        await run_in_threadpool(released.wait, 20)
        await PlainTextResponse("done")(scope, receive, send)

    def asked(address: str) -> int:
        forwarded = {"X-Forwarded-For": f"203.0.113.9, {address}"}
        request = urllib.request.Request(server.url, headers=forwarded)
        try:
            return int(urllib.request.urlopen(request, timeout=20).status)
        except urllib.error.HTTPError as error:
            return error.code

    registry = CollectorRegistry()
    place = Place(port=0, behind_proxy=True)
    with (
        Refusals(Metrics(registry)) as refusals,
        HttpServer(place, stop_within_s=20) as server,
        ThreadPoolExecutor() as pool,
    ):
        running = pool.submit(server.run, slow, None, refusals)
        try:
            greedy = [pool.submit(asked, "192.0.2.7") for _ in range(2)]
            assert all(entered.acquire(timeout=20) for _ in greedy)
            assert asked("192.0.2.7") == 503
            other = pool.submit(asked, "192.0.2.8")
            assert entered.acquire(timeout=20)
            released.set()
            assert [one.result(20) for one in (*greedy, other)] == [200] * 3
            assert asked("192.0.2.7") == 200
        finally:
            released.set()
            server.stop()
        running.result(20)
    reason = {"reason": "address-requests"}
    assert registry.get_sample_value("likeness_refusals_total", reason) == 1


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_bad_certificate_is_said_on_one_line(tmp_path: Path, content: bytes | None) -> None:
    chain, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    if content is not None:
        chain.write_bytes(content)
        key.write_bytes(content)
    with pytest.raises(InvalidRequest, match="Not a certificate and its key in PEM") as caught:
        HttpServer(Place(port=0, certificate=Certificate(chain, key)), stop_within_s=1)
    assert "\n" not in str(caught.value)


def test_what_is_no_http_is_refused_whatever_is_served() -> None:
    with HttpServer(Place(port=0), stop_within_s=20) as server, ThreadPoolExecutor() as pool:
        running = pool.submit(server.run, PlainTextResponse("done"))
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        try:
            with socket.create_connection(address, timeout=20) as connection:
                connection.sendall(b"\x16\x03\x01 no http\r\n\r\n")
                assert connection.recv(1000).startswith(b"HTTP/1.1 400 ")
        finally:
            server.stop()
        running.result(20)


def test_an_answer_does_not_wait_for_its_head_to_be_acknowledged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, delays = HttpConnection.connection_made, []

    def noted(self: HttpConnection, transport: Transport) -> None:
        accepted = transport.get_extra_info("socket")
        delays.append(not accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        made(self, transport)

    monkeypatch.setattr(HttpConnection, "connection_made", noted)
    with HttpServer(Place(port=0), stop_within_s=5) as server, ThreadPoolExecutor() as pool:
        running = pool.submit(server.run, PlainTextResponse("done"))
        urllib.request.urlopen(server.url, timeout=20).read()
        server.stop()
        running.result(20)
    assert delays == [False]
