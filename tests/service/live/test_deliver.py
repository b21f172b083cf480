"""Webhooks are told what a live search tells: in order, signed, until it came or is a day old."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from likeness import jobs
from likeness.access import Grant
from likeness.errors import Denied, InvalidRequest
from likeness.jobs import Job, JobState
from likeness.notify import Webhook, WebhookSecret, WebhookSender
from likeness.reachable import read_networks
from likeness.service.govern.keys import create_key, disable_key
from likeness.service.live import deliver
from likeness.service.live.deliver import tell_of_sightings
from likeness.service.live.manage import LiveJob
from likeness.service.live.sighting import Sighting
from likeness.service.review.upkeep import Told
from likeness.service.uses import Caller, Home
from tests.notify.receiver import Receiver, receiving

from .telling import begin, end, register, tell

SECRET = WebhookSecret.new()
LOOPBACK = read_networks("127.0.0.0/8")


def said(search: LiveJob, sighting: Sighting | None) -> bytes:
    if sighting is None:
        return json.dumps(["end", search.job.state]).encode()
    return json.dumps([sighting.number, sighting.receipt]).encode()


@pytest.fixture
def home(sqlite_home: Home, tmp_path: Path) -> Home:
    register(sqlite_home, tmp_path)
    return replace(sqlite_home, webhook_networks=LOOPBACK)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def searched(home: Home, receiver: Receiver, by: Caller | None = None) -> Job:
    return begin(home, by, webhook=Webhook(receiver.url, SECRET))


def send(home: Home) -> Told:
    return tell_of_sightings(home, WebhookSender(LOOPBACK), said)


def came(receiver: Receiver) -> list[Any]:
    """What came first of each message, all of them signed."""
    return [json.loads(body)[0] for body in receiver.verified(SECRET)]


def at(home: Home, **later: float) -> Home:
    """The same home at a later time."""
    now = home.clock()
    return replace(home, clock=lambda: now + timedelta(**later))


def test_each_sighting_is_told_in_order_and_then_the_end(home: Home, receiver: Receiver) -> None:
    job = searched(home, receiver)
    assert send(home) == Told(0, 0, 0)
    tell(home, job, 1, 2)
    assert send(home) == Told(2, 0, 0)
    assert send(home) == Told(0, 0, 0)
    tell(home, job, 3)
    end(home, job)
    assert send(home) == Told(2, 0, 0)
    assert came(receiver) == [1, 2, 3, "end"]
    assert send(home) == Told(0, 0, 0)
    ids = [headers["webhook-id"] for headers, _ in receiver.came]
    assert ids == [f"{job.id}-{which}" for which in (1, 2, 3, "end")]


def test_nothing_is_told_before_it_is_in_the_ledger(home: Home, receiver: Receiver) -> None:
    job = searched(home, receiver)
    tell(home, job, 1)
    send(home)
    (_, receipt) = json.loads(receiver.came[0][1])
    assert home.ledger.receipt(receipt)


def test_much_is_told_in_several_pages(
    home: Home, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "_AT_ONCE", 2)
    job = searched(home, receiver)
    tell(home, job, *range(1, 6))
    assert send(home) == Told(5, 0, 0)
    assert came(receiver) == [1, 2, 3, 4, 5]


def test_what_is_not_taken_waits_and_what_comes_behind_it(home: Home, receiver: Receiver) -> None:
    job = searched(home, receiver)
    receiver.status = 500
    tell(home, job, 1)
    assert send(home) == Told(0, 1, 0)
    tell(home, job, 2)
    assert send(home) == Told(0, 0, 0)
    receiver.status = 204
    assert send(at(home, seconds=6)) == Told(2, 0, 0)
    assert came(receiver) == [1, 1, 2]


def test_it_goes_on_behind_the_last_that_was_taken(home: Home, receiver: Receiver) -> None:
    job = searched(home, receiver)
    tell(home, job, 1, 2, 3)
    taken: list[bytes] = []

    class Sender(WebhookSender):
        def send(self, webhook: Webhook, message_id: str, body: bytes) -> str | None:
            taken.append(body)
            return "it answered with status 500" if len(taken) == 2 else None

    assert tell_of_sightings(home, Sender(), said) == Told(1, 1, 0)
    assert tell_of_sightings(at(home, seconds=6), Sender(), said) == Told(2, 0, 0)
    assert [json.loads(body)[0] for body in taken] == [1, 2, 2, 3]


def test_what_is_a_day_old_is_given_up_and_the_rest_is_told(home: Home, receiver: Receiver) -> None:
    job = searched(home, receiver)
    receiver.status = 500
    tell(home, job, 1, 2, ago=timedelta(hours=25))
    tell(home, job, 3)
    assert send(home) == Told(0, 1, 2)
    receiver.status = 204
    assert send(at(home, seconds=6)) == Told(1, 0, 0)
    assert came(receiver) == [1, 3]


def test_the_end_is_given_up_a_day_later(home: Home, receiver: Receiver) -> None:
    job = searched(home, receiver)
    end(home, job, JobState.FAILED, failure="NotFound")
    receiver.status = 500
    assert send(home) == Told(0, 1, 0)
    assert send(at(home, hours=25)) == Told(0, 0, 1)
    assert send(at(home, hours=26)) == Told(0, 0, 0)


@pytest.mark.parametrize("ends", [False, True])
def test_a_key_that_is_disabled_has_nobody_told(
    home: Home, receiver: Receiver, ends: bool, caplog: pytest.LogCaptureFixture
) -> None:
    admin = Caller(home.somebody, "test")
    made = create_key(home, admin, "desk", Grant()).key.principal
    job = searched(home, receiver, Caller(made, "StartLiveSearch"))
    tell(home, job, 1)
    if ends:
        end(home, job)
    disable_key(home, admin, "desk", last_admin_too=False)
    assert send(home) == Told(0, 0, 1)
    assert send(home) == Told(0, 0, 0)
    assert receiver.came == []
    assert "not told any more" in caplog.text


def test_what_may_not_be_told_now_waits(
    home: Home,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    job = searched(home, receiver)
    tell(home, job, 1)

    def refuse(*_: object) -> None:
        raise Denied("A rule forbids it.")

    with monkeypatch.context() as patched:
        patched.setattr(deliver, "sightings_after", refuse)
        assert send(home) == Told(0, 1, 0)
    assert "may not be told (Denied)" in caplog.text
    assert send(at(home, seconds=6)) == Told(1, 0, 0)


def test_a_search_that_was_cancelled_has_nobody_told(home: Home, receiver: Receiver) -> None:
    job = searched(home, receiver)
    tell(home, job, 1)
    home.database.write(lambda c: jobs.cancel_job(c, home.keyring, job.id, home.clock()))
    assert send(home) == Told(0, 0, 0)


def test_searches_are_told_at_once_by_several_and_each_once(home: Home, receiver: Receiver) -> None:
    for job in [searched(home, receiver) for _ in range(3)]:
        tell(home, job, *range(1, 9))
    threads = [threading.Thread(target=send, args=(home,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    send(home)
    each: dict[str, list[int]] = {}
    for headers, body in receiver.came:
        each.setdefault(headers["webhook-id"].partition("-")[0], []).append(json.loads(body)[0])
    assert list(each.values()) == [list(range(1, 9))] * 3


def test_log_names_neither_the_receiver_nor_what_is_told(
    home: Home, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    job = searched(home, receiver)
    receiver.status = 500
    tell(home, job, 1)
    send(home)
    assert "status 500" in caplog.text
    assert "token" not in caplog.text
    assert receiver.url not in caplog.text


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "http://10.0.0.1/", "ftp://x/"])
def test_a_webhook_that_may_not_be_reached_begins_no_search(home: Home, url: str) -> None:
    with pytest.raises(InvalidRequest):
        begin(home, webhook=Webhook(url, SECRET))
