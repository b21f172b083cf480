"""How long the server waits for a body, by bodies and a clock of our own."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from starlette.requests import ClientDisconnect
from starlette.types import Message

from likeness.server import BodyLimits, Metrics, Refusals
from likeness.server.bodies import Body, Room
from likeness.server.errors import BodyTooSlow, NoRoom

LONG_S = 1000.0
Act = Callable[[Body], Awaitable[None]]


def room(limits: BodyLimits) -> Room:
    return Room(limits, Refusals(Metrics(CollectorRegistry())))


class Hurried(asyncio.SelectorEventLoop):
    """A loop whose time passes only, and at once, when there is nothing else to do."""

    def __init__(self) -> None:
        self._selecting = Selecting()
        super().__init__(self._selecting)

    def time(self) -> float:
        return self._selecting.passed_s


class Selecting(selectors.DefaultSelector):
    """Lets the time pass for which it should wait."""

    passed_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "nothing would ever happen"
            self.passed_s += timeout
        return ready


def timed(act: Act, limits: BodyLimits, *pieces: bytes | float, ends: bool = False) -> Any:
    """Let a body come, with pauses in seconds between its pieces; give the seconds that passed."""
    coming = iter(pieces)

    async def receive() -> Message:
        for piece in coming:
            if isinstance(piece, bytes):
                return {"type": "http.request", "body": piece, "more_body": True}
            await asyncio.sleep(piece)
        if ends:
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.sleep(LONG_S)
        raise AssertionError("nobody waits so long")

    async def come() -> float:
        now_s = asyncio.get_running_loop().time
        began_s = now_s()
        await act(Body(receive, 0, room(limits)))
        return now_s() - began_s

    with asyncio.Runner(loop_factory=Hurried) as runner:
        return pytest.approx(runner.run(come()), abs=0.01)


async def throw_away(body: Body) -> None:
    await body.throw_away()


async def refused(body: Body) -> None:
    with pytest.raises(BodyTooSlow):
        await body.read()
    await body.throw_away()
    assert not body.complete


def test_a_body_that_stalls_is_waited_for_once() -> None:
    limits = BodyLimits(body_s=60, silent_s=LONG_S)
    assert timed(refused, limits, b"{", 10, b"}") == 60


def test_who_sends_nothing_that_anybody_will_look_at_is_answered_soon() -> None:
    assert timed(throw_away, BodyLimits(silent_s=5), b"x") == 5


def test_who_goes_on_sending_is_listened_to_as_long_as_a_body_has() -> None:
    drops = [b"x", 4] * 20
    assert timed(throw_away, BodyLimits(body_s=100, silent_s=5), *drops, ends=True) == 80
    assert timed(throw_away, BodyLimits(body_s=60, silent_s=5), *drops, ends=True) == 60


def test_a_body_without_end_is_not_thrown_away_for_ever() -> None:
    async def most(body: Body) -> None:
        await body.throw_away()
        assert 128 << 20 < body.received_bytes < 140 << 20

    assert timed(most, BodyLimits(), *([bytes(1 << 20)] * 200)) == 0


def test_who_leaves_is_waited_for_no_more() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def leave() -> None:
        body = Body(receive, 0, room(BodyLimits()))
        with pytest.raises(ClientDisconnect):
            await body.read()
        await body.throw_away()

    asyncio.run(leave())


KIB = 1 << 10


class Sender:
    """Sends a body piece by piece, when the test says so."""

    def __init__(self, shared: Room, *counted_for: str) -> None:
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self.body = Body(self._receive, 0, shared)
        self.body.count_for(*counted_for)
        self.reading = asyncio.ensure_future(self.body.read())

    async def send(self, count_bytes: int) -> None:
        self._pieces.put_nowait(bytes(count_bytes))
        await asyncio.sleep(0.01)

    async def end(self) -> None:
        """End the body, and give what came of reading it."""
        self._pieces.put_nowait(b"")
        await self.reading

    async def leave(self) -> None:
        """End the reading, whatever came of it."""
        self.reading.cancel()
        await asyncio.gather(self.reading, return_exceptions=True)

    async def _receive(self) -> Message:
        piece = await self._pieces.get()
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}


def together(act: Callable[[Room], Awaitable[None]], held_bytes: int) -> None:
    """Let bodies share a room, in time that passes at once."""
    with asyncio.Runner(loop_factory=Hurried) as runner:
        runner.run(act(room(BodyLimits(held_bytes=held_bytes))))  # type: ignore[arg-type]


def test_a_slow_body_loses_its_room_to_whoever_needs_it() -> None:
    async def act(shared: Room) -> None:
        slow = [Sender(shared, "key a", "address x") for _ in range(3)]
        for one in slow:
            await one.send(150 * KIB)
        await asyncio.sleep(1)
        quick = Sender(shared, "key a", "address x")
        await quick.send(150 * KIB)
        await quick.end()
        (lost,) = [one for one in slow if one.reading.done()]
        with pytest.raises(NoRoom, match="slowly"):
            await lost.reading
        assert shared.held_bytes == 450 * KIB
        for one in slow:
            await one.leave()

    together(act, held_bytes=1000 * KIB)


def test_who_sends_fast_keeps_their_room() -> None:
    async def act(shared: Room) -> None:
        fast = Sender(shared, "key a", "address x")
        await fast.send(500 * KIB)
        late = Sender(shared, "key b", "address y")
        await late.send(700 * KIB)
        while not late.reading.done():
            await fast.send(10 * KIB)
            fast.body._span_bytes += 100 * KIB  # as if it were that, and its room without end
            await asyncio.sleep(0.03)
        with pytest.raises(NoRoom, match="Too many requests"):
            await late.reading
        await fast.end()

    together(act, held_bytes=1100 * KIB)


def test_nobody_is_kept_out_by_the_unfinished_bodies_of_another_address() -> None:
    async def act(shared: Room) -> None:
        many = [Sender(shared, "key a", "address x") for _ in range(30)]
        for one in many:
            await one.send(100 * KIB)
        other = Sender(shared, "key a", "address y")
        await other.send(100 * KIB)
        await other.end()
        assert sum(len(one.body.content) for one in many) <= 500 * KIB
        for one in many:
            await one.leave()

    together(act, held_bytes=1000 * KIB)


def test_whoever_has_proven_who_they_are_keeps_their_room_longest() -> None:
    async def act(shared: Room) -> None:
        proven = Sender(shared, "key a")
        proven.body.is_proven = True
        await proven.send(100 * KIB)
        guessed = Sender(shared, "key b", "address x")
        await guessed.send(100 * KIB)
        await asyncio.sleep(1)
        other = Sender(shared, "key c", "address y")
        await other.send(100 * KIB)
        await other.end()
        assert (proven.reading.done(), guessed.reading.done()) == (False, True)
        with pytest.raises(NoRoom):
            await guessed.reading
        await proven.leave()

    together(act, held_bytes=250 * KIB)


def test_a_proven_body_counts_for_its_key_alone() -> None:
    async def act(shared: Room) -> None:
        done = Sender(shared, "key a", "address x")
        await done.send(400 * KIB)
        await done.end()
        done.body.count_for("key a")
        other = Sender(shared, "key b", "address x")
        await other.send(400 * KIB)
        await other.end()
        again = Sender(shared, "key a", "address y")
        await again.send(100 * KIB)
        with pytest.raises(NoRoom):
            await again.reading
        done.body.let_go()
        assert shared.held_bytes == 400 * KIB

    together(act, held_bytes=1000 * KIB)
