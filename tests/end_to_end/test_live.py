"""A served home whose source is searched as it happens: told by events and webhooks, and ended."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from likeness.notify import WebhookSecret
from tests.notify.receiver import receiving
from tests.rekognition.operations.discs import RED
from tests.rekognition.operations.moving_discs import clip_of
from tests.streams.packets import rtp_packets
from tests.streams.rtsp_server import Camera, filming

from .conftest import REGION, Caller, Served, people, soon

pytestmark = pytest.mark.slow

FRAMES = 600


@pytest.fixture
def home(serve: Callable[..., Served], tmp_path: Path) -> Served:
    """A server whose source `gate` shows p0 of the collection `c` for a minute."""
    networks = ("LIKENESS_WEBHOOK_NETWORKS", "LIKENESS_SOURCE_NETWORKS")
    home = serve(**dict.fromkeys(networks, "127.0.0.1/32"))
    people(home, RED)
    clip = clip_of(tmp_path / "gate.mp4", (RED, 60, 0, FRAMES), frames=FRAMES)
    home.json("sources", "add", "gate", clip, "--place", "North gate")
    return home


def begin(caller: Caller, **more: Any) -> dict[str, Any]:
    ends_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    asked = {"source": "gate", "collection": "c", "authority": "Order 7", "criteria": "Staff"}
    answer = caller.v1("POST", "live", {**asked, "ends_at": ends_at, **more})
    assert answer.status_code == 201, answer.text
    begun: dict[str, Any] = answer.json()
    return begun


def state_of(home: Served, search: dict[str, Any]) -> str:
    return str(home.admin.v1("GET", f"live/{search['id']}").json().get("state"))


@contextmanager
def listening(caller: Caller, search_id: str, after: int = 0) -> Iterator[Iterator[Any]]:
    """Listen to a search; gives the names and data of events."""
    url = f"{caller.url}/v1/live/{search_id}/sightings?after={after}"
    request = AWSRequest("GET", url, headers={"Accept": "text/event-stream"})
    credentials = Credentials(caller.access_key_id, caller.secret)
    SigV4Auth(credentials, "rekognition", REGION).add_auth(request)
    with httpx.stream("GET", request.url, headers=dict(request.headers), timeout=60) as answer:
        assert answer.status_code == 200
        yield events(answer.iter_lines())


def events(lines: Iterator[str]) -> Iterator[Any]:
    name = ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def test_who_is_seen_is_told_by_events_and_webhooks_until_the_search_is_stopped(
    home: Served,
) -> None:
    with receiving() as receiver:
        search = begin(home.admin, webhook=receiver.url)
        with listening(home.admin, search["id"]) as coming:
            name, seen = next(coming)
            assert (name, seen["kind"], seen["search"]) == ("sighting", "seen", search["id"])
            assert seen["match"]["reference_id"]
            assert seen["receipt"]
            soon(lambda: state_of(home, search) == "running")
            asked_s = time.monotonic()
            stopped = home.admin.v1("POST", f"live/{search['id']}/stop")
            assert stopped.json()["state"] in ("stopping", "stopped")
            rest = list(coming)
            assert time.monotonic() - asked_s < 10
        assert rest[-1][0] == "end"
        assert rest[-1][1]["state"] == "stopped"
        until_s = time.monotonic() + 20
        while not (receiver.came and b"live.ended" in receiver.came[-1][1]):
            assert time.monotonic() < until_s
            time.sleep(0.05)
        secret = WebhookSecret.from_text(search["webhook_secret"])
        messages = [json.loads(body) for body in receiver.verified(secret)]
    told = [seen, *(one for name, one in rest if name == "sighting")]
    assert [one["type"] for one in messages] == ["live.sighting"] * len(told) + ["live.ended"]
    assert [one["data"]["number"] for one in messages[:-1]] == [one["number"] for one in told]
    assert messages[0]["data"]["match"] == seen["match"]
    assert messages[0]["timestamp"] == seen["at"].replace("Z", "+00:00")


@pytest.mark.parametrize("by", ["stop switch", "key", "source"])
def test_it_ends_within_a_second_and_whoever_listens_hears_of_it(home: Served, by: str) -> None:
    desk = home.key("desk", "--role", "operator")
    search = begin(desk)
    with listening(desk, search["id"]) as coming:
        assert next(coming)[0] == "sighting"
        end = {
            "stop switch": ("policy", "suspend", "--all", "--reason", "audit"),
            "key": ("keys", "disable", "desk"),
            "source": ("sources", "remove", "gate"),
        }[by]
        assert home.command(*end).code == 0
        asked_s = time.monotonic()
        name, last = list(coming)[-1]
        assert time.monotonic() - asked_s < 10
    if by == "source":
        assert (name, last["state"], last["failure"]) == ("end", "failed", "NotFound")
    else:
        assert name in ("end", "error")
    if by == "stop switch":
        assert home.command("policy", "resume", "--all").code == 0
    soon(lambda: state_of(home, search) == "failed")


def test_a_camera_that_refuses_fails_its_search_and_nobody_learns_its_address(
    home: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("CAMERA_PASSWORD", "tide-and-time")
    home.json("policy", "disable", "real-time")
    camera = Camera(rtp_packets("H264", 10), sign_in="sha-256")
    with filming(camera):
        address = camera.url.replace("://", "://viewer@")
        home.json("sources", "add", "door", address, "--password-from", "CAMERA_PASSWORD")
        search = soon(lambda: begin(home.admin, source="door", place="Yard"))
        with listening(home.admin, search["id"]) as coming:
            ((name, last),) = coming
    assert (name, last["state"], last["failure"]) == ("end", "failed", "SourceUnavailable")
    assert "refuses the user or password" in last["reason"]
    shown = home.admin.v1("GET", f"live/{search['id']}").text + json.dumps(last)
    own = [one.getMessage() for one in caplog.records if one.name.startswith("likeness")]
    for text in (shown, *own, json.dumps(home.entries())):
        for secret in ("tide-and-time", "viewer", camera.address, "Streaming"):
            assert secret not in text
