"""Acts on threads: each with its own errors, so many at a time, and not for ever."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from prometheus_client import CollectorRegistry

from likeness.errors import NoFace
from likeness.server import Lane, Metrics
from likeness.server.errors import TooLate, TooManyRequests


def one_at_a_time(within_s: float = 20) -> Lane:
    return Lane("pictures", 1, 0, within_s, Metrics(CollectorRegistry()))


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """Whoever waits for it is let go when the test is over."""
    held = threading.Event()
    yield held
    held.set()


def test_an_act_is_done_and_its_errors_are_its_own() -> None:
    def fail() -> None:
        raise NoFace("No face.")

    with closing(one_at_a_time()) as lane:
        assert asyncio.run(lane.run(lambda: 7)) == 7
        with pytest.raises(NoFace):
            asyncio.run(lane.run(fail))


def test_an_act_is_refused_while_too_many_wait(held: threading.Event) -> None:
    async def ask() -> None:
        first = asyncio.ensure_future(lane.run(held.wait))
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequests):
            await lane.run(lambda: None)
        held.set()
        assert await first

    with closing(one_at_a_time()) as lane:
        asyncio.run(ask())


def test_an_act_that_takes_too_long_is_not_waited_for(held: threading.Event) -> None:
    async def ask() -> None:
        with pytest.raises(TooLate, match="not done within"):
            await lane.run(held.wait)
        held.set()

    with closing(one_at_a_time(within_s=0.01)) as lane:
        asyncio.run(ask())
