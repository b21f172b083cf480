"""Jobs over HTTP: whose they are, and admins; to others there are none."""

from datetime import timedelta
from typing import Any

import pytest

from likeness.jobs import KEPT, Job, JobState, NewJob, add_job, claim_job, end_job

from .conftest import Client


def add(client: Client, name: str = "ada") -> Job:
    new = NewJob("FaceSearch", f"key:{name}", client.collection.id, b"a clip")
    return client.database.write(lambda c: add_job(c, client.keyring, new, client.desk.now))


def fail(
    client: Client, job: Job, failure: str = "InvalidClip", text: str = "Not a video."
) -> None:
    now = client.desk.now + timedelta(minutes=1)
    client.database.write(lambda c: claim_job(c, client.keyring, "runner", now, job_id=job.id))
    client.database.write(
        lambda c: end_job(
            c,
            client.keyring,
            job.id,
            "runner",
            JobState.FAILED,
            now,
            failure=failure,
            failure_text=text,
        )
    )


def listed(client: Client, role: str, name: str = "ada") -> list[str]:
    answer = client.call("GET", "/v1/jobs", role, name)
    assert answer.status_code == 200
    return [one["id"] for one in answer.json()["jobs"]]


def test_callers_list_their_jobs_and_admins_everybodys(client: Client) -> None:
    adas, bens = add(client), add(client, "ben")

    assert listed(client, "client") == [adas.id]
    assert listed(client, "operator", "ben") == [bens.id]
    assert listed(client, "admin", "root") == [bens.id, adas.id]
    assert listed(client, "client", "eve") == []


def test_job_says_how_far_it_is_and_how_it_ended(client: Client) -> None:
    job = add(client)
    path = f"/v1/jobs/{job.id}"
    shown: dict[str, Any] = client.call("GET", path, "client").json()
    assert (shown["act"], shown["state"], shown["ended_at"]) == ("FaceSearch", "waiting", None)
    assert (shown["done_ms"], shown["total_ms"], shown["kept_until"]) == (0, 0, None)

    fail(client, job)

    shown = client.call("GET", path, "client").json()
    assert (shown["state"], shown["failure"]) == ("failed", "InvalidClip")
    assert shown["reason"] == "Not a video."
    ended_at = client.desk.now + timedelta(minutes=1)
    assert shown["kept_until"] == (ended_at + KEPT).isoformat().replace("+00:00", "Z")


def test_job_is_cancelled_once(client: Client) -> None:
    path = f"/v1/jobs/{add(client).id}/cancel"
    cancelled = client.call("POST", path, "client")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")

    again = client.call("POST", path, "client", params={"asked": "again"})
    assert again.status_code == 409
    assert "it was cancelled" in again.json()["detail"]


@pytest.mark.parametrize(("method", "more"), [("GET", ""), ("POST", "/cancel")])
def test_to_others_there_is_no_such_job(client: Client, method: str, more: str) -> None:
    job = add(client)
    unknown = client.call(method, f"/v1/jobs/{'0' * 64}{more}", "client")
    others = client.call(method, f"/v1/jobs/{job.id}{more}", "operator", "eve")

    assert unknown.status_code == others.status_code == 404
    assert unknown.json() == others.json()
    assert client.call("GET", f"/v1/jobs/{job.id}", "admin", "root").json()["state"] == "waiting"
    assert client.call(method, f"/v1/jobs/x{more}", "client").status_code == 400


def test_fault_keeps_its_reason_from_callers(client: Client) -> None:
    job = add(client)
    fail(client, job, "BucketsUnavailable", "The S3 endpoint http://10.0.0.1 fails.")
    shown = client.call("GET", f"/v1/jobs/{job.id}", "client").json()
    assert shown["failure"] == "BucketsUnavailable"
    assert "Something that the server needs fails" in shown["reason"]
    assert "10.0.0.1" not in shown["reason"]
