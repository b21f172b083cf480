"""Clips that are searched over the wire: rules, reviewers, erasures and the ledger see them too."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.rekognition.operations.discs import BLUE, GREEN, RED
from tests.rekognition.operations.moving_discs import clip_of, finished

from .conftest import Caller, Served, case_of, people, receipt_of, refused
from .test_review import EUROPE, SCAR, reviewer

CLIP = {"Video": {"S3Object": {"Bucket": "clips", "Name": "two.mp4"}}}


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    """A home with faces `p0`, red, and `p1`, green, and a clip of a red and of a blue person."""
    bucket = Path(os.environ["LIKENESS_HOME"]) / "buckets" / "clips"
    bucket.mkdir(parents=True)
    clip_of(bucket / "two.mp4", (RED, 60, 0, 40), (BLUE, 220, 0, 40))
    server = serve(LIKENESS_CROPS="on")
    people(server, RED, GREEN)
    return server


def begun(caller: Caller, **headers: str) -> str:
    client = caller.rekognition(**headers)
    return str(client.start_face_search(CollectionId="c", **CLIP)["JobId"])


def results(caller: Caller, job_id: str) -> Any:
    page = finished(caller.rekognition().get_face_search, job_id)
    assert page["JobStatus"] == "SUCCEEDED", page.get("StatusMessage")
    return page


def named(page: Any) -> set[tuple[int, str]]:
    """Who is called whom, by their index."""
    return {
        (one["Person"]["Index"], match["Face"]["ExternalImageId"])
        for one in page["Persons"]
        for match in one.get("FaceMatches", [])
    }


def cases_of(page: Any) -> list[str]:
    return (case_of(page) or "").split(", ")


def decided(server: Served, cases: list[str], verdict: str) -> str:
    """Have two people say the same of the candidate there is; give the case of it."""
    (case, number), *others = (
        (case, one["number"])
        for case in cases
        for one in server.json("review", "show", case)["candidates"]
    )
    assert others == []
    ada = reviewer(server, "ada")
    assert ada.v1("GET", f"cases/{case}/probe").headers["content-type"] == "image/jpeg"
    said = {"verdict": verdict, "reason": SCAR, "candidate": number}
    assert ada.v1("POST", f"cases/{case}/verdicts", said).status_code == 200
    asked = ("--candidate", number, "--verdict", verdict, "--reason", "ear")
    server.json("review", "decide", case, *asked)
    return case


@pytest.fixture
def officer(served: Served) -> Caller:
    """Somebody whose searches owe two separate reviews."""
    served.json("policy", "enable", "eu-ai-act", "--choice", "high-risk-applies=2025-02-02")
    return served.key("officer", *EUROPE)


def test_people_of_a_clip_are_named_once_two_people_confirmed(
    served: Served, officer: Caller
) -> None:
    job_id = begun(officer)
    page = results(officer, job_id)
    cases = cases_of(page)
    assert (len(set(cases)), named(page)) == (2, set())
    assert len({one["Person"]["Index"] for one in page["Persons"]}) == 2
    decided(served, cases, "same")
    ((_, name),) = named(results(officer, job_id))
    assert name == "p0"


def test_somebody_who_was_told_apart_is_not_proposed_for_that_person_again(
    served: Served, officer: Caller
) -> None:
    job_id = begun(officer)
    case = decided(served, cases_of(results(officer, job_id)), "not-same")
    assert named(results(officer, job_id)) == set()
    again = results(officer, begun(officer))  # finds the same person of the same clip
    assert named(again) == set()
    assert case in cases_of(again)


def test_an_erased_person_is_gone_from_results(served: Served) -> None:
    job_id = begun(served.admin)
    ((_, name),) = named(results(served.admin, job_id))
    assert name == "p0"
    client = served.admin.rekognition()
    faces = client.list_faces(CollectionId="c")["Faces"]
    (red,) = [face["FaceId"] for face in faces if face["ExternalImageId"] == "p0"]
    client.delete_faces(CollectionId="c", FaceIds=[red])
    page = results(served.admin, job_id)
    assert named(page) == set()
    assert page["Persons"]


def test_a_purpose_that_was_not_granted_begins_nothing(served: Served) -> None:
    said = refused(lambda: begun(served.admin, X_Likeness_Purpose="missing-persons"))
    assert "purpose-not-granted" in said
    assert served.json("jobs", "list")["jobs"] == []


def test_a_job_is_on_record_from_its_beginning_to_every_look_at_it(served: Served) -> None:
    client = served.admin.rekognition()
    started = client.start_face_search(CollectionId="c", **CLIP)
    job_id = started["JobId"]
    page = results(served.admin, job_id)
    entries = [one for one in served.entries() if one.get("details", {}).get("job_id") == job_id]
    operations = [one["operation"] for one in entries]
    assert operations[0] == "StartFaceSearch"
    assert "RunFaceSearch" in operations
    assert operations[-1] == "GetFaceSearch"
    for answer in (started, page):
        receipt = receipt_of(answer)
        assert served.admin.v1("GET", f"receipts/{receipt}").status_code == 200
