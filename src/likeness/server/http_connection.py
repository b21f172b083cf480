"""One connection: how long the server waits for its other side to speak, or to listen.

uvicorn's own protocol waits for ever on a connection that has not sent a whole head yet, takes
heads of any size, keeps whatever headers follow a chunked body, lets
a line break between two requests hold a connection for ever, answers what is no HTTP in plain text
that stands in no log under the client's id, drops a client that closes its half of the connection
before it is answered, waits for ever for who does not read an answer, and does not stop before
everybody who has begun to ask has ended, or before everybody under TLS has said goodbye.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from likeness.server.addresses import ADDRESS, PROXIED, forwarded_address
from likeness.server.connections import Connection, Stage
from likeness.server.exchange import CUT, OVER
from likeness.server.refusals import Refusal, Refusals

_HEAD_S = 10.0
_HEAD_BYTES = 64 << 10
_UNREAD_S = 30.0  # in which something has to be read of an answer that waits
_STOP_S = 2.0  # for the rest of a request, for some of an answer, and for a goodbye under TLS
# A head that ends within a piece is counted by whole pieces; bodies cost little more in pieces.
_PIECE_BYTES = 4 << 10

Refuse = Callable[[str, float, int], bytes]
"""Refuses what is no request, with status 400 and `connection: close`, and takes note of it.

Gives all the bytes of the answer. Takes what is wrong with what came, when that began to come by
`time.perf_counter`, and how many bytes of it came."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a connection needs of its server: how to refuse, whether it stops, whose it is."""

    refuse: Refuse
    stopping: Callable[[], bool]
    refusals: Refusals
    behind_proxy: bool = False


class HttpConnection(HttpToolsProtocol):
    """A connection whose head has to come soon, and be small, and whose answers have to be read."""

    _head_due: asyncio.TimerHandle | None = None
    _look_due: asyncio.TimerHandle | None = None
    # How much waited to be read at the last look, and whether all that waited was read since.
    _left_bytes = 0
    _read_up = False
    _worked_on: RequestResponseCycle | None = None
    _broken_off = False
    _last_words: str | None = None
    _ending = False
    _over = False
    _in_head = False
    # What came since a head was complete or a piece of a body came: it leads to nothing yet.
    _idle_bytes = 0
    _idle_since_s = 0.0
    _got_on = False

    def __init__(self, around: Surroundings, held: Connection, **uvicorns: Any) -> None:
        """Tell `held` what the connection is at; the rest is uvicorn's own."""
        super().__init__(**uvicorns)
        self._around = around
        self._held = held
        # For answers that would go on for as long as somebody listens.
        self._no_more = asyncio.Event()
        more = {OVER: self._no_more, CUT: self._cut, ADDRESS: held.address}
        self.app_state = {**self.app_state, **more}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        """Give a new connection its time, unless it is too late."""
        super().connection_made(transport)
        self._held.close = transport.abort
        if self._around.stopping():
            transport.abort()
            return
        # So that it is told of all that waits; with 0, TLS would be told of what does not.
        transport.set_write_buffer_limits(high=1)
        self._await_head()
        self._look_in(_UNREAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the time, and make room for others."""
        self._held.leave()
        self._head_came()
        if self._look_due is not None:
            self._look_due.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Write nothing more until what waits is read; once there is no time, it never will be."""
        super().pause_writing()
        if self._over:
            self.loop.call_soon(self.transport.abort)

    def resume_writing(self) -> None:
        """Go on writing."""
        self._read_up = True
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Read what came, but of a head, or behind a body, no more than the limit."""
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        rest = memoryview(data)
        while rest and not (self.transport.is_closing() or self._broken_off):
            length = min(_PIECE_BYTES, _HEAD_BYTES - self._idle_bytes)
            self._read(rest[:length])
            rest = rest[length:]
        if (
            not (self.transport.is_closing() or self._broken_off)
            and self._head_due is None
            and self.cycle.response_complete
        ):
            self._await_head()  # what came has ended uvicorn's own wait, and begun no request

    def on_message_begin(self) -> None:
        """Give the head of the next request its time."""
        super().on_message_begin()
        self._in_head = True
        self._await_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; those behind a body are none of the request's."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._in_head, self._got_on = False, True
        self._head_came()
        if self._around.behind_proxy:
            forwarded = forwarded_address(self.headers)
            self.scope["state"] |= {ADDRESS: forwarded or self._held.address, PROXIED: True}
        super().on_headers_complete()
        if not self.pipeline:
            self._worked_on = self.cycle
        self._turn()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._got_on = True
        super().on_body(body)
        self._turn()

    def on_message_complete(self) -> None:
        """Wait for no more of this request."""
        super().on_message_complete()
        self._turn()

    def shutdown(self) -> None:
        """Begin to stop: finish what is whole, and give everything else a moment."""
        if not self.transport.is_closing():  # closed once more, TLS would forget how to be aborted
            super().shutdown()
        self._ending = True
        self._no_more.set()
        self._look_in(_STOP_S)
        self.loop.call_later(self.config.timeout_graceful_shutdown or 0, self._give_up)

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn's own gives None, as False
        """Still answer who will send no more, where the transport can: TLS ends as a whole."""
        self._no_more.set()  # who is gone looks like this, too
        if self.scheme == "https":
            return False
        cycle: RequestResponseCycle | None = self.cycle
        owed = cycle is not None and not cycle.response_complete
        if self._broken_off or not (owed or self._in_head):
            return self._broken_off
        if self._in_head or self.cycle.more_body:
            self._break_off("The connection ended within a request. Send the whole of it.")
        else:
            self.cycle.keep_alive = False
        return True

    def on_response_complete(self) -> None:
        """Go on with what came next; behind the last of it, say what was wrong with the rest."""
        if self._last_words and not (self.pipeline or self.transport.is_closing()):
            self.send_400_response(self._last_words)
        if self.pipeline:
            self._worked_on = self.pipeline[-1][0]
        super().on_response_complete()
        self._turn()

    def send_400_response(self, msg: str) -> None:
        """Say that this is no HTTP, and close."""
        self.transport.write(self._around.refuse(msg, self._idle_since_s, self._idle_bytes))
        self.transport.close()

    def _cut(self) -> None:
        """End the connection: what was announced of an answer does not come."""
        self.transport.abort()

    def _turn(self) -> None:
        """Say what the connection is at: nothing, a request that still comes, or its answer."""
        worked_on = self._worked_on
        if worked_on is None or worked_on.response_complete:
            self._held.turn(Stage.KEPT)
        else:
            self._held.turn(Stage.SENDING if worked_on.more_body else Stage.WORKING)

    def _look(self) -> None:
        """Let go of who reads nothing of what waits; at the end, of who is owed nothing either."""
        left_bytes = self._waiting_bytes()
        cycle: RequestResponseCycle | None = self.cycle
        # Behind a request that is worked on, others wait.
        answering = cycle is not None and not (cycle.response_complete or cycle.more_body)
        owed = answering or self.pipeline or left_bytes
        if self.transport.is_closing():
            left_bytes = left_bytes or 1  # TLS does not tell what waits below it
        unread = 0 < self._left_bytes <= left_bytes and not self._read_up
        self._left_bytes, self._read_up = left_bytes, False
        if unread or (self._ending and not owed):
            self.transport.abort()
        else:
            self._look_in(_STOP_S if self._ending else _UNREAD_S)

    def _waiting_bytes(self) -> int:
        try:
            return self.transport.get_write_buffer_size()
        except AttributeError:  # asyncio's own, of a connection under TLS that was closed twice
            return 0

    def _look_in(self, seconds: float) -> None:
        if self._look_due is not None:
            self._look_due.cancel()
        self._look_due = self.loop.call_later(seconds, self._look)

    def _give_up(self) -> None:
        """Let go of who does not read: the time is over, and nothing more can be told them."""
        self._over = True
        if self in self.connections and self.flow.write_paused:
            self.transport.abort()

    def _read(self, piece: memoryview) -> None:
        if not self._idle_bytes:
            self._idle_since_s = time.perf_counter()
        self._idle_bytes += len(piece)
        self._got_on = False
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            self.cycle.keep_alive = False  # no other protocol is spoken, and this one is over
        except httptools.HttpParserError:
            self._break_off("Not a request in HTTP/1.1. Send one.")
            return
        if self._got_on:
            self._idle_bytes = 0
        elif self._idle_bytes >= _HEAD_BYTES:
            self._break_off(f"The head is larger than {_HEAD_BYTES} bytes. Send less.")

    def _break_off(self, words: str | None) -> None:
        """Read nothing more, and say why, or just close, once all that came whole is answered.

        Before those answers a client would take it for one of them, and believe undone what is
        done.
        """
        self._broken_off = True
        self._head_came()
        if self.pipeline and self.cycle.more_body:
            self.pipeline.popleft()  # it is what is not whole, and nobody has begun it
            if ahead := self.pipeline[0][0] if self.pipeline else self._worked_on:
                self.cycle = ahead
        cycle: RequestResponseCycle | None = self.cycle
        owed = cycle is not None and not cycle.response_complete
        if owed and not self.cycle.more_body:
            self._last_words = words
            self.cycle.keep_alive = self.cycle.keep_alive and words is not None
        elif words is None or (owed and self.cycle.response_started):
            self.transport.close()
        else:
            self.send_400_response(words)

    def _break_off_slow(self) -> None:
        if self._in_head:  # who has sent nothing may be done, and has only not said so
            self._around.refusals.count(Refusal.SLOW_HEAD)
        self._break_off(None)
        if self.transport.is_closing() and self.scheme == "https" and not self._waiting_bytes():
            self.transport.abort()  # who says nothing will not say goodbye either

    def _await_head(self) -> None:
        self._head_came()
        self._head_due = self.loop.call_later(_HEAD_S, self._break_off_slow)

    def _head_came(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None
