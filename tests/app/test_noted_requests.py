"""What is noted, and said, of a request below `/v1` that the server's end comes before."""

import asyncio
import json
import logging
import threading

import pytest
from prometheus_client import CollectorRegistry
from starlette.types import Receive, Scope, Send

from likeness.app.noted_requests import NotedRequests
from likeness.rekognition.measures import Measures

from .test_stopping import WHOLE, received, running


@pytest.mark.parametrize("starts", [False, True])
def test_what_outlasts_the_end_is_told_and_noted_under_its_id(
    caplog: pytest.LogCaptureFixture, starts: bool
) -> None:
    caplog.set_level(logging.INFO, "likeness")
    begun = threading.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        if starts:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        begun.set()
        await asyncio.sleep(120)

    noted = NotedRequests(endless, Measures(CollectorRegistry()))
    with running(noted, within_s=1) as server, server.connect() as connection:
        connection.sendall(WHOLE)
        assert begun.wait(20)
        server.stop()
        answer = received(connection)
    (fields,) = [vars(record)["fields"] for record in caplog.records if hasattr(record, "fields")]
    head, _, content = answer.partition(b"\r\n\r\n")
    assert f"x-request-id: {fields['request_id']}".encode() in head
    if starts:
        assert fields["status"] == 200
        return
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"content-type: application/problem+json" in head
    problem = json.loads(content)
    assert (problem["status"], problem["title"]) == (503, "Fault")
    assert "stopped" in problem["detail"]
    assert (fields["status"], fields["code"], fields["bytes_out"]) == (503, "503", len(content))
