"""Bodies of requests: how they are read when senders may send too much, too slowly or never end.

At most `body_bytes` of a body are held, and a body has to be there within `body_s`. All bodies that
are being read or worked on share `held_bytes`:

1. **A share.** The bodies of one key, and those from one address until it is proven who sends
   them, may hold as much as is left to all others; a single one is let in wherever there is room.
2. **Slow ones first.** Where one finds no room, the slowest of those in its way loses what it
   holds, first of those whose sender is not proven. Slow is what brings less than 1 MiB a second.
3. **A moment's patience.** It waits two seconds for others to end before it is refused.

A body that nobody will look at is read and thrown away all the same, up to a limit: a client that
is still sending does not listen. One that has sent nothing for `silent_s` listens, or is gone.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from likeness.server.errors import BodyTooLarge, BodyTooSlow, NoRoom
from likeness.server.refusals import Refusal, Refusals

_THROWN_AWAY_BYTES = 128 << 20
_SLOW_BYTES_PER_S = 1 << 20
_RATE_OVER_S = 0.25  # a rate is that of one to two such spans
_PATIENCE_S = 2.0
_LOOK_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How much and how long; two pictures of 5 MB are 14 MB of base64."""

    body_bytes: int = 16 << 20
    held_bytes: int = 256 << 20
    body_s: float = 60.0
    silent_s: float = 5.0


class Room:
    """What the bodies of all requests may hold together; for one event loop."""

    def __init__(self, limits: BodyLimits, refusals: Refusals) -> None:
        self.limits = limits
        self.held_bytes = 0
        self.refusals = refusals
        # What the bodies of each key and address hold, and those that are still coming.
        self._held_by: Counter[str] = Counter()
        self._coming: set[Body] = set()

    @contextmanager
    def coming(self, body: "Body") -> Iterator[None]:
        """Count a body among those that come, whose room others may need more."""
        self._coming.add(body)
        try:
            yield
        finally:
            self._coming.discard(body)

    async def take(self, body: "Body", count_bytes: int) -> None:
        """Count more bytes of a body; slow bodies lose theirs where there is no room otherwise.

        Raises:
            NoRoom: there is none for them at the moment.
        """
        now_s = asyncio.get_running_loop().time
        until_s = min(now_s() + _PATIENCE_S, body.due_s - _LOOK_AGAIN_S)
        while (reason := self._lacking(body, count_bytes)) is not None:
            slow = self._slowest_in_the_way(body, reason, now_s())
            if slow is not None:
                self.refusals.count(Refusal.SLOW_BODY)
                slow.lose_room()
            elif now_s() > until_s or count_bytes > self.limits.held_bytes:
                self.refusals.count(reason)
                raise NoRoom("Too many requests are being read. Try again.")
            else:
                await asyncio.sleep(_LOOK_AGAIN_S)
        self._count(body.counted_for, count_bytes)
        self.held_bytes += count_bytes

    def let_go(self, body: "Body", count_bytes: int) -> None:
        """Others may have the bytes of a body."""
        self._count(body.counted_for, -count_bytes)
        self.held_bytes -= count_bytes

    def move(self, body: "Body", counted_for: Sequence[str]) -> None:
        """Count the bytes of a body for others than before."""
        self._count(body.counted_for, -len(body.content))
        self._count(counted_for, len(body.content))

    def _count(self, whom: Sequence[str], count_bytes: int) -> None:
        for one in whom:
            self._held_by[one] += count_bytes
            if not self._held_by[one]:
                del self._held_by[one]

    def _lacking(self, body: "Body", count_bytes: int) -> Refusal | None:
        """Say why there is no room for more bytes of a body, if so."""
        left = self.limits.held_bytes - self.held_bytes - count_bytes
        if left < 0:
            return Refusal.BODIES
        own = len(body.content)
        for one in body.counted_for:
            held = self._held_by[one]
            if held > own and held + count_bytes > left:
                return Refusal.BODY_SHARE
        return None

    def _slowest_in_the_way(self, body: "Body", reason: Refusal, now_s: float) -> "Body | None":
        slow = [
            one
            for one in self._coming
            if one is not body
            and one.content
            and one.is_slow(now_s)
            and (reason is Refusal.BODIES or set(one.counted_for) & set(body.counted_for))
        ]
        return min(slow, key=lambda one: (one.is_proven, one.rate(now_s)), default=None)


class Body:
    """The body of one request, as far as it has come; its time begins with it.

    `counted_for` are the key and the address whose share of the room it takes, `is_proven` is
    whether its sender has proven to have the key's secret.
    """

    def __init__(
        self, receive: Receive, declared_bytes: int, room: Room, most_bytes: int | None = None
    ) -> None:
        self._receive = receive
        self._declared_bytes = declared_bytes
        self._most_bytes = room.limits.body_bytes if most_bytes is None else most_bytes
        self._room = room
        self._hash = hashlib.sha256()
        self._began_s = asyncio.get_running_loop().time()
        self.due_s = self._began_s + room.limits.body_s
        self._patience: asyncio.Timeout | None = None
        self._given_up = False
        self._lost_room = False
        self._waits_for_room = False
        # When the present span began, what came in it, and what came in the one before.
        self._span_s, self._span_bytes, self._former_bytes = self._began_s, 0, 0
        self.content = bytearray()
        self.counted_for: Sequence[str] = ()
        self.is_proven = False
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
            with self._room.coming(self):
                async with asyncio.timeout_at(self.due_s) as self._patience:
                    self.check_declared()
                    while not self.complete:
                        piece = await self._next_piece()
                        self._refuse_beyond(len(self.content) + len(piece))
                        await self._take(len(piece))
                        self.content += piece
                        self._hash.update(piece)
        except TimeoutError as error:
            self.give_up()
            if self._lost_room:
                raise NoRoom(
                    "Others needed the room of this request, which came slowly. Send it faster."
                ) from error
            self._room.refusals.count(Refusal.SLOW_BODY)
            raise BodyTooSlow(
                f"The body did not come within {limits.body_s:g} seconds. Send it faster."
            ) from error

    def allow(self, most_bytes: int) -> None:
        """Take at most so many bytes of it."""
        self._most_bytes = min(self._most_bytes, most_bytes)

    def count_for(self, *whom: str) -> None:
        """Say whose share of the room the body takes."""
        self._room.move(self, whom)
        self.counted_for = whom

    def lose_room(self) -> None:
        """Stop reading it, for others need its room now."""
        self._lost_room = True
        self.let_go()
        if self._patience is not None:
            self._patience.reschedule(self._began_s)

    def is_slow(self, now_s: float) -> bool:
        """Say whether others may need its room more."""
        is_young = now_s < self._began_s + 2 * _RATE_OVER_S
        return not (is_young or self._waits_for_room) and self.rate(now_s) < _SLOW_BYTES_PER_S

    def rate(self, now_s: float) -> float:
        """Say how many bytes a second come."""
        self._pass_time(now_s)
        return (self._former_bytes + self._span_bytes) / (_RATE_OVER_S + now_s - self._span_s)

    async def throw_away(self) -> None:
        """Read what is left without keeping it, as far as there is patience."""
        self.let_go()
        now_s, silent_s = asyncio.get_running_loop().time, self._room.limits.silent_s
        try:
            async with asyncio.timeout_at(None) as patience:
                while not (self.complete or self._given_up):
                    patience.reschedule(min(now_s() + silent_s, self.due_s))
                    await self._next_piece()
                    self._given_up = self.received_bytes > _THROWN_AWAY_BYTES
        except (TimeoutError, ClientDisconnect, asyncio.CancelledError):
            self.give_up()  # where the server stops, what was to be said still holds

    def give_up(self) -> None:
        """Wait for no more of it."""
        self._given_up = True

    def let_go(self) -> None:
        """Forget the content; others may hold as much."""
        self._room.let_go(self, len(self.content))
        self.content = bytearray()

    async def _take(self, count_bytes: int) -> None:
        if self._lost_room:
            raise TimeoutError  # which is on its way
        self._waits_for_room = True
        try:
            await self._room.take(self, count_bytes)
        finally:
            self._waits_for_room = False

    async def _next_piece(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self.complete = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        self.received_bytes += len(piece)
        self._pass_time(asyncio.get_running_loop().time())
        self._span_bytes += len(piece)
        return piece

    def _pass_time(self, now_s: float) -> None:
        if (spans := int((now_s - self._span_s) / _RATE_OVER_S)) > 0:
            self._former_bytes = self._span_bytes if spans == 1 else 0
            self._span_s, self._span_bytes = self._span_s + spans * _RATE_OVER_S, 0

    def _refuse_beyond(self, count_bytes: int) -> None:
        if count_bytes > self._most_bytes:
            raise BodyTooLarge(
                f"The body is larger than {self._most_bytes} bytes. Send a smaller one."
            )
