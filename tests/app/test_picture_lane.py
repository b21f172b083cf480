"""What `/v1` asks of pictures waits where Rekognition's operations wait."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from likeness.access import Credential
from likeness.app.own_acts import picture_lane_of
from likeness.errors import NoFace
from likeness.rekognition.application import Application, Limits
from likeness.rekognition.measures import Measures
from likeness.v1.problems import Problem

ONE_AT_A_TIME = Limits(picture_workers=1, waiting=0)


class Nobody:
    """Knows no access key."""

    def find(self, access_key_id: str) -> Credential | None:
        return None


def wire(limits: Limits) -> Application:
    return Application({}, Nobody(), Measures(CollectorRegistry()), limits)


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """Whoever waits for it is let go when the test is over."""
    held = threading.Event()
    yield held
    held.set()


def test_an_act_is_done_and_its_errors_are_its_own() -> None:
    def fail() -> None:
        raise NoFace("a face was expected")

    with closing(wire(ONE_AT_A_TIME)) as application:
        lane = picture_lane_of(application)
        assert asyncio.run(lane(lambda: 7)) == 7
        with pytest.raises(NoFace):
            asyncio.run(lane(fail))


def test_an_act_is_refused_while_too_many_pictures_wait(held: threading.Event) -> None:
    async def ask() -> None:
        lane = picture_lane_of(application)
        first = asyncio.ensure_future(application.in_picture_lane(held.wait))
        await asyncio.sleep(0)
        with pytest.raises(Problem) as refused:
            await lane(lambda: None)
        assert (refused.value.status_code, refused.value.title) == (429, "TooManyRequests")
        held.set()
        assert await first

    with closing(wire(ONE_AT_A_TIME)) as application:
        asyncio.run(ask())


def test_an_act_that_takes_too_long_is_a_fault(held: threading.Event) -> None:
    async def ask() -> None:
        with pytest.raises(Problem) as late:
            await picture_lane_of(application)(held.wait)
        assert (late.value.status_code, late.value.title) == (503, "Fault")
        held.set()

    with closing(wire(replace(ONE_AT_A_TIME, request_s=0.01))) as application:
        asyncio.run(ask())
