"""Who reads the server's measures, and who does not."""

import asyncio

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from starlette.applications import Starlette
from starlette.routing import Route

from likeness.server import MetricsPage

TOKEN = "a token of nobody"


def asked(token: str, address: str, **headers: str | bytes) -> httpx.Response:
    """Ask for the measures from an address."""
    registry = CollectorRegistry()
    Counter("likeness_faces", "Faces that were found.", registry=registry)
    application = Starlette(routes=[Route("/metrics", MetricsPage(registry, token).show)])
    transport = httpx.ASGITransport(application, client=(address, 4711))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.get("/metrics", headers=headers)

    return asyncio.run(ask())


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_reads_them_without_a_token(address: str) -> None:
    answer = asked("", address)
    assert answer.status_code == 200
    assert "likeness_faces_total 0.0" in answer.text


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.7", "2001:db8::1", "::ffff:192.0.2.1"])
def test_another_machine_reads_nothing_without_a_token(address: str) -> None:
    for headers in ({}, {"Authorization": "Bearer "}, {"X-Forwarded-For": "127.0.0.1"}):
        answer = asked("", address, **headers)
        assert answer.status_code == 403
        assert "likeness_faces" not in answer.text


@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.1"])
def test_where_a_token_is_set_it_is_needed_everywhere(address: str) -> None:
    assert asked(TOKEN, address, Authorization=f"Bearer {TOKEN}").status_code == 200
    for wrong in ("", TOKEN, "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", b"Bearer \xe9"):
        answer = asked(TOKEN, address, Authorization=wrong)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert TOKEN not in answer.text
