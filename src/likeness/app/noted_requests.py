"""What does the operator see of what is asked below `/v1`? What they see of Rekognition's wire."""

import asyncio
import time
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from likeness.rekognition.answered import Answered
from likeness.rekognition.measures import Measures
from likeness.v1.problems import Problem, as_response

_LEFT = 499
"""The client went away before it was answered."""
_STOPPED = Problem(
    503,
    "Fault",
    "the request was expected to be done before the server stopped and was not: ask again, and look"
    " first whether it was done",
)


class NotedRequests:
    """Counts each request and writes a line of it, which the answer names in `X-Request-Id`."""

    def __init__(self, application: ASGIApp, measures: Measures) -> None:
        self._application = application
        self._measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer."""
        request_id, began_s = str(uuid4()), time.perf_counter()
        status, bytes_in, bytes_out = _LEFT, 0, 0

        noted = False

        def note() -> None:
            nonlocal noted
            if noted:
                return
            noted = True
            caller = scope.get("state", {}).get("caller")
            Answered(
                request_id=request_id,
                operation=_operation(scope),
                principal_id=caller.id if caller else None,
                status=status,
                code="OK" if status < 400 else str(status),
                began_s=began_s,
                bytes_in=bytes_in,
                bytes_out=bytes_out,
            ).note(self._measures)

        async def receive_noted() -> Message:
            nonlocal bytes_in
            message = await receive()
            bytes_in += len(message.get("body", b""))
            return message

        async def send_noted(message: Message) -> None:
            nonlocal status, bytes_out
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            bytes_out += len(message.get("body", b""))
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                note()  # who has an answer finds it in the log and among the figures
            await send(message)

        try:
            await self._application(scope, receive_noted, send_noted)
        except asyncio.CancelledError:
            if status != _LEFT:
                raise  # what has begun cannot be said otherwise
            await as_response(_STOPPED)(scope, receive_noted, send_noted)
        finally:
            note()


def _operation(scope: Scope) -> str:
    """Name what was asked for as it is described; ids in a path are none of the log's."""
    route = scope.get("route")
    if isinstance(route, Route) and scope["method"] in (route.methods or ()):
        return f"{scope['method']} {route.path}"
    return "unknown"
