"""How long the server waits for a body, by bodies that come in pieces of our own."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from likeness.rekognition.body import Body, BodyLimits, Room
from likeness.rekognition.faults import AwsError

LONG_S = 30.0
Act = Callable[[Body], Awaitable[None]]


def timed(act: Act, limits: BodyLimits, *pieces: bytes | float, ends: bool = False) -> float:
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
        began_s = time.monotonic()
        await act(Body(receive, None, Room(limits)))
        return time.monotonic() - began_s

    return asyncio.run(come())


async def throw_away(body: Body) -> None:
    await body.throw_away()


async def refused(body: Body) -> None:
    with pytest.raises(AwsError) as caught:
        await body.read()
    assert caught.value.code == "RequestTimeoutException"
    await body.throw_away()
    assert not body.complete


def test_a_body_that_stalls_is_waited_for_once() -> None:
    limits = BodyLimits(body_s=0.5, silent_s=LONG_S)
    assert 0.4 < timed(refused, limits, b"{", 0.1, b"}") < 0.9


def test_who_sends_nothing_that_anybody_will_look_at_is_answered_soon() -> None:
    assert 0.1 < timed(throw_away, BodyLimits(silent_s=0.2), b"x") < 2


def test_who_goes_on_sending_is_listened_to_as_long_as_a_body_has() -> None:
    drops = [b"x", 0.1] * 20
    assert timed(throw_away, BodyLimits(silent_s=0.5), *drops, ends=True) > 1.9
    assert timed(throw_away, BodyLimits(body_s=0.5, silent_s=0.4), *drops, ends=True) < 1.5


def test_a_body_without_end_is_not_thrown_away_for_ever() -> None:
    async def most(body: Body) -> None:
        await body.throw_away()
        assert 128 << 20 < body.received_bytes < 140 << 20

    assert timed(most, BodyLimits(), *([bytes(1 << 20)] * 200)) < LONG_S


def test_who_leaves_is_waited_for_no_more() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def leave() -> None:
        body = Body(receive, None, Room(BodyLimits()))
        with pytest.raises(ClientDisconnect):
            await body.read()
        await body.throw_away()

    asyncio.run(leave())
