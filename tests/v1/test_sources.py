"""Sources over HTTP: registered by admins, seen by whoever may watch, passwords by nobody."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from likeness.reachable import read_networks
from likeness.service.live.opening import address_of
from likeness.sources import get_source
from likeness.streams import Location

from .conftest import Client

ADDRESS = "rtsp://viewer:hunter2@203.0.113.7/main?token=tide-table"


@pytest.fixture
def client(client: Client) -> Iterator[Client]:
    home = replace(client.acts.home, source_networks=read_networks("203.0.113.0/24"))
    client.acts = replace(client.acts, home=home)
    client.limit()
    yield client


def asked(**changed: Any) -> dict[str, Any]:
    return {"name": "gate", "address": ADDRESS, "place": "North gate", **changed}


def add(client: Client, role: str = "admin", **changed: Any) -> Any:
    return client.call("POST", "/v1/sources", role, json=asked(**changed))


def test_source_is_registered_seen_and_removed(client: Client) -> None:
    added = add(client, footage="fixed-camera")

    assert added.status_code == 201
    source = added.json()
    assert source["address"] == "rtsp://203.0.113.7/main?token=..."
    assert (source["kind"], source["footage"]) == ("stream", "fixed-camera")
    assert (source["place"], source["added_by"]) == ("North gate", "key:ada")
    assert client.call("GET", "/v1/sources", "operator").json() == {"sources": [source]}
    assert client.call("GET", "/v1/sources/gate", "operator").json() == source
    removed = client.call("DELETE", "/v1/sources/gate", "admin")
    assert (removed.status_code, removed.json()) == (200, {"id": source["id"], "name": "gate"})
    assert client.call("GET", "/v1/sources/gate", "operator").status_code == 404


def test_no_answer_holds_user_password_or_token(client: Client) -> None:
    answers = [
        add(client),
        add(client),  # there is one
        add(client, name="b", address="rtsp://viewer:hunter2@10.0.0.1/tide-table"),
        add(client, name="b", address=["rtsp://viewer:hunter2@203.0.113.7/tide-table"]),
        add(client, name="b", password={"hunter2": "hunter2"}),
        add(client, name="b", address="hunter2://viewer/tide-table"),
        client.call("GET", "/v1/sources", "admin"),
    ]

    assert [one.status_code for one in answers] == [201, 409, 400, 400, 400, 400, 200]
    for one in answers:
        for secret in ("viewer", "hunter2", "tide-table"):
            assert secret not in one.text


def test_password_may_come_beside_the_address(client: Client) -> None:
    assert add(client, address="rtsp://viewer@203.0.113.7/", password="p@ss").status_code == 201
    rows = client.acts.rows
    source = client.database.read(lambda c: get_source(c, client.keyring, "gate"))
    location = address_of(rows, source.id)
    assert isinstance(location, Location)
    assert (location.user, location.password) == ("viewer", "p@ss")


def test_no_file_is_registered_over_http(client: Client, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"a clip")
    for address in (str(clip), f"file://{clip}"):
        assert add(client, address=address).status_code == 400


@pytest.mark.parametrize("role", ["reviewer", "auditor", "client"])
def test_who_may_not_watch_learns_of_no_source(client: Client, role: str) -> None:
    add(client)
    known = client.call("GET", "/v1/sources/gate", role)
    unknown = client.call("GET", "/v1/sources/other", role)
    assert known.status_code == unknown.status_code == 403
    assert known.json() == unknown.json()
    assert client.call("GET", "/v1/sources", role).status_code == 403
