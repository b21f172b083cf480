"""Acts on threads: each with its own errors, so many at a time, fairly, and not for ever."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial

import pytest
from prometheus_client import CollectorRegistry

from likeness.errors import NoFace, TooBusy
from likeness.server import Lane, Metrics, Refusals
from likeness.server.errors import TooLate, TooManyRequests

ADA, BEA = "key:ada", "key:bea"


class Clock:
    """Seconds that pass when an act says so."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def make_lane() -> Iterator[Callable[..., Lane]]:
    """Lanes that count in one place; `pictures` without another name."""
    metrics = Metrics(CollectorRegistry())
    with ExitStack() as made:

        def make(
            workers: int = 1,
            waiting: int = 100,
            within_s: float = 20,
            name: str = "pictures",
            **more: object,
        ) -> Lane:
            lane = Lane(
                name,
                workers,
                waiting,
                within_s,
                metrics,
                Refusals(metrics),
                **more,  # type: ignore[arg-type]
            )
            return made.enter_context(closing(lane))

        yield make


@pytest.fixture
def held(make_lane: Callable[..., Lane]) -> Iterator[threading.Event]:
    """Whoever waits for it is let go when the test is over."""
    held = threading.Event()
    yield held
    held.set()


def done_in_order(lane: Lane, clock: Clock, asked: list[tuple[str, float]]) -> str:
    """Ask for acts of so many seconds while the lane is taken; say whose came in which order."""
    begun, free = threading.Event(), threading.Event()
    order: list[str] = []

    def hold() -> None:
        begun.set()
        free.wait(20)

    def act(by: str, seconds: float) -> None:
        order.append(by)
        clock.now_s += seconds

    async def ask() -> None:
        first = asyncio.ensure_future(lane.run(hold, "key:nobody"))
        await asyncio.to_thread(begun.wait, 20)
        acts = [
            asyncio.ensure_future(lane.run(lambda by=by, s=s: act(by, s), by))  # type: ignore[misc]
            for by, s in asked
        ]
        await asyncio.sleep(0)
        free.set()
        await asyncio.gather(first, *acts)

    asyncio.run(ask())
    return "".join(order)


def test_an_act_is_done_and_its_errors_are_its_own(make_lane: Callable[..., Lane]) -> None:
    def fail() -> None:
        raise NoFace("No face.")

    lane = make_lane()
    assert asyncio.run(lane.run(lambda: 7, ADA)) == 7
    with pytest.raises(NoFace):
        asyncio.run(lane.run(fail, ADA))


def test_an_act_is_refused_while_too_many_wait(
    make_lane: Callable[..., Lane], held: threading.Event
) -> None:
    lane = make_lane(waiting=0)

    async def ask() -> None:
        first = asyncio.ensure_future(lane.run(held.wait, ADA))
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequests):
            await lane.run(lambda: None, BEA)
        held.set()
        assert await first

    asyncio.run(ask())


def test_an_act_that_takes_too_long_is_not_waited_for(
    make_lane: Callable[..., Lane], held: threading.Event
) -> None:
    lane = make_lane(within_s=0.01)

    async def ask() -> None:
        with pytest.raises(TooLate, match="not done within"):
            await lane.run(held.wait, ADA)
        with pytest.raises(TooLate):
            await lane.run(lambda: pytest.fail("it was too late"), ADA)
        held.set()

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("asked", "order"),
    [
        ([("a", 1)] * 4 + [("b", 1)] * 2, "ababaa"),
        ([("a", 1)] * 4 + [("b", 1)] * 2 + [("c", 1)], "abcabaa"),
        # Who asks for what takes long has fewer turns.
        ([("a", 10), ("a", 10), *[("b", 4)] * 6], "abbbabbb"),
        ([("a", 1), ("a", 1)], "aa"),
        # The time of who has much waiting counts four times.
        ([("a", 1)] * 12 + [("b", 1)] * 6, "abbbbabbaaaaaaaaaa"),
    ],
)
def test_whoever_had_least_of_the_time_is_next(
    make_lane: Callable[..., Lane], asked: list[tuple[str, float]], order: str
) -> None:
    clock = Clock()
    assert done_in_order(make_lane(clock_s=clock), clock, asked) == order


def test_one_key_waits_in_as_many_places_as_are_left_to_others(
    make_lane: Callable[..., Lane], held: threading.Event
) -> None:
    lane = make_lane(waiting=10)

    async def ask() -> None:
        acts = [asyncio.ensure_future(lane.run(held.wait, ADA)) for _ in range(6)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequests, match="of your requests"):
            await lane.run(held.wait, ADA)
        acts += [asyncio.ensure_future(lane.run(held.wait, BEA)) for _ in range(3)]
        await asyncio.sleep(0)
        held.set()
        assert all(await asyncio.gather(*acts))

    asyncio.run(ask())


def test_one_key_does_not_have_all_threads(
    make_lane: Callable[..., Lane], held: threading.Event
) -> None:
    lane = make_lane(workers=3, of_one=2)

    async def ask() -> None:
        acts = [asyncio.ensure_future(lane.run(held.wait, ADA)) for _ in range(4)]
        await asyncio.sleep(0)
        assert await lane.run(lambda: "at once", BEA) == "at once"
        held.set()
        assert all(await asyncio.gather(*acts))

    asyncio.run(ask())


def test_one_key_leaves_a_thread_more_while_others_are_about(
    make_lane: Callable[..., Lane], held: threading.Event
) -> None:
    clock = Clock()
    lane = make_lane(workers=3, of_one=2, clock_s=clock)

    async def begun(expected: int) -> int:
        """Wait for so many of one key's acts, and say how many are begun at once."""
        threads = [threading.Event() for _ in range(3)]
        acts = [
            asyncio.ensure_future(lane.run(lambda one=one: one.set() or held.wait(20), ADA))  # type: ignore[misc]
            for one in threads
        ]
        for one in threads[:expected]:
            await asyncio.to_thread(one.wait, 20)
        await asyncio.sleep(0.05)  # for one too many
        count = sum(one.is_set() for one in threads)
        held.set()
        await asyncio.gather(*acts)
        held.clear()
        return count

    async def ask() -> None:
        await lane.run(lambda: None, BEA)
        assert await begun(1) == 1
        clock.now_s = 2.0
        assert await begun(2) == 2

    asyncio.run(ask())


def test_who_gave_up_while_waiting_takes_no_place(
    make_lane: Callable[..., Lane], held: threading.Event
) -> None:
    lane = make_lane(waiting=1)

    async def ask() -> None:
        first = asyncio.ensure_future(lane.run(held.wait, ADA))
        await asyncio.sleep(0)
        for _ in range(3):
            waiting = asyncio.ensure_future(lane.run(lambda: pytest.fail("it gave up"), BEA))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        held.set()
        assert await first

    asyncio.run(ask())


def test_who_has_much_waiting_leaves_threads_to_who_has_not(
    make_lane: Callable[..., Lane], held: threading.Event
) -> None:
    clock = Clock()
    lane = make_lane(workers=4, of_one=3, clock_s=clock)
    begun: list[int] = []
    over = [threading.Event() for _ in range(12)]

    def act(number: int) -> None:
        begun.append(number)
        over[number].wait(20)

    async def ask() -> None:
        few = asyncio.ensure_future(lane.run(held.wait, BEA))
        await asyncio.sleep(0)
        much = [asyncio.ensure_future(lane.run(partial(act, number), ADA)) for number in range(12)]
        await asyncio.sleep(0)
        clock.now_s += 0.5
        for one in (0, 1):
            over[one].set()
            await much[one]
        assert sorted(begun) == [0, 1]  # the others wait, though three threads are free
        held.set()
        await few
        for one in over:
            one.set()
        await asyncio.gather(*much)
        assert sorted(begun) == list(range(12))

    asyncio.run(ask())


def test_while_a_part_is_done_elsewhere_others_have_the_place(
    make_lane: Callable[..., Lane], held: threading.Event
) -> None:
    lane, large = make_lane(), make_lane(name="large")
    threads: list[str] = []

    def part() -> str:
        threads.append(threading.current_thread().name)
        held.wait(20)
        return "a part"

    async def ask() -> None:
        first = asyncio.ensure_future(lane.run(lambda: large.do(part), ADA))
        assert await lane.run(lambda: "small", BEA) == "small"
        held.set()
        assert await first == "a part"

    asyncio.run(ask())
    assert threads[0].startswith("likeness-large")


def test_the_parts_that_wait_elsewhere_are_bounded_and_fail_as_they_do(
    make_lane: Callable[..., Lane], held: threading.Event
) -> None:
    lane, large = make_lane(workers=4), make_lane(name="large", waiting=0)

    def fail() -> None:
        raise NoFace("No face.")

    async def ask() -> None:
        begun = threading.Event()
        first = asyncio.ensure_future(
            lane.run(lambda: large.do(lambda: begun.set() or held.wait(20)), ADA)
        )
        await asyncio.to_thread(begun.wait, 20)
        with pytest.raises(TooBusy):
            await lane.run(lambda: large.do(fail), BEA)
        held.set()
        await first
        with pytest.raises(NoFace):
            await lane.run(lambda: large.do(fail), BEA)

    asyncio.run(ask())


def test_a_part_that_waited_too_long_elsewhere_is_not_begun(
    make_lane: Callable[..., Lane], held: threading.Event
) -> None:
    lane, large = make_lane(workers=2, within_s=1), make_lane(name="large")

    async def ask() -> None:
        taken = asyncio.ensure_future(large.run(held.wait, ADA))
        await asyncio.sleep(0)
        with pytest.raises(TooBusy):  # in time to say so
            await lane.run(lambda: large.do(lambda: pytest.fail("it was too late")), BEA)
        held.set()
        await taken

    asyncio.run(ask())


def test_what_is_no_act_of_a_lane_is_done_at_once(make_lane: Callable[..., Lane]) -> None:
    assert make_lane(name="large").do(threading.current_thread) is threading.current_thread()
