"""One way into the server, as an ASGI application: what it answers is noted, whatever comes."""

import asyncio
import logging
import traceback
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping
from pathlib import Path
from uuid import UUID, uuid4

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

import likeness
from likeness.server.errors import Malformed, Stopped
from likeness.server.exchange import Answer, Body, BodyLimits, Exchange
from likeness.server.gate import Gate
from likeness.server.monitoring import note
from likeness.server.signature import Head

_logger = logging.getLogger(__name__)
_PACKAGE_DIR = Path(likeness.__file__).parent


class Door(ABC):
    """Answers requests through a gate; a subclass says what is done, and words what goes wrong.

    `more_bytes` are for bodies of paths that may be longer than `limits` say.
    """

    def __init__(
        self, gate: Gate, limits: BodyLimits, more_bytes: Mapping[str, int] | None = None
    ) -> None:
        self.gate = gate
        self._more_bytes = more_bytes or {}
        self._room = gate.room(limits)

    @abstractmethod
    def open(self, exchange: Exchange) -> bool:
        """Name what is asked; say whether it has to be known who asks. Raises as `answer` does."""

    @abstractmethod
    def answer(self, exchange: Exchange) -> Awaitable[Answer]:
        """Do what is asked; raises whatever `word` has words for."""

    @abstractmethod
    def word(self, error: Exception, request_id: UUID, operation: str) -> Answer:
        """Say what went wrong; reasons that are the operator's stay inside."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        head = Head.of(scope)
        most_bytes = self._more_bytes.get(head.path)
        body = Body(receive, head.declared_bytes, self._room, most_bytes)
        exchange = Exchange(scope, receive, head, body)
        try:
            if self.open(exchange):
                await self.gate.authenticate(exchange)
            answer = await self.answer(exchange)
        except asyncio.CancelledError:
            body.give_up()
            error = Stopped("The server stopped before it was done")
            answer = self.word(error, exchange.request_id, exchange.operation)
        except Exception as error:
            answer = self.word(error, exchange.request_id, exchange.operation)
            if answer.status >= 500:
                _logger.error("request %s failed: %s", exchange.request_id, _whereabouts(error))
            if isinstance(error, ClientDisconnect):
                self._note(exchange, answer)
                return
        finally:
            body.let_go()
        headers = {**_headers(answer), **exchange.headers}
        # A client that is still sending does not hear an answer.
        if not body.complete and "100-continue" not in head.values("expect"):
            await body.throw_away()
        if not body.complete:
            headers["connection"] = "close"
        # Before it is sent: who has an answer finds it in the log and among the figures.
        self._note(exchange, answer)
        encoded = [(name.lower().encode(), v.encode("latin-1")) for name, v in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        await send({"type": "http.response.body", "body": answer.content})

    def refuse_malformed(self, words: str, began_s: float, received_bytes: int) -> bytes:
        """Answer what is no HTTP, and so never came here; gives the answer with its head.

        `began_s` is by `time.perf_counter`, and `words` say what is wrong.
        """
        request_id = uuid4()
        answer = self.word(Malformed(words), request_id, "unknown")
        note(
            self.gate.metrics,
            answer,
            request_id=request_id,
            began_s=began_s,
            bytes_in=received_bytes,
        )
        headers = {**_headers(answer), "connection": "close"}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {answer.status} Bad Request\r\n{head}\r\n".encode("latin-1") + (
            answer.content
        )

    def _note(self, exchange: Exchange, answer: Answer) -> None:
        note(
            self.gate.metrics,
            answer,
            request_id=exchange.request_id,
            began_s=exchange.began_s,
            bytes_in=exchange.body.received_bytes,
            operation=exchange.operation,
            principal=exchange.principal,
            replayed=exchange.replayed,
        )


def below(prefixes: Mapping[str, ASGIApp], otherwise: ASGIApp) -> ASGIApp:
    """Give what is asked to the first application whose prefix its path has, or to another."""

    def application(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        found = (one for prefix, one in prefixes.items() if scope["path"].startswith(prefix))
        return next(found, otherwise)(scope, receive, send)

    return application


def _headers(answer: Answer) -> dict[str, str]:
    return {"content-length": str(len(answer.content)), **answer.headers}


def _whereabouts(error: BaseException) -> str:
    """Say of an error, and of its causes, what it is and where it arose, but no value."""
    said: list[str] = []
    reason: BaseException | None = error
    while reason is not None and len(said) < 5:
        places = [
            f" at {path.relative_to(_PACKAGE_DIR)}:{frame.lineno}"
            for frame in traceback.extract_tb(reason.__traceback__)
            if (path := Path(frame.filename)).is_relative_to(_PACKAGE_DIR)
        ]
        said.append(type(reason).__name__ + "".join(places[-1:]))
        reason = reason.__cause__ or reason.__context__
    return ", from ".join(said)
