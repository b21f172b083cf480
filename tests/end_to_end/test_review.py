"""Machines suggest, people decide: from a search that is withheld to what two people confirmed."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.rekognition.operations.discs import BLUE, GREEN, RED, disc

from .conftest import Caller, Served, case_of, people, receipt_of, refused, search, soon

EUROPE = ("--sector", "border-control", "--jurisdiction", "EU", "--purpose", "border-check")
PINK = (222, 44, 44)
SCAR = "the scar above the left brow"


@pytest.fixture
def border(serve: Callable[..., Served]) -> Served:
    """A home whose searches owe two separate reviews, with a red and a pink face, and a green."""
    server = serve(LIKENESS_CROPS="on")
    people(server, RED, PINK, GREEN)
    server.json("policy", "enable", "eu-ai-act", "--choice", "high-risk-applies=2025-02-02")
    return server


@pytest.fixture
def officer(border: Served) -> Caller:
    """Somebody whose searches are withheld."""
    key = border.key("officer", *EUROPE)
    soon(lambda: case_of(search(key, disc(BLUE))))
    return key


def reviewer(server: Served, name: str) -> Caller:
    """Somebody who decides."""
    return server.key(name, *EUROPE, "--role", "reviewer")


def decide(caller: Caller, case: str, verdicts: dict[int, str]) -> dict[str, Any]:
    """Give a verdict on each candidate, and what is seen then."""
    for number, verdict in verdicts.items():
        answer = caller.v1(
            "POST",
            f"cases/{case}/verdicts",
            {"verdict": verdict, "reason": SCAR, "candidate": number},
        )
        assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def numbers(server: Served, case: str, answer: Any) -> dict[str, int]:
    """The candidates' numbers, by the ids of their faces."""
    shown = server.json("review", "show", case)
    return {one["reference_id"]: one["number"] for one in shown["candidates"]}


def face_ids(server: Served) -> dict[str, str]:
    """The ids of all faces, by their names: `p0` is red, `p1` pink, `p2` green."""
    faces = server.admin.rekognition().list_faces(CollectionId="c")["Faces"]
    return {face["ExternalImageId"]: face["FaceId"] for face in faces}


def test_who_searched_for_a_face_sees_and_decides_no_case_of_it_by_another(
    border: Served, officer: Caller
) -> None:
    colleague = border.key("colleague", *EUROPE, "--role", "operator")
    search(colleague, disc(RED))
    case = case_of(search(officer, disc(RED)))
    seen = colleague.v1("GET", f"cases/{case}").json()
    assert (seen["yours"], seen["candidates"]) == (False, [])
    for path in (f"cases/{case}/probe", f"cases/{case}/candidates/1/face"):
        assert colleague.v1("GET", path).status_code == 403
    verdict = {"verdict": "not-same", "reason": SCAR, "candidate": 1}
    assert colleague.v1("POST", f"cases/{case}/verdicts", verdict).status_code == 403
    other_face = case_of(search(officer, disc(GREEN)))
    assert colleague.v1("GET", f"cases/{other_face}").json()["candidates"]


def test_a_search_is_answered_with_whom_two_people_confirmed(
    border: Served, officer: Caller
) -> None:
    first = search(officer, disc(RED))
    assert first["FaceMatches"] == []
    case = case_of(first)
    assert case is not None
    ids = face_ids(border)
    by_id = numbers(border, case, first)
    red, pink = by_id[ids["p0"]], by_id[ids["p1"]]
    ada = reviewer(border, "ada")
    assert ada.v1("GET", f"cases/{case}/probe").headers["content-type"] == "image/jpeg"
    assert ada.v1("GET", f"cases/{case}/candidates/{red}/face").content[:2] == b"\xff\xd8"
    decide(ada, case, {red: "same", pink: "not-same"})
    withheld = search(officer, disc(RED))
    assert (withheld["FaceMatches"], case_of(withheld)) == ([], case)

    seen = border.json("review", "show", case)
    assert [one["verdicts"] for one in seen["candidates"]] == [[], []]
    assert "scar" not in str(seen)
    for number, verdict in ((red, "same"), (pink, "not-same")):
        border.json(
            "review", "decide", case, "--candidate", number, "--verdict", verdict, "--reason", "ear"
        )

    (match,) = search(officer, disc(RED))["FaceMatches"]
    assert match["Face"]["FaceId"] == ids["p0"]
    assert match["Similarity"] > 80


def test_only_the_same_search_is_answered(border: Served, officer: Caller) -> None:
    case = case_of(search(officer, disc(RED)))
    assert case is not None
    both = dict.fromkeys(numbers(border, case, None).values(), "same")
    for name in ("ada", "ben"):
        decide(reviewer(border, name), case, both)
    assert len(search(officer, disc(RED))["FaceMatches"]) == 2
    other_picture = search(officer, disc(RED, side=120))
    assert other_picture["FaceMatches"] == []
    assert case_of(other_picture) not in (None, case)
    fewer = officer.rekognition().search_faces_by_image(
        CollectionId="c", Image={"Bytes": disc(RED)}, MaxFaces=1
    )
    assert fewer["FaceMatches"] == []
    colleague = search(border.key("colleague", *EUROPE), disc(RED))
    assert (colleague["FaceMatches"], case_of(colleague) == case) == ([], False)


def test_a_search_that_finds_nobody_says_no_more_than_one_that_does(
    border: Served, officer: Caller
) -> None:
    somebody, nobody = search(officer, disc(RED)), search(officer, disc(BLUE))
    assert nobody["FaceMatches"] == somebody["FaceMatches"] == []
    assert None not in (case_of(somebody), case_of(nobody))
    assert set(nobody) == set(somebody)


def test_two_who_differ_are_followed_by_a_third(border: Served, officer: Caller) -> None:
    case = case_of(search(officer, disc(GREEN)))
    assert case is not None
    assert decide(reviewer(border, "ada"), case, {1: "same"})["decided"] is False
    assert decide(reviewer(border, "ben"), case, {1: "not-same"})["decided"] is False
    assert search(officer, disc(GREEN))["FaceMatches"] == []
    assert decide(reviewer(border, "cem"), case, {1: "same"})["decided"] is True
    assert len(search(officer, disc(GREEN))["FaceMatches"]) == 1
    late = reviewer(border, "dan").v1(
        "POST", f"cases/{case}/verdicts", {"verdict": "same", "reason": SCAR}
    )
    assert late.status_code == 409


def test_whom_people_told_apart_is_not_proposed_again(border: Served, officer: Caller) -> None:
    case = case_of(search(officer, disc(GREEN)))
    assert case is not None
    for name in ("ada", "ben"):
        decide(reviewer(border, name), case, {1: "not-same"})
    assert search(officer, disc(GREEN))["FaceMatches"] == []
    again = search(border.key("colleague", *EUROPE), disc(GREEN))
    case = case_of(again)
    assert case is not None
    assert border.json("review", "show", case)["candidates"] == []


def test_nobody_decides_twice_nor_their_own_search(border: Served, officer: Caller) -> None:
    case = case_of(search(officer, disc(GREEN)))
    assert case is not None
    ada = reviewer(border, "ada")
    path, verdict = f"cases/{case}/verdicts", {"verdict": "same", "reason": SCAR}
    assert ada.v1("POST", path, verdict).status_code == 200
    twice = ada.v1("POST", path, {**verdict, "verdict": "not-same"})
    assert twice.status_code == 409
    chief = border.key("chief", *EUROPE, "--role", "operator")
    own = case_of(search(chief, disc(GREEN)))
    assert chief.v1("POST", f"cases/{own}/verdicts", verdict).status_code == 403
    assert chief.v1("GET", f"cases/{own}/probe").status_code == 403
    assert chief.v1("GET", f"cases/{own}").json()["candidates"] == []


def test_an_auditor_sees_facts_and_no_faces(border: Served, officer: Caller) -> None:
    case = case_of(search(officer, disc(GREEN)))
    assert case is not None
    auditor = border.key("auditor", *EUROPE, "--role", "auditor")
    shown = auditor.v1("GET", f"cases/{case}")
    assert shown.status_code == 200
    assert shown.json()["candidates"] == []
    assert face_ids(border)["p2"] not in shown.text
    for path in ("probe", "candidates/1/face"):
        assert auditor.v1("GET", f"cases/{case}/{path}").status_code == 403
    refused(lambda: search(auditor, disc(GREEN)))
    refused(lambda: auditor.rekognition().list_faces(CollectionId="c"))


def test_lists_and_refusals_of_whoever_may_not_look_are_on_record(border: Served) -> None:
    auditor = border.key("auditor", *EUROPE, "--role", "auditor")
    stranger = border.key("stranger", *EUROPE)
    before = len(border.entries())
    assert auditor.v1("GET", "cases").status_code == 200
    assert auditor.v1("GET", "watches").status_code == 403
    for path in ("cases", "watches", f"cases/{uuid4()}", f"cases/{uuid4()}/probe"):
        assert stranger.v1("GET", path).status_code == 403
    assert [(one["kind"], one["operation"]) for one in border.entries()[before:]] == [
        ("done", "ListCases"),
        ("refused", "ListWatches"),
        ("refused", "ListCases"),
        ("refused", "ListWatches"),
        ("refused", "ShowCase"),
        ("refused", "ShowFace"),
    ]


def test_who_is_erased_vanishes_from_what_was_confirmed(border: Served, officer: Caller) -> None:
    case = case_of(search(officer, disc(RED)))
    assert case is not None
    both = dict.fromkeys(numbers(border, case, None).values(), "same")
    for name in ("ada", "ben"):
        decide(reviewer(border, name), case, both)
    ids = face_ids(border)
    border.admin.rekognition().delete_faces(CollectionId="c", FaceIds=[ids["p0"]])
    (match,) = search(officer, disc(RED))["FaceMatches"]
    assert match["Face"]["FaceId"] == ids["p1"]


def test_whom_people_confirmed_is_answered_though_others_came_who_are_more_alike(
    border: Served, officer: Caller
) -> None:
    between = (221, 43, 43)

    def nearest(caller: Caller) -> str:
        found = caller.rekognition().search_faces_by_image(
            CollectionId="c", Image={"Bytes": disc(between)}, MaxFaces=1
        )
        return "".join(match["Face"]["FaceId"] for match in found["FaceMatches"])

    searched = officer.rekognition().search_faces_by_image(
        CollectionId="c", Image={"Bytes": disc(between)}, MaxFaces=1
    )
    case = case_of(searched)
    assert case is not None
    for name in ("ada", "ben"):
        decide(reviewer(border, name), case, {1: "same"})
    confirmed = nearest(officer)
    assert confirmed in face_ids(border).values()

    added = border.admin.rekognition().index_faces(CollectionId="c", Image={"Bytes": disc(between)})
    elsewhere = border.key("shop", "--sector", "commerce", "--jurisdiction", "US-WA")
    assert nearest(elsewhere) == added["FaceRecords"][0]["Face"]["FaceId"]
    assert nearest(officer) == confirmed


def test_policy_is_asked_again_before_what_was_confirmed_is_answered(
    border: Served, officer: Caller
) -> None:
    case = case_of(search(officer, disc(GREEN)))
    assert case is not None
    for name in ("ada", "ben"):
        decide(reviewer(border, name), case, {1: "same"})
    border.json("policy", "suspend", "--purpose", "border-check", "--reason", "complaint")
    assert "stop-switch" in soon(lambda: refused(lambda: search(officer, disc(GREEN))))
    border.json("policy", "resume", "--purpose", "border-check")
    assert soon(lambda: search(officer, disc(GREEN))["FaceMatches"])


def test_without_pictures_to_review_a_search_that_owes_review_is_refused(
    serve: Callable[..., Served],
) -> None:
    server = serve()
    people(server, RED)
    server.json("policy", "enable", "eu-ai-act", "--choice", "high-risk-applies=2025-02-02")
    officer = server.key("officer", *EUROPE)
    said = soon(lambda: refused(lambda: search(officer, disc(RED))))
    assert "eu-ai-act-separate-review" in said
    assert "LIKENESS_CROPS=on" in said


def test_every_step_of_a_review_is_an_entry_without_names_or_reasons(
    border: Served, officer: Caller
) -> None:
    before = len(border.entries())
    case = case_of(search(officer, disc(GREEN)))
    assert case is not None
    for name in ("ada", "ben"):
        decide(reviewer(border, name), case, {1: "same"})
    answer = search(officer, disc(GREEN))
    since = border.entries()[before:]
    kinds = [(one["kind"], one["operation"]) for one in since if one["kind"] != "intent"]
    assert kinds[0] == ("withheld", "SearchFacesByImage")
    assert kinds[-1] == ("done", "SearchFacesByImage")
    assert kinds.count(("done", "DecideCase")) == 2
    assert SCAR not in str(since)
    assert receipt_of(answer).startswith(f"{before + len(since) - 1}-")
