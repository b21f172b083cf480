"""A search is the same act at every door: whom it finds, what it records, whom people decide on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from likeness.review import Verdict
from likeness.terms import Principal, Role

from .conftest import BLUE, GREEN, PINK, RED, Doors

ADA = Principal("key:ada", Role.OPERATOR)


@dataclass(frozen=True)
class Found:
    """Whom a search gave for the largest face, by id or name, most alike first; and its case."""

    alike: dict[str, float]
    case: str | None


Search = Callable[[Doors, Path], Found]


def faces_by_image(
    doors: Doors, picture: Path, principal: Principal | None = None, most: int = 3
) -> Found:
    with doors.wire(principal) as client:
        answer = client.search_faces_by_image(
            CollectionId="staff", Image={"Bytes": picture.read_bytes()}, MaxFaces=most
        )
    alike = {one["Face"]["FaceId"]: one["Similarity"] for one in answer["FaceMatches"]}
    return Found(alike, _case(answer))


def users_by_image(doors: Doors, picture: Path) -> Found:
    with doors.wire() as client:
        answer = client.search_users_by_image(
            CollectionId="staff", Image={"Bytes": picture.read_bytes()}, MaxUsers=3
        )
    alike = {one["User"]["UserId"]: one["Similarity"] for one in answer["UserMatches"]}
    return Found(alike, _case(answer))


def identify_faces(doors: Doors, picture: Path) -> Found:
    return _identified(doors, picture, "reference", "reference")


def identify_users(doors: Doors, picture: Path) -> Found:
    return _identified(doors, picture, "subject", "subject")


def _identified(doors: Doors, picture: Path, by: str, name: str) -> Found:
    answer = doors.json("identify", "--collection", "staff", "--by", by, picture)
    (said,) = answer["pictures"]
    if "error" in said:
        raise PermissionError(said["error"]["message"])
    largest = said["faces"][0]
    alike = {
        one[name]: one["similarity"] for one in largest["candidates"] if one["similarity"] >= 80
    }
    return Found(alike, next(iter(said["cases"]), None))


def _case(answer: Any) -> str | None:
    return answer["ResponseMetadata"]["HTTPHeaders"].get("x-likeness-case")  # type: ignore[no-any-return]


OF_FACES = {"SearchFacesByImage": faces_by_image, "identify": identify_faces}
OF_USERS = {"SearchUsersByImage": users_by_image, "identify": identify_users}
PAIRS = [
    pytest.param(one, other, id=f"{name}, {another}")
    for name, one in {**OF_FACES, "SearchUsersByImage": users_by_image}.items()
    for another, other in {**OF_FACES, "identify by subject": identify_users}.items()
    if one is not other
]


@pytest.mark.parametrize("searches", [OF_FACES, OF_USERS], ids=["faces", "users"])
def test_every_door_finds_the_same_people_and_leaves_the_same_entries(
    doors: Doors, searches: dict[str, Search]
) -> None:
    doors.employ(RED, PINK)
    picture = doors.picture("probe.png", RED)
    found, recorded = [], []
    for search in searches.values():
        entries: list[dict[str, Any]] = []
        with doors.noted(entries):
            found.append(search(doors, picture).alike)
        recorded.append(entries)
    assert len(found[0]) == 2
    assert found[0] == pytest.approx(found[1], abs=0.01)
    assert recorded[0] == recorded[1]
    assert [entry["kind"] for entry in recorded[0]] == ["intent", "done"]


@pytest.mark.parametrize("search", OF_FACES.values(), ids=OF_FACES)
def test_whoever_is_withheld_is_given_to_reviewers_alike(doors: Doors, search: Search) -> None:
    ids = doors.employ(RED, PINK, GREEN)
    doors.owe("review", "1", "context.reviews >= 1")
    picture = doors.picture("probe.png", RED)
    entries: list[dict[str, Any]] = []
    with doors.noted(entries):
        found = search(doors, picture)
    assert found.alike == {}
    assert [entry["kind"] for entry in entries] == ["intent", "withheld"]
    with doors.v1(ADA) as call:
        shown = call("GET", f"cases/{found.case}").json()
    assert (shown["reviews_owed"], shown["probe_picture"]) == (1, True)
    assert sorted(one["reference_id"] for one in shown["candidates"]) == sorted(ids[:2])
    assert all(one["similarity"] >= 80 for one in shown["candidates"])


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_whom_a_reviewer_rejects_at_one_door_no_other_proposes(
    doors: Doors, first: Search, second: Search
) -> None:
    doors.employ(RED, GREEN)
    doors.owe("review", "1", "context.reviews >= 1")
    picture = doors.picture("probe.png", RED, BLUE)
    found = first(doors, picture)
    _decide(doors, found, Verdict.NOT_SAME)
    again = second(doors, picture)
    assert again.alike == {}
    with doors.v1(ADA) as call:
        assert call("GET", f"cases/{again.case}").json()["candidates"] == []


def test_whoever_was_rejected_takes_nobodys_place(doors: Doors) -> None:
    (_, pink, _) = doors.employ(RED, PINK, GREEN)
    doors.owe("review", "1", "context.reviews >= 1")
    picture = doors.picture("probe.png", RED)
    only_one = partial(faces_by_image, most=1)
    _decide(doors, only_one(doors, picture), Verdict.NOT_SAME)
    again = only_one(doors, picture, ADA)
    _decide(doors, again, Verdict.SAME)
    assert set(only_one(doors, picture, ADA).alike) == {pink}


@pytest.mark.parametrize("search", OF_FACES.values(), ids=OF_FACES)
def test_whom_people_confirm_the_same_search_answers(doors: Doors, search: Search) -> None:
    (red, _) = doors.employ(RED, GREEN)
    doors.owe("review", "1", "context.reviews >= 1")
    picture = doors.picture("probe.png", RED)
    _decide(doors, search(doors, picture), Verdict.SAME)
    assert set(search(doors, picture).alike) == {red}


@pytest.mark.parametrize("search", OF_FACES.values(), ids=OF_FACES)
def test_nobody_reviews_the_search_for_a_face_that_they_searched_for_at_any_door(
    doors: Doors, search: Search
) -> None:
    doors.employ(RED, GREEN)
    doors.owe("review", "1", "context.reviews >= 1")
    picture = doors.picture("probe.png", RED, BLUE)
    faces_by_image(doors, picture, ADA)
    found = search(doors, picture)
    verdict = {"verdict": "not-same", "reason": "the ears"}
    with doors.v1(ADA) as call:
        assert call("GET", f"cases/{found.case}").json()["candidates"] == []
        assert call("POST", f"cases/{found.case}/verdicts", verdict).status_code == 403


@pytest.mark.parametrize("search", OF_FACES.values(), ids=OF_FACES)
def test_a_search_that_rules_refuse_looks_at_nothing(doors: Doors, search: Search) -> None:
    doors.employ(RED)
    assert doors.command("policy", "suspend", "--all", "--reason", "a stop").code == 0
    entries: list[dict[str, Any]] = []
    with doors.noted(entries), pytest.raises((ClientError, PermissionError), match="stop-switch"):
        search(doors, doors.picture("probe.png", RED))
    assert [entry["kind"] for entry in entries] == ["refused"]
    assert entries[0]["rules"]["refused_by"] == ["stop-switch"]


def test_a_collection_that_is_not_there_is_recorded_alike(doors: Doors) -> None:
    picture, recorded = doors.picture("probe.png", RED), []
    with doors.home():
        pass
    for search in OF_FACES.values():
        entries: list[dict[str, Any]] = []
        with doors.noted(entries), pytest.raises((ClientError, AssertionError), match="staff"):
            search(doors, picture)
        for entry in entries:
            entry.pop("details")
        recorded.append([(one["kind"], one["action"], one["rules"]) for one in entries])
    assert recorded[0] == recorded[1]
    assert [kind for kind, _, _ in recorded[0]] == ["failed"]


def _decide(doors: Doors, found: Found, verdict: Verdict) -> None:
    with doors.v1(Principal("key:reviewer", Role.REVIEWER)) as call:
        said = {"verdict": verdict.value, "reason": "the ears"}
        answer = call("POST", f"cases/{found.case}/verdicts", said)
        assert answer.status_code == 200, answer.text
