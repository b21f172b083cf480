"""One request and its answer, and how a body is read whose sender may send too much or never end.

At most `body_bytes` of a body are held, at most `held_bytes` of all bodies that are being read or
worked on, and a body has to be there within `body_s`. A body that nobody will look at is read and
thrown away all the same, up to a limit: a client that is still sending does not listen. One that
has sent nothing for `silent_s` listens, or is gone.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from likeness.server.errors import BodyTooLarge, BodyTooSlow, NoRoom
from likeness.server.signature import Claim, Head
from likeness.terms import Principal

_THROWN_AWAY_BYTES = 128 << 20

Stages = list[tuple[str, float]]
"""The stages of an act, each with when it began, by `time.perf_counter`."""


Stream = Callable[[asyncio.Event], AsyncGenerator[bytes, None]]
"""Gives what goes out piece by piece, until it ends by itself or the event says that it is over."""

OVER = "likeness.over"
"""Where the state of a scope holds an event: the server stops, or the client will send no more."""


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How much and how long; two pictures of 5 MB are 14 MB of base64."""

    body_bytes: int = 16 << 20
    held_bytes: int = 256 << 20
    body_s: float = 60.0
    silent_s: float = 5.0


class Room:
    """What the bodies of all requests may hold together; for one event loop."""

    def __init__(self, limits: BodyLimits) -> None:
        self.limits = limits
        self.held_bytes = 0

    def take(self, count_bytes: int) -> None:
        """Count more bytes.

        Raises:
            NoRoom: there is none for them at the moment.
        """
        if self.held_bytes + count_bytes > self.limits.held_bytes:
            raise NoRoom("Too many requests are being read. Try again.")
        self.held_bytes += count_bytes


class Body:
    """The body of one request, as far as it has come; its time begins with it."""

    def __init__(
        self, receive: Receive, declared_bytes: int, room: Room, most_bytes: int | None = None
    ) -> None:
        self._receive = receive
        self._declared_bytes = declared_bytes
        self._most_bytes = room.limits.body_bytes if most_bytes is None else most_bytes
        self._room = room
        self._hash = hashlib.sha256()
        self._due_s = asyncio.get_running_loop().time() + room.limits.body_s
        self._given_up = False
        self.content = bytearray()
        self.received_bytes = 0
        self.complete = False

    @property
    def sha256(self) -> str:
        """What has come hashes to, in hex."""
        return self._hash.hexdigest()

    def check_declared(self) -> None:
        """Refuse a body that is said to be too large.

        Raises:
            BodyTooLarge: it is.
        """
        self._refuse_beyond(self._declared_bytes)

    async def read(self) -> None:
        """Read all of it; a declared length that is too large is refused before.

        Raises:
            BodyTooLarge, BodyTooSlow, NoRoom: so it is not read.
            ClientDisconnect: it ended early.
        """
        limits = self._room.limits
        try:
            async with asyncio.timeout_at(self._due_s):
                self.check_declared()
                while not self.complete:
                    piece = await self._next_piece()
                    self._refuse_beyond(len(self.content) + len(piece))
                    self._room.take(len(piece))
                    self.content += piece
                    self._hash.update(piece)
        except TimeoutError as error:
            self.give_up()
            raise BodyTooSlow(
                f"The body did not come within {limits.body_s:g} seconds. Send it faster."
            ) from error

    async def throw_away(self) -> None:
        """Read what is left without keeping it, as far as there is patience."""
        self.let_go()
        now_s, silent_s = asyncio.get_running_loop().time, self._room.limits.silent_s
        try:
            async with asyncio.timeout_at(None) as patience:
                while not (self.complete or self._given_up):
                    patience.reschedule(min(now_s() + silent_s, self._due_s))
                    await self._next_piece()
                    self._given_up = self.received_bytes > _THROWN_AWAY_BYTES
        except (TimeoutError, ClientDisconnect, asyncio.CancelledError):
            self.give_up()  # where the server stops, what was to be said still holds

    def give_up(self) -> None:
        """Wait for no more of it."""
        self._given_up = True

    def let_go(self) -> None:
        """Forget the content; others may hold as much."""
        self._room.held_bytes -= len(self.content)
        self.content = bytearray()

    async def _next_piece(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self.complete = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        self.received_bytes += len(piece)
        return piece

    def _refuse_beyond(self, count_bytes: int) -> None:
        if count_bytes > self._most_bytes:
            raise BodyTooLarge(
                f"The body is larger than {self._most_bytes} bytes. Send a smaller one."
            )


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out; `code` is for the log and the metrics: `OK`, or what went wrong.

    With a `stream` that comes in place of `content`, for as long as somebody listens.
    """

    status: int
    code: str
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: Stream | None = None


@dataclass(slots=True, eq=False)
class Exchange:
    """One request and what is known of it so far.

    `address` is the one that shares go by (`addresses.py`). `claim` and `principal` are of whoever
    asks, once they are proven. `began_s` is by
    `time.perf_counter`. `replayed` is whether an earlier request had the same signature. `headers`
    go out with the answer, whatever it is.
    """

    scope: Scope
    receive: Receive
    head: Head
    body: Body
    address: str = "unknown"
    request_id: UUID = field(default_factory=uuid4)
    began_s: float = field(default_factory=time.perf_counter)
    operation: str = "unknown"
    claim: Claim | None = None
    principal: Principal | None = None
    replayed: bool = False
    stages: Stages = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
