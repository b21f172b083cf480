"""What is done while a server runs, whatever fails."""

import json
import threading
import time
from dataclasses import replace
from pathlib import Path

from likeness.app.upkeep import Task, Upkeep, told_by_webhook
from likeness.errors import DatabaseUnavailable
from likeness.notify import Webhook, WebhookSecret
from likeness.reachable import read_networks
from likeness.service.uses import Home
from tests.notify.receiver import receiving
from tests.service.conftest import sqlite_home, standards  # noqa: F401  # fixtures
from tests.service.live.telling import begin, end, register, tell


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


def test_webhooks_are_told_what_is_left_when_a_program_ends(
    sqlite_home: Home,  # noqa: F811  # a fixture
    tmp_path: Path,
) -> None:
    register(sqlite_home, tmp_path)
    home = replace(sqlite_home, webhook_networks=read_networks("127.0.0.0/8"))
    secret = WebhookSecret.new()
    with receiving() as receiver:
        with told_by_webhook(home):
            job = begin(home, webhook=Webhook(receiver.url, secret))
            tell(home, job, 1)
            end(home, job)
        sighting, last = [json.loads(body) for body in receiver.verified(secret)]
    assert (sighting["type"], last["type"]) == ("live.sighting", "live.ended")
    assert (sighting["data"]["search"], last["data"]["id"]) == (job.id, job.id)
    assert sighting["timestamp"]
    assert last["data"]["state"] == "stopped"
