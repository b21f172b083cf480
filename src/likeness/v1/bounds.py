"""How much may come, and what goes with every answer? Bounded bodies; nothing is cached."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from likeness.v1.problems import Problem, as_response

PICTURES_PATH = "/v1/watches"
_MOST_BYTES = 64 << 10
_MOST_BYTES_WITH_A_PICTURE = 8 << 20

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
}


class Bounds:
    """Answers a body that is too long with 413, however it is sent."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        most = _MOST_BYTES_WITH_A_PICTURE if scope["path"] == PICTURES_PATH else _MOST_BYTES
        came = 0

        async def receive_bounded() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                raise _too_long(most)
            return message

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        said = Headers(scope=scope).get("content-length", "0")
        if not said.isdecimal() or int(said) > most:
            await as_response(_too_long(most))(scope, receive, send_guarded)
            return
        await self._application(scope, receive_bounded, send_guarded)


def _too_long(most: int) -> Problem:
    return Problem(413, "InvalidRequest", f"at most {most} bytes were expected: send fewer")
