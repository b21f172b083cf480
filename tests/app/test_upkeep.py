"""What is done while a server runs, whatever fails."""

import threading
import time

from likeness.app.upkeep import Task, Upkeep
from likeness.errors import DatabaseUnavailable


def test_task_is_done_again_and_again_and_its_failures_stop_no_other():
    done = {"fails": 0, "errs": 0, "works": 0}
    often = {name: threading.Event() for name in done}

    def note(name: str) -> None:
        done[name] += 1
        if done[name] == 3:
            often[name].set()

    def fail() -> None:
        note("fails")
        raise DatabaseUnavailable("it is gone")

    def err() -> None:
        note("errs")
        raise ZeroDivisionError

    tasks = [Task("fails", 0, fail), Task("errs", 0, err), Task("works", 0, lambda: note("works"))]
    with Upkeep(tasks, tick_s=0.01):
        assert all(event.wait(30) for event in often.values())
    after = dict(done)
    time.sleep(0.05)
    assert done == after  # closed


def test_task_that_takes_long_holds_up_no_other():
    held, ticking, ticks = threading.Event(), threading.Event(), []

    def tick() -> None:
        ticks.append(1)
        if len(ticks) == 3:
            ticking.set()

    slow = Task("slow", 0, lambda: held.wait(30))
    with Upkeep([slow, Task("ticks", 0, tick)], tick_s=0.01):
        assert ticking.wait(30)
        assert not held.is_set()
        held.set()


def test_task_waits_for_its_time():
    done = []
    waiting = Task("waits", 3600, lambda: done.append("waited"))
    ticking = threading.Event()
    ticks = []

    def tick() -> None:
        ticks.append(1)
        if len(ticks) == 5:
            ticking.set()

    with Upkeep([waiting, Task("ticks", 0, tick)], tick_s=0.01):
        assert ticking.wait(30)
    assert done == ["waited"]
