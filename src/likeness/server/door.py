"""How requests come into the server: who calls is found out, and whatever is answered is noted.

All doors share one gate. Nothing of a body is read before its claim is well formed and names a key
of ours, and nothing of it is parsed before it is proven who sent it. Acts run on threads, in lanes
that are bounded, fair, and do not block each other: those that look at pictures have one, large
pictures another, and all others one of their own, so that listing collections does not wait for
networks.
"""

import asyncio
import logging
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

import likeness
from likeness.errors import LikenessError
from likeness.server.addresses import address_of
from likeness.server.bodies import Body, BodyLimits, Room
from likeness.server.errors import (
    KeysUnavailable,
    Malformed,
    SignatureInvalid,
    Stopped,
    TooManyRequests,
)
from likeness.server.exchange import CUT, OVER, Answer, Exchange, Stages, Stream
from likeness.server.lanes import MOST_ELSEWHERE, Lane
from likeness.server.monitoring import Metrics, note
from likeness.server.refusals import Refusal, Refusals
from likeness.server.replays import Replays
from likeness.server.signature import SERVICE, Head, Keys, read_claim, verify, verify_head
from likeness.terms import Closing, Principal

_logger = logging.getLogger(__name__)
# So many addresses it takes to leave nobody else a place.
_MOST_SIGN_INS = 256
_PACKAGE_DIR = Path(likeness.__file__).parent

T = TypeVar("T")
_now = partial(datetime.now, UTC)


class Door(ABC):
    """Answers requests through a gate; a subclass says what is done, and words what goes wrong.

    `more_bytes` are for bodies of paths that may be longer than `limits` say.
    """

    def __init__(
        self, gate: "Gate", limits: BodyLimits, more_bytes: Mapping[str, int] | None = None
    ) -> None:
        self.gate = gate
        self._more_bytes = more_bytes or {}
        self._room = gate.room(limits)

    @abstractmethod
    def open(self, exchange: Exchange) -> bool:
        """Name what is asked, and when it repeats; say whether it has to be known who asks.

        Raises as `answer` does.
        """

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
        exchange = Exchange(scope, receive, head, body, address_of(scope))
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
                _logger.error("request %s failed: %s", exchange.request_id, whereabouts(error))
            if isinstance(error, ClientDisconnect):
                self._note(exchange, answer)
                return
        finally:
            body.let_go()
        if 400 <= answer.status < 500:  # nothing was done
            self.gate.replays.forget(exchange)
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
        if answer.stream is not None:
            sent = await _send_stream(answer.stream, exchange, send)
            if head.method != "HEAD" and answer.length not in (None, sent):
                await _cut_short(exchange)
                return
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


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server takes on.

    `waiting` requests at most wait for each lane's threads, half of them of one key. One key has
    `picture_workers` and `row_workers` at a time, and somebody else one more. `request_s` is how
    long one may take from there; `per_key_s` is how many a second one key may ask, 0 for no limit.
    """

    body: BodyLimits = field(default_factory=BodyLimits)
    picture_workers: int = 2
    row_workers: int = 4
    waiting: int = 1024
    request_s: float = 60.0
    per_key_s: float = 0.0


class Gate(Closing):
    """Authenticates, and holds what doors share; `close` it to finish what runs and what waits."""

    def __init__(
        self,
        keys: Keys,
        metrics: Metrics,
        limits: Limits = Limits(),
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.metrics = metrics
        self.refusals = Refusals(metrics)
        self.limits = limits
        self.rates = Rates(limits.per_key_s, self.refusals)
        self._keys = keys
        self._clock = clock
        self.replays = Replays(metrics, self.refusals, clock)
        self._rooms: list[Room] = []
        self._lanes: list[Lane] = []
        metrics.body_bytes.set_function(lambda: sum(room.held_bytes for room in self._rooms))
        # Who calls is found out apart, so that strangers cannot fill the lanes of others.
        self._door = self._lane("door", 1)
        # Passwords take long on purpose, which those who sign requests do not wait for.
        self.sign_ins = self._lane("sign-in", 1, waiting=min(_MOST_SIGN_INS, limits.waiting))
        self.pictures = self._lane("pictures", limits.picture_workers + 1, limits.picture_workers)
        self.rows = self._lane("rows", limits.row_workers + 1, limits.row_workers)
        self.large = self._lane(
            "large", 1, waiting=min(MOST_ELSEWHERE, limits.waiting), gives_way=True
        )

    def _lane(
        self,
        name: str,
        workers: int,
        of_one: int | None = None,
        *,
        waiting: int | None = None,
        gives_way: bool = False,
    ) -> Lane:
        lane = Lane(
            name,
            workers,
            self.limits.waiting if waiting is None else waiting,
            self.limits.request_s,
            self.metrics,
            self.refusals,
            of_one=of_one,
            gives_way=gives_way,
        )
        self._lanes.append(lane)
        return lane

    def room(self, limits: BodyLimits) -> Room:
        """Make room for the bodies of a door."""
        self._rooms.append(room := Room(limits, self.refusals))
        return room

    async def authenticate(self, exchange: Exchange) -> None:
        """Read a request's body and prove who sent it: `exchange` has the claim and the principal.

        Raises:
            RequestError: who sent it is not known, or it is too much.
            ClientDisconnect: the body ended early.
        """
        head, body, stages = exchange.head, exchange.body, self.metrics.stages
        claim = read_claim(head, SERVICE, self._clock())
        body.is_proven = await self.recognise(
            lambda: verify_head(head, claim, self._keys), exchange.address
        )
        key = f"key {claim.access_key_id}"
        body.count_for(key, *(() if body.is_proven else (f"address {exchange.address}",)))
        with stages.labels("read").time():
            await body.read()
        try:
            with stages.labels("verify").time():
                credential = await self.recognise(
                    lambda: verify(head, claim, body.sha256, self._keys), exchange.address
                )
        except SignatureInvalid:
            self.refusals.count(Refusal.FALSE_BODY)
            raise
        body.count_for(key)
        exchange.claim, exchange.principal = claim, credential.principal
        self.replays.check(exchange)

    async def run(
        self, principal: Principal, lane: Lane, act: Callable[[], T], stages: Stages
    ) -> T:
        """Count a principal's request, and do it in a lane; raises what either does."""
        self.rates.take(principal.id)
        return await lane.run(act, principal.id, stages)

    def close(self) -> None:
        """Finish what runs and what waits."""
        for lane in self._lanes:
            lane.close()
        self.refusals.close()

    async def recognise(self, act: Callable[[], T], address: str) -> T:
        """Find out who asks, apart from what anybody asks for.

        Raises:
            KeysUnavailable: it cannot be found out; `__cause__` says why.
            RequestError: who asks is not known, or too many ask.
        """
        try:
            return await self._door.run(act, address)
        except LikenessError as error:
            raise KeysUnavailable(type(error).__name__) from error


class Rates:
    """How often each principal may ask: a token bucket that holds a second's worth.

    For one event loop. `per_s` 0 sets no limit.
    """

    def __init__(
        self,
        per_s: float,
        refusals: Refusals,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_s = per_s
        self._refusals = refusals
        self._clock_s = clock_s
        # Of each principal: what is left, and when that was.
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, principal_id: str) -> None:
        """Count a request.

        Raises:
            TooManyRequests: it is one too many.
        """
        if not self._per_s:
            return
        full = max(1.0, self._per_s)
        now_s = self._clock_s()
        left, then_s = self._left.get(principal_id, (full, now_s))
        left = min(full, left + (now_s - then_s) * self._per_s)
        if left < 1:
            self._refusals.count(Refusal.KEY_RATE)
            raise TooManyRequests(
                f"More than {self._per_s:g} requests a second with this key. Try again later."
            )
        self._left[principal_id] = (left - 1, now_s)


async def _send_stream(stream: Stream, exchange: Exchange, send: Send) -> int:
    """Send what comes, until it ends, nobody listens any more, or the server stops.

    Of what nobody asked for but its head, nothing behind its first piece is made. Gives how many
    bytes were sent.
    """
    sent = 0
    over: asyncio.Event = exchange.scope.get("state", {}).get(OVER) or asyncio.Event()
    listening = asyncio.create_task(_await_end(exchange.receive, over))
    try:
        async with aclosing(stream(over)) as pieces:
            async for piece in pieces:
                if exchange.head.method == "HEAD":
                    break
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                sent += len(piece)
    except Exception as error:  # what has begun cannot be answered otherwise any more
        _logger.error("request %s broke off: %s", exchange.request_id, whereabouts(error))
    finally:
        listening.cancel()
    return sent


async def _cut_short(exchange: Exchange) -> None:
    """End the connection: less came than was announced, mostly since who asked is gone."""
    cut = exchange.scope.get("state", {}).get(CUT)
    if cut is not None:
        cut()
        while (await exchange.receive())["type"] != "http.disconnect":
            pass


async def _await_end(receive: Receive, over: asyncio.Event) -> None:
    """Say when whoever asked is gone; what else they send is none of a request."""
    while (await receive())["type"] != "http.disconnect":
        pass
    over.set()


def _headers(answer: Answer) -> dict[str, str]:
    if answer.stream is not None:
        told = {n: v for n, v in answer.headers.items() if n.lower() != "content-length"}
        return told if answer.length is None else {"content-length": str(answer.length), **told}
    return {"content-length": str(len(answer.content)), **answer.headers}


def whereabouts(error: BaseException) -> str:
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
