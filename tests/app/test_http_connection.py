"""What one connection does, by a transport and a clock of our own."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any
from uuid import UUID

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from likeness.app import http_connection
from likeness.app.http_connection import HttpConnection

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

    def call_later(self, delay_s: float, act: Callable[[], object]) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(self.now_s + delay_s, act, (), self._loop)
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

    def abort(self) -> None:
        self._closing = self.aborted = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Peer:
    """A connection, what it notes, and the other side of it."""

    def __init__(self, clock: Clock, stopping: bool = False, room: int = 1 << 20) -> None:
        self.noted: list[UUID] = []
        self.wire = Wire(room)
        config = uvicorn.Config(
            nothing,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=10_000,
            timeout_graceful_shutdown=GRACE_S,
        )
        self.connection = HttpConnection(
            lambda request_id, began_s, received, answered: self.noted.append(request_id),
            lambda: stopping,
            config=config,
            server_state=ServerState(),
            app_state={},
            _loop=clock,
        )
        self.wire.protocol = self.connection
        self.connection.connection_made(self.wire)

    def send(self, data: bytes) -> None:
        self.connection.data_received(data)

    def answer(self, more_body: bool = False) -> None:
        """Answer what came last."""
        length = [(b"content-length", str(BODY).encode())]
        content = bytes(BODY - more_body)
        for message in (
            {"type": "http.response.start", "status": 200, "headers": length},
            {"type": "http.response.body", "body": content, "more_body": more_body},
        ):
            asyncio.run(self.connection.cycle.send(message))  # type: ignore[arg-type]  # a union


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
