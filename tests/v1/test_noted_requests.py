"""What is noted, and said, of a request below `/v1` that the server's end comes before."""

import json
import logging
import threading

import pytest

from tests.server.test_stopping import received, running

from .conftest import Client

HEALTH = b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.slow
def test_what_outlasts_the_end_is_told_and_noted_under_its_id(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "likeness")
    begun, let_go = threading.Event(), threading.Event()

    def endless() -> bool:
        begun.set()
        return let_go.wait(120)

    client.is_ready = endless
    with running(client.application, within_s=1) as server, server.connect() as connection:
        connection.sendall(HEALTH)
        assert begun.wait(20)
        server.stop()
        answer = received(connection)
        let_go.set()
    (fields,) = [vars(record)["fields"] for record in caplog.records if record.message == "request"]
    head, _, content = answer.partition(b"\r\n\r\n")
    assert f"x-request-id: {fields['request_id']}".encode() in head
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"content-type: application/problem+json" in head
    problem = json.loads(content)
    assert (problem["status"], problem["title"]) == (503, "Fault")
    assert "stopped" in problem["detail"]
    assert fields["operation"] == "GET /v1/health"
    assert (fields["status"], fields["code"], fields["bytes_out"]) == (503, "503", len(content))
