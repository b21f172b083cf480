"""Likeness's own acts as a door of the server; FastAPI describes them at `/v1/openapi.json`.

1. Nothing of a body is parsed before it is known who sent it; what anybody may ask has none.
2. A body is bounded, the time that it takes, and all that are held together.
3. Nothing is cached, and whoever made a use of Likeness is told its receipt, also when refused.
4. Whatever goes wrong is one line of JSON (RFC 9457), without a traceback.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message

from likeness import __version__
from likeness.errors import (
    ClipTooLarge,
    DatabaseInUse,
    Fault,
    ImageTooLarge,
    InputError,
    LikenessError,
    LimitReached,
    NotFound,
    Refused,
    StateError,
    TooBusy,
)
from likeness.server import (
    SERVICE,
    Answer,
    BodyLimits,
    Door,
    Exchange,
    Gate,
    Listeners,
    Repeats,
    Stream,
    event,
)
from likeness.server.errors import (
    BodyTooLarge,
    BodyTooSlow,
    KeysUnavailable,
    Replayed,
    RequestError,
    Stopped,
    TooLate,
    TooManyRequests,
    Unauthenticated,
)
from likeness.service.govern.receipts import give_receipt
from likeness.service.uses import Proof
from likeness.v1.acts import (
    DONE_BY,
    PROOF_STATE,
    STREAM_STATE,
    ActRouter,
    Acts,
    Offered,
    RowsHere,
    Somebody,
)
from likeness.v1.cases import cases
from likeness.v1.certificates import certificates
from likeness.v1.jobs import jobs
from likeness.v1.live import live
from likeness.v1.sources import sources
from likeness.v1.subject_reports import subject_reports
from likeness.v1.subjects import subjects
from likeness.v1.watches import watches

DESCRIPTION_PATH, HEALTH_PATH = "/v1/openapi.json", "/v1/health"
LIMITS = BodyLimits(body_bytes=64 << 10, held_bytes=128 << 20)
_MORE_BYTES = dict.fromkeys(("/v1/watches", "/v1/subject-reports/picture"), 8 << 20)  # a picture
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
}

_ledger = ActRouter(prefix="/v1", tags=["ledger"])
_RECEIPT: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {}}}}
_NOTE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {}}}}

_ANSWERS: tuple[tuple[type[Exception], int, str], ...] = (
    (ImageTooLarge, 413, ""),
    (ClipTooLarge, 413, ""),
    (InputError, 400, ""),
    (NotFound, 404, ""),
    (LimitReached, 429, ""),
    (StateError, 409, ""),
    (Refused, 403, ""),
    (Fault, 503, ""),
    (Unauthenticated, 401, "Unauthenticated"),
    (BodyTooLarge, 413, "InvalidRequest"),
    (BodyTooSlow, 408, "InvalidRequest"),
    (TooManyRequests, 429, "TooManyRequests"),
    (Replayed, 409, "Conflict"),
    (RequestError, 503, "Fault"),
    (RequestValidationError, 400, "InvalidRequest"),
    (HTTPException, 404, "NotFound"),
    (ClientDisconnect, 499, ""),
    (Exception, 500, "Fault"),
)
"""The status of each error, and its title where that is not its own name; the first counts."""


class Application(Door):
    """Answers what begins with `/v1/`; it is not to be mounted below a path."""

    def __init__(self, acts: Acts, gate: Gate, limits: BodyLimits = LIMITS) -> None:
        super().__init__(gate, limits, _MORE_BYTES)
        self._acts = FastAPI(
            title="Likeness",
            version=__version__,
            openapi_url=DESCRIPTION_PATH,
            # Their pages load scripts from elsewhere.
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            exception_handlers={HTTPException: _raise, RequestValidationError: _raise},
        )
        self._acts.state.acts = acts
        self._acts.state.listeners = Listeners()
        for router in ROUTERS:
            self._acts.include_router(router)
        self._acts.add_api_route(HEALTH_PATH, show_health, tags=["health"])

    def open(self, exchange: Exchange) -> bool:
        """Say whether it has to be known who asks."""
        exchange.headers.update(_HEADERS)
        exchange.headers["x-request-id"] = str(exchange.request_id)
        if exchange.head.path in (DESCRIPTION_PATH, HEALTH_PATH):
            return False
        exchange.body.check_declared()
        reads = exchange.head.method in ("GET", "HEAD")
        exchange.repeats = Repeats.ALWAYS if reads else Repeats.NEVER
        return True

    async def answer(self, exchange: Exchange) -> Answer:
        """Do what is asked."""
        state: dict[str, object] = {
            "caller": exchange.principal,
            "replayed": exchange.replayed,
            "signed_headers": () if exchange.claim is None else exchange.claim.signed_headers,
        }
        scope = {**exchange.scope, "state": state}
        if exchange.principal is not None:
            self.gate.rates.take(exchange.principal.id)
            DONE_BY.set(partial(self.gate.rows.run, by=exchange.principal.id))
        read: list[Message] = [{"type": "http.request", "body": bytes(exchange.body.content)}]
        sent: list[Message] = []

        async def receive() -> Message:
            return read.pop() if read else await exchange.receive()

        async def send(message: Message) -> None:
            sent.append(message)

        try:
            await self._acts(scope, receive, send)
        finally:
            route = scope.get("route")
            if isinstance(route, Route) and scope["method"] in (route.methods or ()):
                # As it is described: ids in a path are none of the log's.
                exchange.operation = f"{scope['method']} {route.path}"
            proof = state.get(PROOF_STATE)
            if isinstance(proof, Proof) and proof.receipt is not None:
                exchange.headers["x-likeness-receipt"] = proof.receipt
        status: int = sent[0]["status"]
        headers = {n.decode("latin-1"): v.decode("latin-1") for n, v in sent[0]["headers"]}
        content = b"".join(message.get("body", b"") for message in sent)
        stream: Any = state.get(STREAM_STATE)
        return Answer(
            status,
            "OK" if status < 400 else str(status),
            content,
            headers,
            None if stream is None else partial(_with_problems, stream),
        )

    def word(self, error: Exception, request_id: UUID, operation: str) -> Answer:
        """Say what went wrong as a problem."""
        return problem(error)


async def _with_problems(stream: Stream, over: asyncio.Event) -> AsyncGenerator[bytes, None]:
    """Give events, and as the last what goes wrong."""
    try:
        async with aclosing(stream(over)) as events:
            async for one in events:
                yield one
    except Exception as error:
        said = problem(error)
        yield event("error", said.content.decode())
        if said.status >= 500:
            raise  # for the log


def show_health(acts: Offered) -> Response:
    """Say whether acts can be done; 503 where they cannot."""
    ready = acts.ready()
    return JSONResponse({"ready": ready}, 200 if ready else 503)


@_ledger.get("/receipts/{receipt_id}", response_class=Response, responses=_RECEIPT)
def show_receipt(receipt_id: str, rows: RowsHere, somebody: Somebody) -> Response:
    """Give a receipt, which `likeness ledger verify` checks offline."""
    return Response(
        give_receipt(rows, somebody, receipt_id).to_json(), media_type="application/json"
    )


@_ledger.get("/checkpoint", response_class=Response, responses=_NOTE)
def show_checkpoint(rows: RowsHere, somebody: Somebody) -> Response:
    """Give the signed head of the ledger, to be kept where nobody here can change it."""
    return Response(rows.ledger.checkpoint(), media_type="text/plain")


ROUTERS: tuple[ActRouter, ...] = (
    cases,
    watches,
    jobs,
    sources,
    live,
    subjects,
    certificates,
    subject_reports,
    _ledger,
)
"""All acts that are offered here."""


async def _raise(request: Request, error: Exception) -> Response:
    raise error  # to be worded as all others are


def problem(error: BaseException) -> Answer:
    """Say what went wrong; a fault keeps its reason to itself."""
    if isinstance(error, KeysUnavailable) and error.__cause__:
        return problem(error.__cause__)
    status, title = next(
        (status, title) for kind, status, title in _ANSWERS if isinstance(error, kind)
    )
    match error:
        case TooBusy():
            detail = "Too many pictures are being decoded. Retry later."
        case DatabaseInUse():
            detail = "Something else holds the database. Retry later."
        case Fault():
            # Paths and addresses are the operator's, whose log has them.
            detail = f"Something that the server needs fails ({type(error).__name__}). Retry later."
        case Unauthenticated():
            detail = (
                f"{str(error).rstrip('.')}. Sign with an access key of this server (AWS"
                f" Signature Version 4, service {SERVICE})."
            )
        case TooLate() | Stopped():
            detail = f"{error}. Look whether it was done, and ask again."
        case LikenessError() | RequestError():
            detail = str(error)
        case RequestValidationError():
            first = error.errors()[0]
            # What came is not repeated: it may be a picture.
            where = ".".join(str(part) for part in first["loc"])
            detail = f"Not valid: {where} ({first['msg']}). /v1/openapi.json says what is."
        case HTTPException():
            status = error.status_code
            detail = "No such path, or not with this method. /v1/openapi.json lists what there is."
        case _:
            detail = "Something unforeseen happened. The server's log says what; report it."
    content = {
        "title": title or getattr(error, "kind", type(error).__name__),
        "status": status,
        "detail": " ".join(detail.split()),
    }
    headers = {"content-type": "application/problem+json"}
    return Answer(status, str(status), json.dumps(content).encode(), headers)
