"""What one connection does, by a transport and a clock of our own."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvicorn
from prometheus_client import CollectorRegistry
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from likeness.server import Metrics, Refusals, http_connection
from likeness.server.addresses import address_of
from likeness.server.connections import Connections, Stage
from likeness.server.http_connection import HttpConnection, Surroundings

WHOLE = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
GRACE_S = 60
BODY = 1000


class Clock:
    """A loop whose time passes when it is told to; what it is asked to do is not begun."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.begun: list[Coroutine[Any, Any, None]] = []
        self._due: list[tuple[float, asyncio.TimerHandle]] = []
        self._loop = asyncio.new_event_loop()

    def call_later(
        self, delay_s: float, act: Callable[..., object], *given: Any
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(self.now_s + delay_s, act, given, self._loop)
        self._due.append((handle.when(), handle))
        return handle

    def call_soon(self, act: Callable[[], object]) -> asyncio.TimerHandle:
        return self.call_later(0, act)

    def create_task(self, doing: Coroutine[Any, Any, None]) -> "asyncio.Future[None]":
        self.begun.append(doing)
        return self._loop.create_future()

    def pass_s(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while due := sorted(one for one in self._due if one[0] <= until_s):
            self.now_s, handle = due[0]
            self._due.remove(due[0])
            if not handle.cancelled():
                handle._run()
        self.now_s = until_s

    def close(self) -> None:
        for doing in self.begun:
            doing.close()
        self._loop.close()


class Wire(asyncio.Transport):
    """Takes `room` bytes at once; what is beyond waits until somebody reads."""

    def __init__(self, room: int = 1 << 20) -> None:
        super().__init__()
        self.room = room
        self.written = b""
        self.waiting = 0
        self.aborted = False
        self.closed = 0
        self.protocol: HttpConnection | None = None
        self._closing = False
        self._high = 64 << 10

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high is not None
        self._high = high

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)
        taken = min(len(data), self.room)
        self.room -= taken
        self.waiting += len(data) - taken
        assert self.protocol is not None
        if self.waiting > self._high:
            self.protocol.pause_writing()

    def read(self, count: int) -> None:
        """Be read so much of."""
        self.waiting -= count
        assert self.protocol is not None
        if not self.waiting:
            self.protocol.resume_writing()

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True
        self.closed += 1

    def abort(self) -> None:
        self._closing = self.aborted = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Peer:
    """A connection, what it refuses, and the other side of it."""

    def __init__(
        self,
        clock: Clock,
        stopping: bool = False,
        room: int = 1 << 20,
        behind_proxy: bool = False,
    ) -> None:
        self.refused: list[str] = []
        self.wire = Wire(room)
        config = uvicorn.Config(
            nothing,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=10_000,
            timeout_graceful_shutdown=GRACE_S,
        )
        self._registry = CollectorRegistry()
        refusals = Refusals(Metrics(self._registry))
        held = Connections(9, 9, refusals).admit("192.0.2.7", lambda: None)
        assert held is not None
        self.held = held
        self.connection = HttpConnection(
            Surroundings(self._refuse, lambda: stopping, refusals, behind_proxy),
            held,
            config=config,
            server_state=ServerState(),
            app_state={},
            _loop=clock,
        )
        self.wire.protocol = self.connection
        self.connection.connection_made(self.wire)

    def send(self, data: bytes) -> None:
        self.connection.data_received(data)

    def answer(self, cycle: RequestResponseCycle | None = None, more_body: bool = False) -> None:
        """Answer what came last, or another; with `more_body` but for a byte."""
        length = [(b"content-length", str(BODY).encode())]
        content = bytes(BODY - more_body)
        for message in (
            {"type": "http.response.start", "status": 200, "headers": length},
            {"type": "http.response.body", "body": content, "more_body": more_body},
        ):
            asyncio.run((cycle or self.connection.cycle).send(message))  # type: ignore[arg-type]  # a union

    def _refuse(self, words: str, began_s: float, received_bytes: int) -> bytes:
        self.refused.append(words)
        return b"HTTP/1.1 400 Bad Request\r\n\r\n"

    def count(self, reason: str) -> float:
        """Give how many were refused for a reason."""
        labels = {"reason": reason}
        return self._registry.get_sample_value("likeness_refusals_total", labels) or 0

    def said(self) -> list[int]:
        """Give the statuses of what was answered so far."""
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", self.wire.written)]


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Never begun: the clock begins nothing."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    monkeypatch.setattr(http_connection, "_UNREAD_S", 30.0)
    monkeypatch.setattr(http_connection, "_STOP_S", 2.0)
    clock = Clock()
    yield clock
    clock.close()


@pytest.mark.parametrize("stopping", [False, True])
def test_who_comes_while_the_server_stops_is_let_go_at_once(clock: Clock, stopping: bool) -> None:
    assert Peer(clock, stopping).wire.aborted is stopping


@pytest.mark.parametrize("closing", [b"", b"Connection: close\r\n"])
def test_an_answer_of_which_nothing_is_read_is_not_waited_for(clock: Clock, closing: bytes) -> None:
    peer = Peer(clock, room=200)
    peer.send(WHOLE.replace(b"Host: x\r\n", b"Host: x\r\n" + closing))
    peer.answer()
    assert peer.wire.waiting
    clock.pass_s(29)
    assert not peer.wire.aborted
    clock.pass_s(31)
    assert peer.wire.aborted


@pytest.mark.parametrize("ending", [False, True])
def test_an_answer_that_is_read_is_waited_for_however_slowly(clock: Clock, ending: bool) -> None:
    peer = Peer(clock, room=200)
    peer.send(WHOLE)
    peer.answer()
    if ending:
        peer.connection.shutdown()
    for _ in range(4):
        peer.wire.read(20)
        clock.pass_s(2 if ending else 30)
        assert not peer.wire.aborted
    clock.pass_s(2 if ending else 30)
    assert peer.wire.aborted


def test_answer_upon_answer_of_one_size_is_progress(clock: Clock) -> None:
    peer = Peer(clock)
    for _ in range(4):
        peer.wire.room = 200
        peer.send(WHOLE)
        peer.answer()
        clock.pass_s(30)
        assert not peer.wire.aborted
        peer.wire.read(peer.wire.waiting)


def test_a_close_that_does_not_come_to_an_end_is_not_waited_for(clock: Clock) -> None:
    """Under TLS, what waits below it is not to be seen."""
    peer = Peer(clock)
    peer.wire.close()
    clock.pass_s(60)
    assert peer.wire.aborted


def test_what_closes_is_not_closed_again_at_the_end(clock: Clock) -> None:
    """Under TLS, asyncio's transport would then neither end nor tell what waits."""
    peer = Peer(clock)
    clock.pass_s(11)
    assert peer.wire.is_closing()
    peer.connection.shutdown()
    assert peer.wire.closed == 1
    clock.pass_s(2)
    assert peer.wire.aborted


def test_at_the_end_who_reads_nothing_is_not_waited_for(clock: Clock) -> None:
    peer = Peer(clock, room=200)
    peer.send(WHOLE)
    peer.answer()
    peer.send(WHOLE)  # and its answer would be waited for
    peer.connection.shutdown()
    clock.pass_s(2)
    assert not peer.wire.aborted
    clock.pass_s(2)
    assert peer.wire.aborted


def test_at_the_end_what_is_worked_on_has_its_time(clock: Clock) -> None:
    peer = Peer(clock)
    peer.send(WHOLE)
    peer.connection.shutdown()
    clock.pass_s(GRACE_S + 10)
    assert not peer.wire.aborted  # the server tells it that it has stopped
    peer.answer()
    clock.pass_s(2)
    assert peer.wire.aborted


@pytest.mark.parametrize("paused", ["before", "after"])
def test_once_there_is_no_time_nobody_waits_to_write(clock: Clock, paused: str) -> None:
    peer = Peer(clock, room=200)
    peer.send(WHOLE)
    peer.connection.shutdown()
    if paused == "before":
        clock.pass_s(GRACE_S - 1)
        peer.answer()
        clock.pass_s(0.9)
        assert not peer.wire.aborted
        clock.pass_s(0.1)
    else:
        clock.pass_s(GRACE_S)
        assert not peer.wire.aborted
        peer.answer()
        clock.pass_s(0)
    assert peer.wire.aborted


GARBAGE = [b"\x16\x03\x01 no http\r\n\r\n", b"GET / HTTP/1.1\r\na: " + bytes([97]) * (72 << 10)]


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("at_once", [False, True])
def test_what_is_no_http_is_said_behind_the_answer_to_what_came_before(
    clock: Clock, garbage: bytes, at_once: bool
) -> None:
    peer = Peer(clock)
    for sent in [WHOLE + garbage] if at_once else [WHOLE, garbage]:
        peer.send(sent)
    peer.send(WHOLE)
    clock.pass_s(60)
    assert peer.said() == []
    assert not peer.wire.is_closing()
    peer.answer()
    assert peer.said() == [200, 400]
    assert peer.wire.is_closing()
    assert len(clock.begun) == len(peer.refused) == 1


def test_behind_several_it_is_said_behind_the_last(clock: Clock) -> None:
    peer = Peer(clock)
    peer.send(WHOLE)
    first = peer.connection.cycle
    peer.send(WHOLE + GARBAGE[0])
    peer.answer(first)
    assert peer.said() == [200]
    peer.answer()
    assert peer.said() == [200, 200, 400]


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("ahead", [1, 2])
def test_a_request_that_breaks_behind_others_is_not_begun(
    clock: Clock, ahead: int, ends: bool
) -> None:
    peer, cycles = Peer(clock), []
    for _ in range(ahead):
        peer.send(WHOLE)
        cycles.append(peer.connection.cycle)
    peer.send(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    if ends:
        assert peer.connection.eof_received()
    else:
        peer.send(b"no length\r\n")
    for cycle in cycles:
        assert 400 not in peer.said()
        assert not peer.wire.is_closing()
        peer.answer(cycle)
    assert peer.said() == [200] * ahead + [400]
    assert len(clock.begun) == ahead


def test_a_request_that_breaks_behind_one_is_not_waited_for_at_the_end_and_that_one_is(
    clock: Clock,
) -> None:
    peer = Peer(clock)
    peer.send(WHOLE + b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n")
    peer.connection.shutdown()
    clock.pass_s(10)
    assert not peer.wire.is_closing()
    peer.answer()
    assert peer.said() == [200]
    assert peer.wire.is_closing()


def test_a_slow_head_does_not_cost_what_came_before_its_answer(clock: Clock) -> None:
    peer = Peer(clock)
    peer.send(WHOLE + WHOLE[:20])
    clock.pass_s(60)
    assert not peer.wire.is_closing()
    peer.answer()
    assert peer.said() == [200]
    assert peer.wire.is_closing()


@pytest.mark.parametrize("breaks", [False, True])
@pytest.mark.parametrize("started", [False, True])
def test_what_breaks_off_while_it_is_answered_is_told_nothing_else(
    clock: Clock, started: bool, breaks: bool
) -> None:
    peer = Peer(clock)
    peer.send(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    if started:
        peer.answer(more_body=True)
    if breaks:
        peer.send(b"no length\r\n")
    else:
        peer.connection.eof_received()
    assert peer.said() == ([200] if started else [400])
    assert peer.wire.is_closing()


@pytest.mark.parametrize("sent", [b"", WHOLE[:20]])
def test_an_end_behind_an_answer_closes(clock: Clock, sent: bytes) -> None:
    peer = Peer(clock)
    peer.send(WHOLE)
    peer.answer()
    peer.send(sent)
    kept = peer.connection.eof_received()
    assert peer.said() == ([200, 400] if sent else [200])
    assert peer.wire.is_closing() or not kept


@pytest.mark.parametrize("sent", [b"", WHOLE[:20]])
def test_an_end_behind_what_is_worked_on_waits_for_its_answer(clock: Clock, sent: bytes) -> None:
    peer = Peer(clock)
    peer.send(WHOLE + sent)
    assert peer.connection.eof_received()
    assert not peer.wire.is_closing()
    peer.answer()
    assert peer.said() == ([200, 400] if sent else [200])
    assert peer.wire.is_closing()


def test_a_connection_says_what_it_is_at(clock: Clock) -> None:
    peer = Peer(clock)
    assert peer.held.stage is Stage.NEW
    peer.send(WHOLE[:20])
    assert peer.held.stage is Stage.NEW
    peer.send(WHOLE[20:-1])
    assert peer.held.stage is Stage.SENDING
    peer.send(WHOLE[-1:] + WHOLE)
    assert peer.held.stage is Stage.WORKING
    assert peer.connection.pipeline
    peer.answer(peer.connection._worked_on)
    assert peer.held.stage is Stage.WORKING
    peer.answer()
    assert peer.held.stage is Stage.KEPT
    peer.send(WHOLE[:20])
    assert peer.held.stage is Stage.KEPT
    peer.connection.connection_lost(None)
    assert peer.held.connections.count == 0


def test_a_connection_is_closed_for_others_at_once(clock: Clock) -> None:
    peer = Peer(clock)
    assert peer.held.connections.close_one()
    assert peer.wire.aborted


@pytest.mark.parametrize(("sent", "count"), [(b"", 0), (WHOLE[:20], 1), (WHOLE + WHOLE[:20], 1)])
def test_a_head_that_does_not_end_is_counted(clock: Clock, sent: bytes, count: int) -> None:
    peer = Peer(clock)
    peer.send(sent)
    clock.pass_s(11)
    assert peer.count("slow-head") == count


@pytest.mark.parametrize(
    ("behind_proxy", "forwarded", "address"),
    [
        (False, b"X-Forwarded-For: 198.51.100.9\r\n", "192.0.2.7"),
        (True, b"X-Forwarded-For: 203.0.113.1, 198.51.100.9\r\n", "198.51.100.9"),
        (True, b"X-Forwarded-For: nobody\r\n", "192.0.2.7"),
        (True, b"", "192.0.2.7"),
    ],
)
def test_a_request_has_the_address_of_its_caller(
    clock: Clock, behind_proxy: bool, forwarded: bytes, address: str
) -> None:
    peer = Peer(clock, behind_proxy=behind_proxy)
    peer.send(WHOLE.replace(b"Host: x\r\n", b"Host: x\r\n" + forwarded))
    assert address_of(peer.connection.scope) == address
    peer.answer()
    peer.send(WHOLE)
    assert address_of(peer.connection.scope) == "192.0.2.7"
