"""How requests come into the server: who calls is found out, and whatever is answered is noted.

All doors share one gate. Nothing of a body is read before its claim is well formed and names a key
of ours, and nothing of it is parsed before it is proven who sent it. Acts run on threads, in lanes
that are bounded and do not block each other: those that look at pictures have one, and all others
one of their own, so that listing collections does not wait for networks.
"""

import asyncio
import logging
import threading
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

import likeness
from likeness.access import Credential
from likeness.errors import LikenessError
from likeness.server.addresses import address_of
from likeness.server.errors import KeysUnavailable, Malformed, Stopped, TooLate, TooManyRequests
from likeness.server.exchange import (
    OVER,
    Answer,
    Body,
    BodyLimits,
    Exchange,
    Room,
    Stages,
    Stream,
)
from likeness.server.monitoring import Metrics, note
from likeness.server.refusals import Refusals
from likeness.server.signature import SERVICE, SKEW, Head, Keys, read_claim, require_key, verify
from likeness.terms import Closing, Principal

_logger = logging.getLogger(__name__)
_PACKAGE_DIR = Path(likeness.__file__).parent

T = TypeVar("T")
_now = partial(datetime.now, UTC)
_SIGNATURES_KEPT = 100_000


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
        if answer.stream is not None:
            await _send_stream(answer.stream, exchange, send)
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

    `waiting` requests at most wait for each lane's threads; `request_s` is how long one may take
    from there; `per_key_s` is how many a second one key may ask, 0 for no limit.
    """

    body: BodyLimits = field(default_factory=BodyLimits)
    picture_workers: int = 2
    row_workers: int = 4
    waiting: int = 512
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
        self.rates = Rates(limits.per_key_s)
        self._keys = keys
        self._clock = clock
        self._replays = Replays(clock)
        self._rooms: list[Room] = []
        metrics.body_bytes.set_function(lambda: sum(room.held_bytes for room in self._rooms))
        # Who calls is found out apart, so that strangers cannot fill the lanes of others.
        self._door, self.pictures, self.rows = self._lanes = tuple(
            Lane(name, workers, limits.waiting, limits.request_s, metrics)
            for name, workers in (
                ("door", 1),
                ("pictures", limits.picture_workers),
                ("rows", limits.row_workers),
            )
        )

    def room(self, limits: BodyLimits) -> Room:
        """Make room for the bodies of a door."""
        self._rooms.append(room := Room(limits))
        return room

    async def authenticate(self, exchange: Exchange) -> None:
        """Read a request's body and prove who sent it: `exchange` has the claim and the principal.

        Raises:
            RequestError: who sent it is not known, or it is too much.
            ClientDisconnect: the body ended early.
        """
        head, body, stages = exchange.head, exchange.body, self.metrics.stages
        claim = read_claim(head, SERVICE, self._clock())
        await self._recognise(lambda: require_key(claim, self._keys))
        with stages.labels("read").time():
            await body.read()
        with stages.labels("verify").time():
            credential = await self._recognise(lambda: verify(head, claim, body.sha256, self._keys))
        exchange.claim, exchange.principal = claim, credential.principal
        if self._replays.seen(claim.signature):
            exchange.replayed = True
            self.metrics.replays.inc()

    async def run(
        self, principal: Principal, lane: "Lane", act: Callable[[], T], stages: Stages
    ) -> T:
        """Count a principal's request, and do it in a lane; raises what either does."""
        self.rates.take(principal.id)
        return await lane.run(act, stages)

    def close(self) -> None:
        """Finish what runs and what waits."""
        for lane in self._lanes:
            lane.close()
        self.refusals.close()

    async def _recognise(self, act: Callable[[], Credential]) -> Credential:
        try:
            return await self._door.run(act)
        except LikenessError as error:
            raise KeysUnavailable(type(error).__name__) from error


class Lane:
    """So many acts at a time, and so many that wait; more are refused."""

    def __init__(
        self, name: str, workers: int, waiting: int, within_s: float, metrics: Metrics
    ) -> None:
        self._at_most = workers + waiting
        self._within_s = within_s
        self._metrics = metrics
        self._pool = ThreadPoolExecutor(workers, f"likeness-{name}")
        self._lock = threading.Lock()
        self._inside = 0
        metrics.inside.labels(name).set_function(lambda: self._inside)

    async def run(self, act: Callable[[], T], stages: Stages | None = None) -> T:
        """Run an act; one that has not begun when the time is over never will.

        Where `stages` are given, to which the act adds its own, their times are measured.

        Raises:
            TooManyRequests: too many wait.
            TooLate: it is not done in time; what has begun goes on, and keeps its place.
        """
        with self._lock:
            if self._inside >= self._at_most:
                raise TooManyRequests("Too many requests are waiting. Try again.")
            self._inside += 1
        if stages is not None:
            stages.append(("queue", time.perf_counter()))
        future = self._pool.submit(self._measured, act, stages or [])
        future.add_done_callback(self._left)
        try:
            async with asyncio.timeout(self._within_s):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise TooLate(f"It was not done within {self._within_s:g} seconds") from error

    def close(self) -> None:
        """Finish what is inside."""
        self._pool.shutdown()

    def _measured(self, act: Callable[[], T], stages: Stages) -> T:
        try:
            return act()
        finally:
            for (stage, began_s), (_, ended_s) in pairwise([*stages, ("", time.perf_counter())]):
                self._metrics.stages.labels(stage).observe(ended_s - began_s)

    def _left(self, future: "Future[T]") -> None:
        with self._lock:
            self._inside -= 1


class Rates:
    """How often each principal may ask: a token bucket that holds a second's worth.

    For one event loop. `per_s` 0 sets no limit.
    """

    def __init__(self, per_s: float, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
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
            raise TooManyRequests(
                f"More than {self._per_s:g} requests a second with this key. Try again later."
            )
        self._left[principal_id] = (left - 1, now_s)


class Replays:
    """The signatures of the last ten minutes, for which alone they are good; for one event loop.

    Two equal requests within a second carry one signature, so that a replay cannot be told from a
    retry: both are legitimate, and worth counting.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._seen: dict[bytes, datetime] = {}

    def seen(self, signature: str) -> bool:
        """Remember a genuine signature; say whether it is remembered already."""
        now = self._clock()
        digest = bytes.fromhex(signature)[:16]
        while self._seen:
            oldest = next(iter(self._seen))
            if len(self._seen) < _SIGNATURES_KEPT and now - self._seen[oldest] <= 2 * SKEW:
                break
            del self._seen[oldest]
        if digest in self._seen:
            return True
        self._seen[digest] = now
        return False


async def _send_stream(stream: Stream, exchange: Exchange, send: Send) -> None:
    """Send what comes, until it ends, nobody listens any more, or the server stops."""
    over: asyncio.Event = exchange.scope.get("state", {}).get(OVER) or asyncio.Event()
    listening = asyncio.create_task(_await_end(exchange.receive, over))
    try:
        async with aclosing(stream(over)) as pieces:
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
    except Exception as error:  # what has begun cannot be answered otherwise any more
        _logger.error("request %s broke off: %s", exchange.request_id, _whereabouts(error))
    finally:
        listening.cancel()


async def _await_end(receive: Receive, over: asyncio.Event) -> None:
    """Say when whoever asked is gone; what else they send is none of a request."""
    while (await receive())["type"] != "http.disconnect":
        pass
    over.set()


def _headers(answer: Answer) -> dict[str, str]:
    if answer.stream is not None:  # how long it becomes, nobody knows
        return {n: v for n, v in answer.headers.items() if n.lower() != "content-length"}
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
