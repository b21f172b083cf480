"""Turns are shared fairly among those who want one all the time."""

import threading
import time
from collections import Counter

import pytest

from likeness.video import FairLane


def test_no_more_than_so_many_have_a_turn_at_a_time() -> None:
    lane = FairLane(2)
    now = most = 0
    lock = threading.Lock()

    def work(who: int) -> None:
        nonlocal now, most
        for _ in range(5):
            with lane.turn(who):
                with lock:
                    now += 1
                    most = max(most, now)
                time.sleep(0.002)
                with lock:
                    now -= 1

    _run([threading.Thread(target=work, args=(who,)) for who in range(6)])
    assert most == 2


def test_who_waits_may_give_up_and_come_again() -> None:
    lane = FairLane(1)
    with lane.turn("one"), lane.turn("other", 0.01) as has_come:
        assert not has_come
    with lane.turn("other", 0.01) as has_come:
        assert has_come


class Clock:
    """Goes on by what turns take, and by nothing else, however slow the machine is."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def go_on(self, seconds: float) -> None:
        """Let time pass, and others come to wait for their turn."""
        self.now_s += seconds
        time.sleep(0.003)

    def __call__(self) -> float:
        return self.now_s


def test_whoever_takes_long_gets_no_more_time_than_others() -> None:
    clock = Clock()
    lane = FairLane(1, clock)
    used = {"long": 0.0, "short": 0.0, "other": 0.0}
    all_are_here = threading.Barrier(len(used))

    def work(who: str, takes_s: float) -> None:
        all_are_here.wait()
        while clock.now_s < 6.0:
            with lane.turn(who):
                clock.go_on(takes_s)
                used[who] += takes_s

    takes_s = {"long": 0.4, "short": 0.04, "other": 0.04}
    _run([threading.Thread(target=work, args=one) for one in takes_s.items()])
    assert all(share == pytest.approx(2.0, abs=0.9) for share in used.values())


def test_several_threads_of_one_get_no_more_than_another_alone() -> None:
    clock = Clock()
    lane = FairLane(1, clock)
    turns: Counter[str] = Counter()
    all_are_here = threading.Barrier(4)

    def work(who: str) -> None:
        all_are_here.wait()
        while clock.now_s < 6.0:
            with lane.turn(who):
                turns[who] += 1
                clock.go_on(0.04)

    _run([threading.Thread(target=work, args=(who,)) for who in ("many", "many", "many", "one")])
    assert turns["many"] < 2 * turns["one"]


def test_whoever_was_away_has_saved_up_nothing() -> None:
    clock = Clock()
    lane = FairLane(1, clock)
    with lane.turn("late"):
        pass
    for _ in range(10):
        with lane.turn("busy"):
            clock.go_on(0.01)
    order: list[str] = []
    all_are_here = threading.Barrier(2)

    def work(who: str) -> None:
        all_are_here.wait()
        for _ in range(20):
            with lane.turn(who):
                order.append(who)
                clock.go_on(0.005)

    _run([threading.Thread(target=work, args=(who,)) for who in ("late", "busy")])
    # Whoever comes back has what the last turn had before it, which is two of their turns less.
    assert "busy" in order[:6]


def test_a_turn_ends_with_an_error_too_and_whoever_leaves_is_forgotten() -> None:
    lane = FairLane(1)
    with pytest.raises(KeyError), lane.turn("a"):
        raise KeyError
    with lane.turn("b"):
        pass
    lane.leave("a")
    lane.leave("nobody")
    with lane.turn("a"):
        pass


def test_a_lane_for_nobody_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="workers"):
        FairLane(0)


def _run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
