"""Who may hold how many connections, and which are closed for whom."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from prometheus_client import CollectorRegistry

from likeness.server import Metrics, Refusals
from likeness.server.connections import Connection, Connections, Stage


class Held:
    """Connections with a clock, and the names of those that were closed and refused."""

    def __init__(self, most: int, per_address: int) -> None:
        self.registry = CollectorRegistry()
        self.now_s = 0.0
        self.closed: list[str] = []
        self.refusals = Refusals(Metrics(self.registry))
        self.connections = Connections(most, per_address, self.refusals, lambda: self.now_s)

    def take(self, name: str, *stages: Stage) -> Connection | None:
        """Take a connection, such as `a1` of address `a`, and have it be at something."""
        connection = self.connections.admit(name[0], lambda: self.closed.append(name))
        for stage in stages:
            assert connection is not None
            connection.turn(stage)
        self.now_s += 1
        return connection

    def refused(self, reason: str) -> float:
        labels = {"reason": reason}
        return self.registry.get_sample_value("likeness_refusals_total", labels) or 0


@pytest.fixture
def hold() -> Iterator[Callable[..., Held]]:
    with ExitStack() as made:

        def hold(most: int, per_address: int) -> Held:
            held = Held(most, per_address)
            made.enter_context(held.refusals)
            return held

        yield hold


@pytest.mark.parametrize(
    ("held", "closed"),
    [
        ({"a1": [Stage.KEPT], "a2": [], "a3": [], "b1": []}, "a2"),
        ({"b1": [], "a1": [Stage.KEPT], "a2": [Stage.KEPT], "a3": [Stage.WORKING]}, "a1"),
        ({"a1": [Stage.WORKING], "a2": [Stage.WORKING], "b1": [Stage.KEPT], "b2": []}, "b2"),
        ({"a1": [Stage.SENDING], "a2": [Stage.SENDING], "b1": [], "b2": []}, "b1"),
        ({"a1": [Stage.SENDING], "a2": [Stage.WORKING], "a3": [Stage.KEPT], "b1": []}, "a3"),
        ({"a1": [Stage.WORKING, Stage.KEPT], "a2": [Stage.KEPT], "b1": [], "c1": []}, "a1"),
    ],
)
def test_the_longest_idle_of_whom_holds_most_makes_room(
    hold: Callable[..., Held], held: dict[str, list[Stage]], closed: str
) -> None:
    holds = hold(most=4, per_address=4)
    for name, stages in held.items():
        holds.take(name, *stages)
    assert holds.take("z1") is not None
    assert holds.closed == [closed]
    assert holds.connections.count == 4
    assert holds.refused("idle-connections") == 1


def test_an_address_makes_its_own_room_beyond_its_share(hold: Callable[..., Held]) -> None:
    holds = hold(most=10, per_address=2)
    holds.take("b1")
    for name in ("a1", "a2", "a3"):
        assert holds.take(name) is not None
    assert holds.closed == ["a1"]


def test_what_is_worked_on_is_never_closed(hold: Callable[..., Held]) -> None:
    holds = hold(most=3, per_address=2)
    for name in ("a1", "a2", "b1"):
        holds.take(name, Stage.WORKING)
    assert holds.take("a3") is None
    assert holds.take("b2") is None
    assert holds.closed == []
    assert (holds.refused("address-connections"), holds.refused("connections")) == (1, 1)


def test_a_request_that_does_not_come_further_makes_room_after_a_while(
    hold: Callable[..., Held],
) -> None:
    holds = hold(most=2, per_address=2)
    stuck, moving = holds.take("a1", Stage.SENDING), holds.take("a2", Stage.SENDING)
    assert stuck is not None
    assert moving is not None
    assert holds.take("b1") is None
    holds.now_s = 6
    moving.turn(Stage.SENDING)
    assert holds.take("b1") is not None
    assert holds.take("b2") is not None  # for which the new one of its own goes
    assert holds.closed == ["a1", "b1"]


def test_who_leaves_makes_room_once(hold: Callable[..., Held]) -> None:
    holds = hold(most=2, per_address=2)
    first, _ = holds.take("a1"), holds.take("a2")
    assert first is not None
    for _ in range(3):
        first.leave()
        first.turn(Stage.WORKING)
    assert holds.connections.count == 1
    assert holds.take("a3") is not None
    assert holds.closed == []
