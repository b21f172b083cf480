"""Web pages of other origins: which may ask, and what they may read."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

import likeness
from likeness.errors import InvalidRequest
from likeness.rekognition.application import Application
from likeness.server import Gate, Metrics, open_to, read_origins
from likeness.server.origins import EXPOSED
from tests.rekognition.test_application import Keys

APP = "https://app.example"


def asked(method: str, origins: str, **headers: str) -> httpx.Response:
    """Ask Rekognition's door, which knows nobody."""
    with Gate(Keys(), Metrics(CollectorRegistry())) as gate:
        application = open_to(read_origins(origins), Application({}, gate))

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(application)
            async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                return await client.request(method, "/", headers=named)

        return asyncio.run(ask())


def preflight(origins: str, origin: str = APP, **more: str) -> httpx.Response:
    signed = "authorization,content-type,x-amz-date,x-amz-target,x-likeness-purpose"
    return asked(
        "OPTIONS",
        origins,
        Origin=origin,
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers=signed,
        **more,
    )


def allowed(answer: httpx.Response) -> str | None:
    return answer.headers.get("access-control-allow-origin")


@pytest.mark.parametrize("more", [{}, {"Access_Control_Request_Private_Network": "true"}])
def test_a_page_of_an_allowed_origin_may_sign_what_it_asks(more: dict[str, str]) -> None:
    answer = preflight(f"http://localhost:5173, {APP}", **more)
    assert answer.status_code == 200
    assert allowed(answer) == APP
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "x-likeness-purpose" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("origins", "origin"),
    [
        ("", APP),
        (APP, "https://other.example"),
        (APP, "http://app.example"),
        (APP, "https://app.example:8443"),
        (APP, "https://app.example.evil.test"),
        (APP, "https://sub.app.example"),
        (APP, "null"),
    ],
)
def test_no_other_origin_is_allowed(origins: str, origin: str) -> None:
    answer = preflight(origins, origin)
    assert answer.status_code >= 400
    assert allowed(answer) is None
    assert allowed(asked("POST", origins, Origin=origin)) is None


def test_a_refusal_is_readable_with_the_request_id() -> None:
    answer = asked("POST", APP, Origin=APP)
    assert answer.status_code == 400
    assert answer.json()["Code"] == "MissingAuthenticationTokenException"
    assert allowed(answer) == APP
    assert answer.headers["vary"] == "Origin"
    exposed = answer.headers["access-control-expose-headers"].lower().split(", ")
    assert {"x-likeness-receipt", "x-amzn-requestid", "x-request-id", "date"} <= set(exposed)


def test_who_is_no_browser_sees_no_difference() -> None:
    answer = asked("POST", APP)
    assert allowed(answer) is None
    assert answer.json()["Code"] == "MissingAuthenticationTokenException"


def test_every_header_of_ours_may_be_read() -> None:
    """Of headers that requests and answers share a name with, none is left out."""
    sources = (path.read_text() for path in Path(likeness.__file__).parent.rglob("*.py"))
    said = {name for source in sources for name in re.findall(r'"(X-Likeness-[\w-]+)"', source)}
    assert said
    assert said <= set(EXPOSED)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", ()),
        (" , ", ()),
        ("HTTPS://App.Example/", (APP,)),
        ("https://app.example:443,http://localhost:80", (APP, "http://localhost")),
        ("http://[::1]:3000,http://127.0.0.1:8080", ("http://[::1]:3000", "http://127.0.0.1:8080")),
        ("chrome-extension://abcdef", ("chrome-extension://abcdef",)),
    ],
)
def test_origins_are_read_as_browsers_write_them(written: str, read: tuple[str, ...]) -> None:
    assert read_origins(written) == read


@pytest.mark.parametrize(
    "written",
    [
        "*",
        "null",
        "app.example",
        "https://*.example",
        "https://app.example/path",
        "https://app.example?x",
        "https://user@app.example",
        "https://app.example:port",
        "https://",
        "https://app example",
        "https://a.example;https://b.example",
        "https://bücher.example",
    ],
)
def test_what_is_no_origin_is_refused_by_name(written: str) -> None:
    with pytest.raises(InvalidRequest, match="LIKENESS_ALLOWED_ORIGINS"):
        read_origins(f"{APP},{written}")
