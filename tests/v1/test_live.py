"""Live searches over HTTP: begun, shown, stopped, and told page by page and as events."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from likeness.errors import Denied
from likeness.reachable import read_networks
from likeness.server import EVENTS, Gate, HttpServer, Listeners, Metrics, Place
from likeness.service.live.listening import Listening
from likeness.service.live.sightings import SightingsPage
from likeness.service.uses import Home
from likeness.v1 import live
from likeness.v1.acts import Acts
from likeness.v1.application import Application
from tests.rekognition.operations.conftest import OneKey
from tests.service.conftest import sqlite_home, standards  # noqa: F401  # fixtures
from tests.service.live.telling import begin, end, register, tell

from .conftest import signed

STATED = {
    "source": "gate",
    "collection": "staff",
    "authority": "the head of security",
    "criteria": "staff alone",
}


class Asking:
    """Calls of `/v1/live` by whoever is at the command line."""

    def __init__(self, home: Home, gate: Gate) -> None:
        self.home = home
        self.application = Application(Acts(home, gate.pictures, lambda: True), gate)

    def call(self, method: str, path: str = "", **sent: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.application)

        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="http://v1") as client:
                request = client.build_request(method, f"/v1/live{path}", **sent)
                return await client.send(by_key(request))

        return asyncio.run(send())

    def begin(self, **more: Any) -> httpx.Response:
        ends_at = (self.home.clock() + timedelta(hours=1)).isoformat()
        return self.call("POST", json={**STATED, "ends_at": ends_at, **more})

    def events(self, job_id: str, query: str = "", **headers: str) -> httpx.Response:
        headers = {"accept": "text/event-stream", **headers}
        return self.call("GET", f"/{job_id}/sightings{query}", headers=headers)


def by_key(request: httpx.Request) -> httpx.Request:
    return signed(request, access_key_id="LKIATEST", secret="secret")


def read(text: str) -> list[dict[str, Any]]:
    """Take events apart, but for comments."""
    blocks = [block.splitlines() for block in text.split("\n\n") if block]
    pairs = [dict(line.split(": ", 1) for line in block) for block in blocks]
    return [
        {**one, "data": json.loads(one["data"])} for one in pairs if "event" in one and one["data"]
    ]


@pytest.fixture
def home(sqlite_home: Home, tmp_path: Path) -> Home:  # noqa: F811  # a fixture
    register(sqlite_home, tmp_path)
    return replace(sqlite_home, webhook_networks=read_networks("127.0.0.0/8"))


@pytest.fixture
def gate(home: Home) -> Iterator[Gate]:
    with Gate(OneKey(home.somebody), Metrics(CollectorRegistry())) as gate:
        yield gate


@pytest.fixture
def asking(home: Home, gate: Gate) -> Asking:
    return Asking(home, gate)


def test_search_is_begun_listed_shown_and_stopped(asking: Asking) -> None:
    begun = asking.begin(looks_per_s=2, similarity=99)
    assert begun.status_code == 201
    search = begun.json()
    assert search.pop("webhook_secret") is None
    assert (search["state"], search["source"], search["collection"]) == (
        "starting",
        "gate",
        "staff",
    )
    assert (search["place"], search["authority"]) == ("the north gate", "the head of security")
    assert (search["looks_per_s"], search["similarity"], search["tells"]) == (2, 99, False)
    assert begun.headers["x-likeness-receipt"]

    assert asking.call("GET").json() == {"searches": [search]}
    assert asking.call("GET", f"/{search['id']}").json() == search
    stopped = asking.call("POST", f"/{search['id']}/stop").json()
    assert stopped["state"] == "stopped"
    assert stopped["kept_until"] is not None
    assert asking.call("POST", f"/{search['id']}/stop").status_code == 409


def test_what_signs_webhooks_is_given_once(asking: Asking) -> None:
    search = asking.begin(webhook="http://127.0.0.1/hook?token=1").json()
    assert search["webhook_secret"].startswith("whsec_")
    assert search["tells"] is True
    shown = asking.call("GET", f"/{search['id']}")
    assert "whsec_" not in shown.text
    assert "token" not in shown.text


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"source": "door"}, 404),
        ({"collection": "nobody"}, 404),
        ({"source": "camera"}, 403),  # people are not looked for in real time by default
        ({"ends_at": "2001-01-01T00:00:00Z"}, 400),
        ({"ends_at": "2001-01-01T00:00:00"}, 400),
        ({"looks_per_s": 0}, 400),
        ({"similarity": 101}, 400),
        ({"webhook": "http://10.0.0.1/"}, 400),
        ({"purpose": "surveillance"}, 403),
        ({"something": "else"}, 400),
    ],
)
def test_what_cannot_be_is_refused(asking: Asking, changed: dict[str, Any], status: int) -> None:
    answer = asking.begin(**changed)
    assert answer.status_code == status
    assert asking.call("GET").json() == {"searches": []}


def test_sightings_are_given_page_by_page(asking: Asking, home: Home) -> None:
    job = begin(home)
    tell(home, job, 1, 2, 3)
    path = f"/{job.id}/sightings"

    page = asking.call("GET", f"{path}?limit=2").json()
    assert [one["number"] for one in page["sightings"]] == [1, 2]
    assert (page["sightings"][0]["kind"], page["sightings"][0]["person"]) == ("stranger", 1)
    assert page["after"] == 2
    page = asking.call("GET", f"{path}?after=2").json()
    assert ([one["number"] for one in page["sightings"]], page["after"]) == ([3], 3)
    assert asking.call("GET", f"{path}?after=3").json()["sightings"] == []
    for wrong in ("?after=-1", "?limit=0", "?limit=1001", "?after=x"):
        assert asking.call("GET", path + wrong).status_code == 400


def test_events_are_sent_as_they_happen_and_end_with_the_search(asking: Asking, home: Home) -> None:
    job = begin(home)
    tell(home, job, 1)

    def go_on() -> None:
        for number in (2, 3):
            time.sleep(0.4)
            tell(home, job, number)
        end(home, job)

    thread = threading.Thread(target=go_on)
    thread.start()
    answer = asking.events(job.id)
    thread.join()

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.startswith("retry: ")
    events = read(answer.text)
    assert [one["event"] for one in events] == ["sighting"] * 3 + ["end"]
    assert [one.get("id") for one in events] == ["1", "2", "3", None]
    receipts = [one["data"]["receipt"] for one in events[:3]]
    assert None not in receipts
    assert len(set(receipts)) == 3
    assert (events[-1]["data"]["id"], events[-1]["data"]["state"]) == (job.id, "stopped")


def test_who_connects_again_goes_on_behind_the_last_event(asking: Asking, home: Home) -> None:
    job = begin(home)
    tell(home, job, *range(1, 5))
    end(home, job)
    answer = asking.events(job.id, "?after=1", **{"last-event-id": "3"})
    assert [one.get("id") for one in read(answer.text)] == ["4", None]
    answer = asking.events(job.id, "?after=2")
    assert [one.get("id") for one in read(answer.text)] == ["3", "4", None]
    for wrong in ("x", "-1", "1" * 20):
        answer = asking.events(job.id, **{"last-event-id": wrong})
        assert answer.status_code == 400


def test_silence_is_told_from_a_connection_that_broke(
    asking: Asking, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_BEAT_S", 0.0)
    job, looks, more = begin(home), count(1), Listening.more

    def look(listening: Listening) -> SightingsPage | None:
        if next(looks) == 3:
            end(home, job)
        return more(listening)

    monkeypatch.setattr(Listening, "more", look)
    assert asking.events(job.id).text.count(": nothing new\n\n") >= 2


def test_to_whoever_may_not_know_there_is_no_such_search(asking: Asking, home: Home) -> None:
    job = begin(home)
    for job_id, status in (("0" * 64, 404), ("x", 400)):
        assert asking.events(job_id).status_code == status
    assert asking.call("GET", f"/{job.id}/sightings").status_code == 200


def test_what_goes_wrong_later_is_the_last_event(
    asking: Asking,
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    job = begin(home)
    tell(home, job, 1)
    for error, title in ((Denied("A rule forbids it."), "Denied"), (ValueError("secret"), "Fault")):

        def fail(of: Listening, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(Listening, "more", fail)
        sighting, last = read(asking.events(job.id).text)
        assert (sighting["event"], last["event"]) == ("sighting", "error")
        assert last["data"]["title"] == title
        assert "secret" not in last["data"]["detail"]
    (said,) = [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
    assert "broke off: ValueError" in said


def test_so_many_listen_and_no_more(
    asking: Asking, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = begin(home)
    monkeypatch.setattr("likeness.server.events._MOST_OF_ONE", 0)
    assert asking.events(job.id).status_code == 429
    monkeypatch.setattr("likeness.server.events._MOST_OF_ONE", 1)
    monkeypatch.setattr("likeness.server.events._MOST", 0)
    assert asking.events(job.id).status_code == 429


def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError("it does not come to hold")


def test_who_has_gone_gives_their_place_up(asking: Asking, home: Home) -> None:
    job = begin(home)
    tell(home, job, 1)
    listeners: Listeners = asking.application._acts.state.listeners
    with HttpServer(Place(port=0), 60) as server:
        run = threading.Thread(target=server.run, args=(asking.application,))
        run.start()
        try:
            url = f"{server.url}/v1/live/{job.id}/sightings"
            with httpx.Client(timeout=20) as client:
                request = client.build_request("GET", url, headers={"accept": EVENTS})
                answer = client.send(by_key(request), stream=True)
                lines = answer.iter_lines()
                assert next(one for one in lines if one.startswith("id: ")) == "id: 1"
                assert listeners._of_each.total() == 1
                tell(home, job, 2)  # and it comes at once
                assert next(one for one in lines if one.startswith("id: ")) == "id: 2"
                answer.close()
            eventually(lambda: listeners._of_each.total() == 0)
        finally:
            server.stop()
            run.join()


def test_places_are_counted_for_each() -> None:
    listeners = Listeners()
    with listeners.place("key:1"), listeners.place("key:1"), listeners.place("key:2"):
        assert listeners._of_each == {"key:1": 2, "key:2": 1}
    assert listeners._of_each == {}
