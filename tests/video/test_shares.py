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


def test_whoever_takes_long_gets_no_more_time_than_others() -> None:
    lane = FairLane(1)
    used = {"long": 0.0, "short": 0.0, "other": 0.0}
    until = time.monotonic() + 1.0

    def work(who: str, takes_s: float) -> None:
        while time.monotonic() < until:
            with lane.turn(who):
                began = time.monotonic()
                time.sleep(takes_s)
                used[who] += time.monotonic() - began

    _run(
        [
            threading.Thread(target=work, args=("long", 0.04)),
            threading.Thread(target=work, args=("short", 0.004)),
            threading.Thread(target=work, args=("other", 0.004)),
        ]
    )
    assert all(share == pytest.approx(1 / 3, abs=0.15) for share in used.values())


def test_several_threads_of_one_get_no_more_than_another_alone() -> None:
    lane = FairLane(1)
    turns: Counter[str] = Counter()
    until = time.monotonic() + 0.6

    def work(who: str) -> None:
        while time.monotonic() < until:
            with lane.turn(who):
                turns[who] += 1
                time.sleep(0.004)

    _run([threading.Thread(target=work, args=(who,)) for who in ("many", "many", "many", "one")])
    assert turns["many"] < 2 * turns["one"]


def test_whoever_was_away_has_saved_up_nothing() -> None:
    lane = FairLane(1)
    with lane.turn("late"):
        pass
    for _ in range(10):
        with lane.turn("busy"):
            time.sleep(0.01)
    order: list[str] = []
    holds = threading.Event()

    def work(who: str) -> None:
        for _ in range(4):
            with lane.turn(who):
                order.append(who)
                time.sleep(0.005)

    def hold() -> None:
        with lane.turn("third"):
            holds.set()
            time.sleep(0.05)

    holder = threading.Thread(target=hold)
    holder.start()
    holds.wait()
    _run([threading.Thread(target=work, args=(who,)) for who in ("late", "busy")])
    holder.join()
    assert "busy" in order[:3]


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
