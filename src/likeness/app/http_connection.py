"""How long does the server wait for somebody to speak? One connection, and its limits.

uvicorn's own protocol waits for ever on a connection that has not sent a whole head yet, takes
heads of any size and any number of connections, keeps whatever headers follow a chunked body, lets
a line break between two requests hold a connection for ever, answers what is no HTTP in plain text,
and drops a client that closes its half of the connection before it is answered.
"""

import asyncio
import json
from typing import Any
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

_HEAD_S = 10.0
_HEAD_BYTES = 64 << 10
_CONNECTIONS = 2048


class HttpConnection(HttpToolsProtocol):
    """A connection whose head has to come soon, and be small."""

    _head_due: asyncio.TimerHandle | None = None
    _in_head = False
    # What came since a head was complete or a piece of a body came: it leads to nothing yet.
    _idle_bytes = 0
    _got_on = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        """Give a new connection its time, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > _CONNECTIONS:
            transport.close()
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the time."""
        self._head_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes of a head that is not complete, or behind a body."""
        self._got_on = False
        super().data_received(data)
        if self.transport.is_closing():
            return
        self._idle_bytes = 0 if self._got_on else self._idle_bytes + len(data)
        if self._idle_bytes > _HEAD_BYTES:
            self.send_400_response(f"A head of at most {_HEAD_BYTES} bytes was expected.")
        elif self._head_due is None and self.cycle.response_complete:
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
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._got_on = True
        super().on_body(body)

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn's own gives None, as False
        """Still answer a request that is complete, where the transport can."""
        cycle: RequestResponseCycle | None = self.cycle
        if self.scheme == "https" or cycle is None or cycle.response_complete or cycle.more_body:
            return False
        cycle.keep_alive = False
        return True

    def send_400_response(self, msg: str) -> None:
        """Say in AWS's shape that this is no HTTP."""
        request_id = str(uuid4())
        words: dict[str, Any] = {
            "__type": "SerializationException",
            "Code": "SerializationException",
            "Logref": request_id,
            "Message": msg,
        }
        content = json.dumps(words).encode()
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.1\r\n"
            b"connection: close\r\nx-amzn-requestid: %b\r\ncontent-length: %d\r\n\r\n%b"
            % (request_id.encode(), len(content), content)
        )
        self.transport.close()

    def _await_head(self) -> None:
        self._head_came()
        self._head_due = self.loop.call_later(_HEAD_S, self.transport.close)

    def _head_came(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None
