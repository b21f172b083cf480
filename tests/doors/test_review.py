"""Cases and watches are looked at, decided, begun and ended alike over `/v1` and at a terminal."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from likeness.terms import Principal, Role

from .conftest import BLUE, RED, Doors

OTHER = Principal("key:searcher", Role.OPERATOR)
Act = Callable[[Doors, str], Any]
REASON = "the ears"


def case_of(doors: Doors) -> str:
    """The case of a search by somebody else."""
    with doors.wire(OTHER) as client:
        answer = client.search_faces_by_image(
            CollectionId="staff",
            Image={"Bytes": doors.picture("probe.png", RED, BLUE).read_bytes()},
        )
    return str(answer["ResponseMetadata"]["HTTPHeaders"]["x-likeness-case"])


def over_v1(method: str, path: str, body: dict[str, Any] | None = None) -> Act:
    def act(doors: Doors, case: str) -> Any:
        with doors.v1() as call:
            answer = call(method, path.format(case=case), body)
        return answer.json() if answer.status_code < 400 else answer.json()["title"]

    return act


def at_terminal(*arguments: str) -> Act:
    def act(doors: Doors, case: str) -> Any:
        said = doors.command(*(one.format(case=case) for one in arguments), "--json")
        answer = json.loads(said.out)
        answer.pop("pictures", None)
        return answer["error"]["type"] if "error" in answer else answer

    return act


DECIDE = {"verdict": "not-same", "reason": REASON}
ACTS = {
    "list": (over_v1("GET", "cases"), at_terminal("review", "list")),
    "show": (over_v1("GET", "cases/{case}"), at_terminal("review", "show", "{case}")),
    "decide": (
        over_v1("POST", "cases/{case}/verdicts", DECIDE),
        at_terminal("review", "decide", "{case}", "--verdict", "not-same", "--reason", REASON),
    ),
    "authorise": (
        over_v1("POST", "cases/{case}/authorisation", {"authority": "Court", "number": "1"}),
        at_terminal("review", "authorise", "{case}", "--authority", "Court", "--number", "1"),
    ),
}


@pytest.mark.parametrize("owed", ["review", "authorisation"])
@pytest.mark.parametrize("acts", ACTS.values(), ids=ACTS)
def test_every_door_does_the_same_to_a_case(doors: Doors, acts: tuple[Act, Act], owed: str) -> None:
    doors.employ(RED)
    met = {"review": "context.reviews >= 1", "authorisation": "context.authorised"}[owed]
    doors.owe(owed, "1", met)
    answers, recorded = [], []
    for act in acts:
        # Of each door a case of its own: most is done to a case once.
        doors.command("collections", "delete", "staff", "--yes")
        doors.employ(RED)
        case = case_of(doors)
        entries: list[dict[str, Any]] = []
        with doors.noted(entries):
            answers.append(_comparable(act(doors, case)))
        for entry in entries:
            entry.get("details", {}).pop("case_id", None)
            entry.get("collection", {}).pop("id", None)
        recorded.append(entries)
    assert answers[0] == answers[1]
    assert recorded[0] == recorded[1]


def test_every_door_does_the_same_to_a_watch(doors: Doors) -> None:
    doors.employ(BLUE)
    picture = doors.picture("wanted.png", RED)
    expires = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(30)
    answers, recorded = [], []
    for begin, every, end in (
        _watch_over_v1(picture, expires),
        _watch_at_terminal(picture, expires),
    ):
        entries: list[dict[str, Any]] = []
        with doors.noted(entries):
            begun = begin(doors, "")
            listed = every(doors, "")
            ended = end(doors, begun["id"])
        for entry in entries:
            entry.get("details", {}).pop("watch_id", None)
        answers.append([_comparable(one) for one in (begun, listed, ended)])
        recorded.append(entries)
    assert answers[0] == answers[1]
    assert recorded[0] == recorded[1]
    assert [entry["kind"] for entry in recorded[0]] == ["intent", "done", "done", "intent", "done"]


def _watch_over_v1(picture: Path, expires: datetime) -> tuple[Act, Act, Act]:
    body = {
        "collection": "staff",
        "image": base64.b64encode(picture.read_bytes()).decode(),
        "purpose": "missing-persons",
        "authority": "Court",
        "criteria": "missing since May",
        "expires_at": expires.isoformat(),
    }
    caller = Principal("key:watcher", Role.OPERATOR, purposes=("missing-persons",))

    def begin(doors: Doors, _: str) -> Any:
        # A key states a purpose that it was granted, the command line any.
        with doors.home() as home:
            somebody = home.somebody
        granted = Principal(somebody.id, somebody.role, purposes=caller.purposes)
        with doors.v1(granted) as call:
            return call("POST", "watches", body).json()

    return begin, over_v1("GET", "watches"), over_v1("DELETE", "watches/{case}")


def _watch_at_terminal(picture: Path, expires: datetime) -> tuple[Act, Act, Act]:
    begin = at_terminal(
        *("watch", "add", str(picture), "--collection", "staff"),
        *("--purpose", "missing-persons", "--authority", "Court"),
        *("--criteria", "missing since May", "--expires", f"{expires:%Y-%m-%d}"),
    )
    return begin, at_terminal("watch", "list"), at_terminal("watch", "end", "{case}")


_OF_ITS_OWN = {"id", "use_id", "collection_id", "opened_at", "expires_at", "authorise_by"}
_OF_ITS_OWN |= {"reference_id", "subject_id", "given_at", "created_at", "authorised_at"}


def _comparable(answer: Any) -> Any:
    """Leave out what every case, watch and face has of its own."""
    if isinstance(answer, list):
        return [_comparable(one) for one in answer]
    if not isinstance(answer, dict):
        return answer
    return {name: _comparable(one) for name, one in answer.items() if name not in _OF_ITS_OWN}
