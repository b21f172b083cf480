"""Collections, and who is in them: one act at every door, with the same entries and effects."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import GREEN, PINK, RED, Doors

Act = Callable[[Doors], Any]
"""Does something to `staff` at one door, and gives what that door says of it."""


def shown(doors: Doors) -> tuple[Any, ...]:
    """What is in the home, by the command line."""
    listed = said(doors, "collections", "list")["collections"]
    return tuple((one["name"], one["model"], one["subjects"], one["references"]) for one in listed)


def said(doors: Doors, *arguments: object) -> Any:
    """Run a command, and read what it prints."""
    answer = doors.json(*arguments)
    if "error" in answer:
        raise PermissionError(answer["error"]["message"])
    return answer


def enrol_by_wire(doors: Doors) -> None:
    with doors.wire() as client:
        client.index_faces(
            CollectionId="staff", Image={"Bytes": doors.picture("p.png", GREEN).read_bytes()}
        )


def enrol_by_command(doors: Doors) -> None:
    picture = doors.picture("p.png", GREEN)
    said(doors, "enrol", "--collection", "staff", "--subject", "Greta", "--any-quality", picture)


def list_by_wire(doors: Doors) -> list[str]:
    with doors.wire() as client:
        return list(client.list_collections()["CollectionIds"])


def list_by_command(doors: Doors) -> list[str]:
    return [one["name"] for one in said(doors, "collections", "list")["collections"]]


def show_by_wire(doors: Doors) -> tuple[int, int]:
    with doors.wire() as client:
        described = client.describe_collection(CollectionId="staff")
        return described["UserCount"], described["FaceCount"]


def show_by_command(doors: Doors) -> tuple[int, int]:
    described = said(doors, "collections", "show", "staff")
    return described["subjects"], described["references"]


def users_by_wire(doors: Doors) -> list[str]:
    with doors.wire() as client:
        return [one["UserId"] for one in client.list_users(CollectionId="staff")["Users"]]


def users_by_command(doors: Doors) -> list[str]:
    return [one["name"] for one in said(doors, "collections", "subjects", "staff")["subjects"]]


def faces_by_wire(doors: Doors) -> list[tuple[str, str]]:
    with doors.wire() as client:
        listed = client.list_faces(CollectionId="staff")["Faces"]
        return [(one["FaceId"], one["UserId"]) for one in listed]


def faces_by_command(doors: Doors) -> list[tuple[str, str]]:
    listed = said(doors, "collections", "references", "staff")["references"]
    return [(one["id"], one["subject"]) for one in listed]


def create_by_wire(doors: Doors) -> None:
    with doors.wire() as client:
        client.create_collection(CollectionId="guests")


def create_by_command(doors: Doors) -> None:
    said(doors, "collections", "create", "guests")


def delete_by_wire(doors: Doors) -> None:
    with doors.wire() as client:
        client.delete_collection(CollectionId="staff")


def delete_by_command(doors: Doors) -> None:
    said(doors, "collections", "delete", "staff", "--yes")


def unnamed_face(doors: Doors) -> str:
    """Enrol somebody whom nobody named; gives the id of the reference."""
    with doors.wire() as client:
        picture = doors.picture("unnamed.png", GREEN).read_bytes()
        indexed = client.index_faces(CollectionId="staff", Image={"Bytes": picture})
        return str(indexed["FaceRecords"][0]["Face"]["FaceId"])


def erase_by_wire(doors: Doors) -> None:
    face = unnamed_face(doors)
    with doors.wire() as client:
        assert client.delete_faces(CollectionId="staff", FaceIds=[face])["DeletedFaces"] == [face]


def erase_by_command(doors: Doors) -> None:
    face = unnamed_face(doors)
    said(doors, "erase", "--collection", "staff", "--reference", face, "--yes")


ACTS: dict[str, tuple[Act, Act]] = {
    "create": (create_by_wire, create_by_command),
    "list": (list_by_wire, list_by_command),
    "show": (show_by_wire, show_by_command),
    "subjects": (users_by_wire, users_by_command),
    "references": (faces_by_wire, faces_by_command),
    "enrol": (enrol_by_wire, enrol_by_command),
    "erase references": (erase_by_wire, erase_by_command),
    "delete": (delete_by_wire, delete_by_command),
}
OF_ONE = {name: acts for name, acts in ACTS.items() if name not in ("create", "list")}
AT_DOORS = [
    pytest.param(act, id=f"{name} at the {door}")
    for name, acts in ACTS.items()
    if name not in ("erase references", "delete")  # which the stop switch lets go on
    for door, act in zip(("wire", "command line"), acts, strict=True)
]


def done_at(doors: Doors, act: Act) -> tuple[Any, list[dict[str, Any]]]:
    """Give what a door says of an act, and the entries that it leaves."""
    entries: list[dict[str, Any]] = []
    with doors.noted(entries):
        answer = act(doors)
    return answer, entries


@pytest.mark.parametrize("name", ["list", "show", "subjects", "references"])
def test_every_door_says_the_same_of_a_collection_and_leaves_the_same_entries(
    doors: Doors, name: str
) -> None:
    doors.employ(RED, PINK)
    (answer, entries), (other_answer, other_entries) = (done_at(doors, act) for act in ACTS[name])
    assert answer == other_answer
    assert entries == other_entries
    assert [entry["kind"] for entry in entries] == ["done"]


@pytest.mark.parametrize("name", ["create", "erase references", "delete"])
def test_every_door_does_the_same_to_a_collection_and_leaves_the_same_entries(
    doors: Doors, name: str
) -> None:
    left = []
    for act in ACTS[name]:
        doors.employ(RED)
        _, entries = done_at(doors, act)
        for entry in entries:
            entry.get("collection", {}).pop("id", None)  # each is made anew
        left.append((entries, shown(doors)))
        for one in said(doors, "collections", "list")["collections"]:
            said(doors, "collections", "delete", one["name"], "--yes")
    assert left[0] == left[1]


def test_whoever_is_enrolled_at_one_door_is_known_at_the_other(doors: Doors) -> None:
    doors.employ(RED)
    recorded = []
    for act in (enrol_by_command, enrol_by_wire):
        _, entries = done_at(doors, act)
        recorded.append([(one["kind"], one["action"], one["rules"]) for one in entries])
        # Of the second no reference is made: the picture and the face in it are known.
        assert show_by_wire(doors) == show_by_command(doors) == (2, 2)
    assert recorded[0] == recorded[1]
    assert [kind for kind, _, _ in recorded[0]] == ["intent", "done"]


@pytest.mark.parametrize("act", AT_DOORS)
def test_what_rules_refuse_changes_nothing_and_leaves_one_entry(doors: Doors, act: Act) -> None:
    doors.employ(RED)
    before = shown(doors)
    assert doors.command("policy", "suspend", "--all", "--reason", "a stop").code == 0
    with pytest.raises((ClientError, AssertionError, PermissionError)) as refused:
        act(doors)
    assert "stop-switch" in str(refused.value)
    assert doors.command("policy", "resume", "--all").code == 0
    assert shown(doors) == before


@pytest.mark.parametrize("name", OF_ONE)
def test_a_collection_that_is_not_there_is_recorded_alike(doors: Doors, name: str) -> None:
    with doors.home():
        pass
    recorded = []
    for act in OF_ONE[name]:
        entries: list[dict[str, Any]] = []
        with doors.noted(entries), pytest.raises((ClientError, AssertionError), match="staff"):
            act(doors)
        recorded.append([(one["kind"], one["action"], one["rules"]) for one in entries])
    assert recorded[0] == recorded[1]
    assert [kind for kind, _, _ in recorded[0]] == ["failed"]
