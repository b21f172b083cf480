"""Subjects over HTTP: renamed, merged, split and made what they were, by whoever may arrange."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.gallery.galleries import new

from .conftest import Client


def people(client: Client, **seeds: list[int]) -> list[str]:
    """Enrol somebody of each name; give the ids of all references."""
    faces = [new(seed, name) for name, some in seeds.items() for seed in some]
    of = client.collection
    enrolled = client.database.write(
        lambda c: of.within(c).references.enrol(faces, client.desk.now)
    )
    return [str(one.id) for one in enrolled]


def post(client: Client, act: str, role: str = "client", **asked: Any) -> Any:
    asked = {"collection": "staff", **asked}
    return client.call("POST", f"/v1/subjects/{act}", role, json=asked)


def sizes(client: Client) -> dict[str, int]:
    its = client.collection.read(lambda its: its.subjects.page())
    counts = client.collection.read(lambda rows: rows.subjects.sizes([one.number for one in its]))
    return {one.name: counts[one.number] for one in its}


def test_people_are_changed_and_made_what_they_were(client: Client) -> None:
    ids = people(client, Ada=[1, 2], Bo=[3])

    merged = post(client, "merge", subject="Bo", into="Ada").json()
    assert (merged["change"], merged["undone"], merged["moved"]) == ("merge", False, 1)
    assert (merged["subject"]["name"], merged["subject"]["references"]) == ("Ada", 3)
    assert sizes(client) == {"Ada": 3}
    assert post(client, "undo", subject="Ada").json()["other"]["name"] == "Bo"
    assert sizes(client) == {"Ada": 2, "Bo": 1}

    split = post(client, "split", subject="Ada", name="Eve", reference_ids=ids[:1])
    assert split.json()["other"]["references"] == 1
    assert sizes(client) == {"Ada": 1, "Bo": 1, "Eve": 1}
    assert post(client, "rename", subject="Eve", name="Eva").status_code == 200
    assert sizes(client) == {"Ada": 1, "Bo": 1, "Eva": 1}


def test_faces_are_moved_and_named(client: Client) -> None:
    ids = people(client, Ada=[1, 2], Bo=[3])
    (nobodys,) = client.database.write(
        lambda c: client.collection.within(c).references.enrol([new(4)], client.desk.now)
    )
    moved = post(client, "move", subject="Ada", to="Bo", reference_ids=ids[:1]).json()
    assert (moved["change"], [one["name"] for one in moved["others"]]) == ("move", ["Bo"])
    assert sizes(client) == {"Ada": 1, "Bo": 2}
    named = post(client, "name", subject="Eve", reference_ids=[str(nobodys.id)]).json()
    assert (named["subject"]["name"], named["other"], named["others"]) == ("Eve", None, [])
    assert sizes(client) == {"Ada": 1, "Bo": 2, "Eve": 1}


@pytest.mark.parametrize(
    ("act", "asked", "status"),
    [
        ("merge", {"subject": "Ada", "into": "Ada"}, 400),
        ("merge", {"subject": "Ada", "into": "Nobody"}, 404),
        ("merge", {"subject": "Ada", "into": "Bo", "collection": "visitors"}, 404),
        ("rename", {"subject": "Ada", "name": "Bo"}, 409),
        ("rename", {"subject": "Ada"}, 400),
        ("split", {"subject": "Ada", "name": "Eve", "reference_ids": []}, 400),
        ("split", {"subject": "Ada", "name": "Eve", "reference_ids": [str(uuid4())]}, 404),
        ("move", {"subject": "Ada", "to": "Bo", "reference_ids": []}, 400),
        ("move", {"subject": "Ada", "to": "Bo", "reference_ids": [str(uuid4())]}, 404),
        ("name", {"subject": "Ada", "reference_ids": [str(uuid4())]}, 404),
        ("undo", {"subject": "Ada"}, 404),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    client: Client, act: str, asked: dict[str, Any], status: int
) -> None:
    people(client, Ada=[1, 2], Bo=[3])
    assert post(client, act, **asked).status_code == status
    assert sizes(client) == {"Ada": 2, "Bo": 1}


def test_a_subject_has_an_id_that_stays(client: Client) -> None:
    people(client, Ada=[1])
    first = post(client, "rename", subject="Ada", name="Ada King").json()["subject"]["id"]
    again = post(client, "undo", subject="Ada King").json()["subject"]["id"]
    assert UUID(first) == UUID(again)
