"""What the log and the measures say of requests below `/v1`, and what they do not."""

import logging
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from .conftest import Served


def test_a_request_is_a_line_and_a_count_without_what_the_client_chose(
    serve: Callable[..., Served], caplog: pytest.LogCaptureFixture
) -> None:
    server = serve()
    caplog.set_level(logging.INFO, "likeness")
    case_id = uuid4()
    answers = [
        server.admin.v1("GET", f"cases/{case_id}"),
        server.admin.v1("GET", "somebody"),
        server.admin.v1("LINK", "cases"),
        httpx.get(f"{server.url}/v1/cases/{case_id}"),
        httpx.get(f"{server.url}/v1/health"),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 405, 401, 200]
    lines: list[dict[str, Any]] = [
        record.fields  # type: ignore[attr-defined]
        for record in caplog.records
        if record.name == "likeness.server.monitoring"
    ]
    assert [(line["operation"], line["code"]) for line in lines] == [
        ("GET /v1/cases/{case_id}", "404"),
        ("unknown", "404"),
        ("unknown", "405"),
        ("unknown", "401"),
        ("GET /v1/health", "OK"),
    ]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert ids == [line["request_id"] for line in lines]
    assert lines[0]["principal"].startswith("key:")
    assert lines[3]["principal"] is None
    assert str(case_id) not in str(lines)
    measures = httpx.get(f"{server.url}/metrics").text
    counted = 'likeness_requests_total{code="404",operation="GET /v1/cases/{case_id}"} 1.0'
    assert counted in measures
