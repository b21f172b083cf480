"""How does a request become an answer? As ASGI: POST / in, AWS's shapes out, whatever comes.

    read_claim -> require_key -> body -> verify -> read_call
        -> lane [ parse -> operation -> serialise ]

Nothing of a body is read before the claim is well formed and names a key of ours, and nothing of it
is parsed before it is proven who sent it. Operations are synchronous and run on threads; this is
all that is not.
"""

import asyncio
import json
import logging
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

import likeness
from likeness.access import Credential
from likeness.errors import Fault, LikenessError
from likeness.rekognition.answered import Answered
from likeness.rekognition.body import Body, BodyLimits, Room
from likeness.rekognition.call import Call, Request, Response
from likeness.rekognition.contract import SIGNING_NAME, Contract, contract, operation_names
from likeness.rekognition.faults import AwsError, failure, in_aws_words
from likeness.rekognition.lanes import Lane
from likeness.rekognition.measures import Measures
from likeness.rekognition.parsing import parse
from likeness.rekognition.rates import Rates
from likeness.rekognition.replays import Replays
from likeness.rekognition.serialising import serialise
from likeness.rekognition.signature import (
    Head,
    Keys,
    read_claim,
    require_key,
    verify,
)
from likeness.rekognition.stating import read_call, target
from likeness.terms import Principal

_logger = logging.getLogger(__name__)
_PACKAGE_DIR = Path(likeness.__file__).parent

T = TypeVar("T")
Operation = Callable[[Call, Request], Response]


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


@dataclass(slots=True)
class _Exchange:
    """One request and what is known of it so far, for the log and the answer."""

    head: Head
    body: Body
    request_id: UUID = field(default_factory=uuid4)
    began_s: float = field(default_factory=time.perf_counter)
    operation: str = "unknown"
    principal: Principal | None = None
    replayed: bool = False
    headers: dict[str, str] = field(default_factory=dict)


class Application:
    """Rekognition's wire as an ASGI application; `close` it to finish what it began.

    `rates` count what each key asks, for all that is served to them beside it.
    """

    def __init__(
        self,
        operations: Mapping[str, Operation],
        keys: Keys,
        measures: Measures,
        limits: Limits = Limits(),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._operations = operations
        self._keys = keys
        self._measures = measures
        self._limits = limits
        self._clock = clock
        self._room = Room(limits.body)
        self.rates = Rates(limits.per_key_s)
        self._replays = Replays(clock)
        # Who calls is found out apart, so that strangers cannot fill the lanes of others.
        self._door = Lane("door", 1, limits.waiting)
        self._pictures = Lane("pictures", limits.picture_workers, limits.waiting)
        self._rows = Lane("rows", limits.row_workers, limits.waiting)
        for lane in (self._door, self._pictures, self._rows):
            measures.watch_lane(lane.name, partial(getattr, lane, "inside"))
        measures.watch_bodies(lambda: self._room.held_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        head = _head(scope)
        exchange = _Exchange(head, Body(receive, _declared_bytes(head), self._room))
        status, code = 200, "OK"
        try:
            content = await self._answer(exchange)
        except ClientDisconnect:
            self._note(exchange, 499, "ClientLeft", 0)
            return
        except AwsError as error:
            status, code, content = (
                error.status,
                error.code,
                _error_body(error, exchange.request_id),
            )
        except asyncio.CancelledError:
            exchange.body.give_up()
            late = failure("The server stopped before it was done")
            status, code, content = late.status, late.code, _error_body(late, exchange.request_id)
        except Exception as error:
            _logger.error("request %s failed: %s", exchange.request_id, _whereabouts(error))
            fault = failure("Something unforeseen happened")
            status, code, content = (
                fault.status,
                fault.code,
                _error_body(fault, exchange.request_id),
            )
        finally:
            exchange.body.let_go()
        await self._leave(exchange)
        # Before it is sent: who has an answer finds it in the log and among the figures.
        self._note(exchange, status, code, len(content))
        await _send(send, status, content, exchange)

    def refuse_malformed(self, words: str, began_s: float, received_bytes: int) -> bytes:
        """Answer what is no HTTP, and so never came here; gives the answer with its head.

        `began_s` is by `time.perf_counter`, and `words` what was expected and what came.
        """
        request_id, error = uuid4(), AwsError("SerializationException", words)
        content = _error_body(error, request_id)
        Answered(
            request_id=str(request_id),
            operation="unknown",
            principal_id=None,
            status=error.status,
            code=error.code,
            began_s=began_s,
            bytes_in=received_bytes,
            bytes_out=len(content),
        ).note(self._measures)
        head = "".join(
            f"{name}: {value}\r\n"
            for name, value in _headers(content, request_id, {"connection": "close"}).items()
        )
        return f"HTTP/1.1 {error.status} Bad Request\r\n{head}\r\n".encode("latin-1") + content

    async def in_picture_lane(self, act: Callable[[], T]) -> T:
        """Run an act that looks at pictures beside the operations that do.

        Raises:
            AwsError: too many wait, or it is not done in time.
        """
        return await self._pictures.run(act, self._limits.request_s)

    def close(self) -> None:
        """Finish what runs and what waits."""
        for lane in (self._door, self._pictures, self._rows):
            lane.close()

    async def _answer(self, exchange: _Exchange) -> bytes:
        head, body = exchange.head, exchange.body
        if (head.method, head.path) != ("POST", "/"):
            raise AwsError(
                "UnknownOperationException",
                "POST / with X-Amz-Target was expected and another method or path came.",
                404,
            )
        name = target(head)
        if name in operation_names():
            exchange.operation = name
        claim = read_claim(head, SIGNING_NAME, self._clock())
        await self._at_door(exchange, partial(require_key, claim, self._keys))
        with self._measures.stage("read"):
            await body.read()
        with self._measures.stage("verify"):
            principal = await self._at_door(
                exchange, lambda: verify(head, claim, body.sha256, self._keys)
            )
        exchange.principal = principal
        if self._replays.seen(claim.signature):
            exchange.replayed = True
            self._measures.replayed()
        wanted, operation = self._wanted(name)
        call = read_call(wanted.name, head, claim, principal, exchange.request_id)
        call = replace(call, replayed=exchange.replayed)
        self.rates.take(principal.id)
        lane = self._pictures if wanted.takes_picture else self._rows
        act = partial(self._act, exchange, wanted, operation, call, time.perf_counter())
        return await lane.run(act, self._limits.request_s)

    async def _at_door(self, exchange: _Exchange, recognise: Callable[[], Credential]) -> Principal:
        """Find out who calls; where the keys cannot be read, nobody does."""
        try:
            return (await self._door.run(recognise, self._limits.request_s)).principal
        except LikenessError as error:
            _logger.error("request %s failed: %s", exchange.request_id, _whereabouts(error))
            raise failure(type(error).__name__) from error

    def _wanted(self, name: str) -> tuple[Contract, Operation]:
        wanted = contract(name)
        if wanted is None:
            raise AwsError(
                "UnknownOperationException",
                "X-Amz-Target was expected to be RekognitionService and an operation of it.",
            )
        operation = self._operations.get(name)
        if operation is None:
            raise AwsError("UnknownOperationException", f"{name} is not offered by Likeness.")
        return wanted, operation

    def _act(
        self,
        exchange: _Exchange,
        wanted: Contract,
        operation: Operation,
        call: Call,
        queued_s: float,
    ) -> bytes:
        """Parse, do and serialise, on a thread of its lane."""
        self._measures.spent("queue", time.perf_counter() - queued_s)
        with self._measures.stage("parse"):
            request = parse(wanted, exchange.body.content)
        try:
            with self._measures.stage("act"):
                response = operation(call, request)
        except LikenessError as error:
            if isinstance(error, Fault):
                _logger.error("request %s failed: %s", call.request_id, _whereabouts(error))
            raise in_aws_words(error, wanted.errors) from error
        finally:
            exchange.headers = call.headers
        with self._measures.stage("serialise"):
            return serialise(wanted, response)

    async def _leave(self, exchange: _Exchange) -> None:
        """Make sure that a client which is still sending will hear the answer."""
        if not exchange.body.complete and "100-continue" not in exchange.head.values("expect"):
            try:
                await exchange.body.throw_away()
            except asyncio.CancelledError:
                exchange.body.give_up()  # the server stops: what was to be said still holds
        if not exchange.body.complete:
            exchange.headers["connection"] = "close"

    def _note(self, exchange: _Exchange, status: int, code: str, answer_bytes: int) -> None:
        Answered(
            request_id=str(exchange.request_id),
            operation=exchange.operation,
            principal_id=exchange.principal.id if exchange.principal else None,
            status=status,
            code=code,
            began_s=exchange.began_s,
            bytes_in=exchange.body.received_bytes,
            bytes_out=answer_bytes,
            replayed=exchange.replayed,
        ).note(self._measures)


def _head(scope: Scope) -> Head:
    return Head(
        scope["method"],
        scope["raw_path"].decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
    )


def _declared_bytes(head: Head) -> int | None:
    declared = head.values("content-length")
    return int(declared[0]) if declared and declared[0].isdecimal() else None


def _error_body(error: AwsError, request_id: UUID) -> bytes:
    return json.dumps(
        {
            "__type": error.code,
            "Code": error.code,
            "Logref": str(request_id),
            "Message": error.message,
        }
    ).encode()


def _headers(content: bytes, request_id: UUID, more: Mapping[str, str]) -> dict[str, str]:
    return {
        "content-type": "application/x-amz-json-1.1",
        "content-length": str(len(content)),
        "x-amzn-requestid": str(request_id),
        "cache-control": "no-store",
        **more,
    }


async def _send(send: Send, status: int, content: bytes, exchange: _Exchange) -> None:
    headers = _headers(content, exchange.request_id, exchange.headers)
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": content})


def _whereabouts(error: BaseException) -> str:
    """Say of an error, and of its causes, what it is and where it arose, but no value."""
    said: list[str] = []
    reason: BaseException | None = error
    while reason is not None and len(said) < 5:
        frames = traceback.extract_tb(reason.__traceback__)
        ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE_DIR)]
        place = ""
        if ours:
            path = Path(ours[-1].filename).relative_to(_PACKAGE_DIR)
            place = f" at {path}:{ours[-1].lineno}"
        said.append(type(reason).__name__ + place)
        reason = reason.__cause__ or reason.__context__
    return ", from ".join(said)
