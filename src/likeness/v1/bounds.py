"""Who may send how much, and what goes with every answer?

1. Nothing of a body is parsed before it is known who sent it; what anybody may ask has none.
2. A body is bounded, the time that it takes, and all that are held together.
3. Nothing is cached, and whoever made a use of Likeness is told its receipt, also when refused.
"""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from likeness.errors import Denied, InputError, LikenessError
from likeness.terms import Principal
from likeness.v1.problems import Problem, as_response, problem_of

Authenticate = Callable[[Request], Awaitable[Principal]]
"""Says who signed a request; raises `Denied` or an `InputError` where nobody known has."""

DESCRIPTION_PATH, HEALTH_PATH = "/v1/openapi.json", "/v1/health"
PICTURES_PATH = "/v1/watches"
RECEIPT_STATE = "receipt"
"""Where a request's state holds the id of the receipt that goes out with its answer."""
_MOST_BYTES = 64 << 10
_MOST_BYTES_WITH_A_PICTURE = 8 << 20
_MOST_BYTES_TOGETHER = 128 << 20
_BODY_S = 60.0

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
}


class Bounds:
    """Lets the requests of known callers through, each with a body that has come whole."""

    def __init__(self, application: ASGIApp, authenticate: Authenticate) -> None:
        self._application = application
        self._authenticate = authenticate
        self._held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; who sent it is the state's `caller`."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                if (receipt := scope.get("state", {}).get(RECEIPT_STATE)) is not None:
                    headers["x-likeness-receipt"] = receipt
            await send(message)

        if scope["type"] != "http" or scope["path"] in (DESCRIPTION_PATH, HEALTH_PATH):
            await self._application(scope, receive, send_guarded)
            return
        most = _MOST_BYTES_WITH_A_PICTURE if scope["path"] == PICTURES_PATH else _MOST_BYTES
        came = 0

        async def receive_bounded() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            self._held_bytes += len(message.get("body", b""))
            if came > most:
                raise _too_long(most)
            if self._held_bytes > _MOST_BYTES_TOGETHER:
                raise Problem(503, "Fault", "too much is being sent by others: retry later")
            return message

        try:
            said = Headers(scope=scope).get("content-length", "0")
            if not said.isdecimal() or int(said) > most:
                raise _too_long(most)
            body = await self._known(Request(scope, receive_bounded))
        except LikenessError as error:
            await as_response(problem_of(error))(scope, receive, send_guarded)
        except Problem as problem:
            await as_response(problem)(scope, receive, send_guarded)
        except ClientDisconnect:
            pass
        else:
            await self._application(scope, _again(body, receive), send_guarded)
        finally:
            self._held_bytes -= came

    async def _known(self, request: Request) -> bytes:
        """Find out who sent a request; give its body."""
        try:
            async with asyncio.timeout(_BODY_S):
                request.state.caller = await self._authenticate(request)
                return await request.body()
        except (Denied, InputError) as error:
            raise Problem(401, "Unauthenticated", str(error)) from error
        except TimeoutError as error:
            expected = f"the body was expected within {_BODY_S:g} seconds: send it faster"
            raise Problem(408, "InvalidRequest", expected) from error


def _again(body: bytes, receive: Receive) -> Receive:
    """Give what hands a body on that was read already."""
    read: list[Message] = [{"type": "http.request", "body": body}]

    async def receive_again() -> Message:
        return read.pop() if read else await receive()

    return receive_again


def _too_long(most: int) -> Problem:
    return Problem(413, "InvalidRequest", f"at most {most} bytes were expected: send fewer")
