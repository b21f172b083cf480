"""How long the server waits for a body, by bodies and a clock of our own."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from likeness.server import BodyLimits
from likeness.server.errors import BodyTooSlow
from likeness.server.exchange import Body, Room

LONG_S = 1000.0
Act = Callable[[Body], Awaitable[None]]


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
        await act(Body(receive, 0, Room(limits)))
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
        body = Body(receive, 0, Room(BodyLimits()))
        with pytest.raises(ClientDisconnect):
            await body.read()
        await body.throw_away()

    asyncio.run(leave())
