"""The application itself: hostile bytes, errors in one form, watches, receipts, health."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from inspect import iscoroutinefunction
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import APIRoute

from likeness.errors import Fault, KeyUnusable, TooBusy
from likeness.server import Lane
from likeness.terms import Use
from likeness.v1.application import ROUTERS
from tests.service.unrecorded import UnrecordedDesk

from .conftest import LANE, Client, signed
from .wanted import watch


def test_watch_is_added_listed_and_ended(client: Client) -> None:
    added = client.call("POST", "/v1/watches", "operator", json=watch(client))
    assert added.status_code == 201
    assert added.json()["webhook_secret"].startswith("whsec_")
    (listed,) = client.call("GET", "/v1/watches", "operator").json()["watches"]
    assert (listed["criteria"], listed["tells"]) == ("missing since May", True)
    assert "webhook_secret" not in listed
    ended = client.call("DELETE", f"/v1/watches/{listed['id']}", "operator")
    assert ended.json()["id"] == added.json()["id"]
    assert client.call("GET", "/v1/watches", "operator").json() == {"watches": []}
    assert client.call("DELETE", f"/v1/watches/{uuid4()}", "operator").status_code == 404


def test_a_watchs_picture_is_looked_at_in_the_lane_of_pictures(client: Client) -> None:
    assert client.call("POST", "/v1/watches", "operator", json=watch(client)).status_code == 201
    (thread,) = client.looked_from
    assert thread.startswith(LANE)


def test_a_watch_for_whose_picture_too_many_wait_is_to_be_asked_for_again(client: Client) -> None:
    with closing(Lane("crowded", 0, 0, 20, client.gate.metrics, client.gate.refusals)) as crowded:
        client.acts = replace(client.acts, pictures=crowded)
        client.limit()
        answer = client.call("POST", "/v1/watches", "operator", json=watch(client))
    assert (answer.status_code, answer.json()["title"]) == (429, "TooManyRequests")
    assert client.faces_asked_for == 0
    assert client.call("GET", "/v1/watches", "operator").json() == {"watches": []}


def test_where_pictures_come_from_is_stated_by_a_signed_header(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    stated: list[str] = []
    recorded = UnrecordedDesk.record

    def record(desk: UnrecordedDesk, use: Use, ongoing: Any = None) -> Any:
        stated.append(use.footage)
        return recorded(desk, use)

    monkeypatch.setattr(UnrecordedDesk, "record", record)
    headers = {"X-Likeness-Footage": "drone"}
    added = client.call("POST", "/v1/watches", "operator", json=watch(client), headers=headers)
    assert (added.status_code, stated) == (201, ["drone"])
    request = httpx.Request("GET", "http://v1/v1/watches")
    signed(request, "operator").headers["X-Likeness-Footage"] = "upload"

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(client.application)
        async with httpx.AsyncClient(transport=transport) as http:
            return await http.send(request)

    answer = asyncio.run(send())
    assert (answer.status_code, answer.json()["title"]) == (400, "InvalidRequest")
    assert "is not signed" in answer.json()["detail"]


@pytest.mark.parametrize("role", ["reviewer", "auditor", "client"])
def test_who_may_not_watch_has_no_face_looked_at(client: Client, role: str) -> None:
    assert client.call("POST", "/v1/watches", role, json=watch(client)).status_code == 403
    assert client.call("GET", "/v1/watches", role).status_code == 403
    assert client.faces_asked_for == 0


BAD_WATCHES = [
    {"collection": "nobody"},
    {"image": "abcde"},
    {"image": 7},
    {"criteria": ""},
    {"expires_at": None},
    {"expires_at": "2026-03-05T00:00:00"},  # of which place?
    {"expires_at": "2036-03-05T00:00:00Z"},
    {"webhook": "file:///etc/passwd"},
    {"webhook": "http://169.254.169.254/latest"},
    {"webhook": "http://10.0.0.1/"},
    {"webhook": "http://[::ffff:169.254.169.254]/"},
    {"more": 1},
]


@pytest.mark.parametrize("changed", BAD_WATCHES, ids=str)
def test_bad_watch_is_one_problem(client: Client, changed: dict[str, Any]) -> None:
    answer = client.call("POST", "/v1/watches", "operator", json=watch(client, **changed))
    assert answer.status_code in (400, 404)
    assert set(answer.json()) == {"title", "status", "detail"}
    assert "\n" not in answer.text
    assert client.call("GET", "/v1/watches", "operator").json() == {"watches": []}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("PUT", "/v1/cases", 405),
        ("GET", "/v1/cases/no-uuid", 400),
        ("GET", "/v1/receipts/2-abc", 404),
        ("GET", "/v1/receipts/..%2f..%2fetc", 404),
    ],
)
def test_every_error_is_one_problem(client: Client, method: str, path: str, status: int) -> None:
    answer = client.call(method, path, "admin")
    assert answer.status_code == status
    assert set(answer.json()) == {"title", "status", "detail"}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b'"' * 1000, b"null"])
def test_body_that_is_no_json_is_one_problem(client: Client, content: bytes) -> None:
    answer = client.call("POST", "/v1/watches", "operator", content=content)
    assert answer.status_code == 400
    assert set(answer.json()) == {"title", "status", "detail"}


@pytest.mark.parametrize("told", [True, False])
def test_body_that_is_too_long_is_refused(client: Client, told: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * (16 << 10)

    path = f"/v1/cases/{uuid4()}/verdicts"
    content = b" " * (80 << 10) if told else chunks()
    answer = client.call("POST", path, "reviewer", content=content)
    assert answer.status_code == 413
    assert "larger than 65536 bytes" in answer.json()["detail"]


def test_body_that_is_said_to_be_too_long_is_refused_whoever_sends_it(client: Client) -> None:
    answer = client.call("POST", "/v1/cases", None, content=b" " * (80 << 10))
    assert answer.status_code == 413


def test_a_request_that_comes_again_is_served_and_noted_as_one(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "likeness")
    uses: list[Use] = []
    record = UnrecordedDesk.record

    def noting(desk: UnrecordedDesk, use: Use, ongoing: Any = None) -> Any:
        uses.append(use)
        return record(desk, use)

    monkeypatch.setattr(UnrecordedDesk, "record", noting)

    async def send_twice() -> list[int]:
        transport = httpx.ASGITransport(client.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://v1") as sender:
            request = signed(sender.build_request("GET", "/v1/cases"), "reviewer")
            return [(await sender.send(request)).status_code for _ in range(2)]

    assert asyncio.run(send_twice()) == [200, 200]
    lines = [vars(record)["fields"] for record in caplog.records if hasattr(record, "fields")]
    assert [line.get("replayed", False) for line in lines] == [False, True]
    assert [use.replayed for use in uses] == [False, True]


def sent_thrice(client: Client, method: str, path: str, **more: Any) -> list[httpx.Response]:
    """Sign a request, and send it three times."""

    async def send() -> list[httpx.Response]:
        transport = httpx.ASGITransport(client.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://v1") as sender:
            request = signed(sender.build_request(method, path, **more), "operator")
            return [await sender.send(request) for _ in range(3)]

    return asyncio.run(send())


def test_a_request_that_changes_something_is_done_once(client: Client) -> None:
    added = sent_thrice(client, "POST", "/v1/watches", json=watch(client))
    assert [answer.status_code for answer in added] == [201, 409, 409]
    assert "made before, with the same signature" in added[1].json()["detail"]
    (listed,) = client.call("GET", "/v1/watches", "operator").json()["watches"]
    ended = sent_thrice(client, "DELETE", f"/v1/watches/{listed['id']}")
    assert [answer.status_code for answer in ended] == [200, 409, 409]


def test_a_request_that_did_nothing_may_come_again(client: Client) -> None:
    missing = sent_thrice(client, "DELETE", f"/v1/watches/{uuid4()}")
    assert [answer.status_code for answer in missing] == [404, 404, 404]


def test_every_act_waits_for_its_turn(client: Client) -> None:
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            assert iscoroutinefunction(route.endpoint), route.path
    client.gate.rows = Lane("full", 0, 0, 20, client.gate.metrics, client.gate.refusals)
    assert client.call("GET", "/v1/cases", "reviewer").status_code == 429


def test_body_of_somebody_unknown_is_not_parsed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(*_: object, **__: object) -> object:
        raise AssertionError("a body was parsed")

    monkeypatch.setattr("json.loads", parse)
    assert client.call("POST", "/v1/watches", None, json=[{}]).status_code == 401


def test_body_that_is_too_slow_is_refused(client: Client) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(60)

    client.limit(body_s=0.05)
    answer = client.call("POST", "/v1/watches", "operator", content=endless())
    assert answer.status_code == 408


def test_bodies_together_are_bounded_and_make_room_when_answered(client: Client) -> None:
    client.limit(held_bytes=2_500)
    path = f"/v1/cases/{uuid4()}/verdicts"
    statuses = [
        client.call("POST", path, "reviewer", content=bytes(length)).status_code
        for length in (2_000, 3_000, 2_000)
    ]
    assert statuses == [400, 503, 400]


@pytest.mark.parametrize(
    "error",
    [KeyUnusable("/secret/path"), TooBusy("/secret/path"), RuntimeError("/secret/path")],
)
def test_what_fails_inside_stays_inside(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    def fail(*_: object) -> object:
        raise error

    monkeypatch.setattr("likeness.service.review.cases.live_cases", fail)
    answer = client.call("GET", "/v1/cases", "reviewer")
    (failed,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert f"request {answer.headers['x-request-id']} failed: {type(error).__name__} at" in (
        failed.getMessage()
    )
    assert "/secret/path" not in caplog.text
    assert answer.status_code == (503 if isinstance(error, Fault) else 500)
    assert "/secret/path" not in answer.text
    assert "Traceback" not in answer.text


def test_receipts_and_the_signed_head_are_given_to_who_has_a_key(client: Client) -> None:
    answer = client.call("GET", "/v1/receipts/1-abc", "client")
    assert (answer.status_code, answer.json()) == (200, {"id": "1-abc"})
    head = client.call("GET", "/v1/checkpoint", "client")
    assert (head.status_code, head.text) == (200, "a signed head\n")
    for path in ("/v1/receipts/1-abc", "/v1/checkpoint"):
        assert client.call("GET", path, None).status_code == 401


def test_health_is_told_to_anybody(client: Client) -> None:
    assert client.call("GET", "/v1/health", None).json() == {"ready": True}
    client.is_ready = lambda: False
    assert client.call("GET", "/v1/health", None).status_code == 503


def test_description_names_every_path_and_no_page_loads_anything(client: Client) -> None:
    paths = client.call("GET", "/v1/openapi.json", None).json()["paths"]
    assert set(paths) == {
        "/v1/cases",
        "/v1/cases/{case_id}",
        "/v1/cases/{case_id}/verdicts",
        "/v1/cases/{case_id}/authorisation",
        "/v1/cases/{case_id}/probe",
        "/v1/cases/{case_id}/candidates/{number}/face",
        "/v1/watches",
        "/v1/watches/{watch_id}",
        "/v1/jobs",
        "/v1/jobs/{job_id}",
        "/v1/jobs/{job_id}/cancel",
        "/v1/jobs/{job_id}/people",
        "/v1/sources",
        "/v1/sources/{name}",
        "/v1/live",
        "/v1/live/{search_id}",
        "/v1/live/{search_id}/stop",
        "/v1/live/{search_id}/sightings",
        "/v1/subjects/rename",
        "/v1/subjects/merge",
        "/v1/subjects/split",
        "/v1/subjects/move",
        "/v1/subjects/name",
        "/v1/subjects/undo",
        "/v1/certificates",
        "/v1/certificates/{certificate_id}",
        "/v1/certificates/{certificate_id}/verification",
        "/v1/subject-reports",
        "/v1/subject-reports/picture",
        "/v1/receipts/{receipt_id}",
        "/v1/checkpoint",
        "/v1/health",
    }
    for page in ("/docs", "/redoc", "/v1/docs"):
        assert client.call("GET", page, "admin").status_code == 404
