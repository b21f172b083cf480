"""Cases over HTTP: who may do what, and nobody more."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import cv2
import numpy as np
import pytest
from sqlalchemy import Connection, update

from likeness.review import Arrival, Case, Found, Owed, keep_crops, open_watch_cases
from likeness.review.tables import VERDICTS
from likeness.terms import Calibration, GroupPoint, GroupRates
from tests.gallery.galleries import MODEL, new
from tests.review.judging import CROP, SEARCH, found, other

from .conftest import COHORT, Client
from .wanted import watch

REASON = {"reason": "the left ear is the same"}
SAME = {"verdict": "same", **REASON}


def open_case(client: Client, count: int = 1, **owed: Any) -> Case:
    search = other(collection_id=client.collection.id)
    return with_faces(client, client.desk.open(found(count), search, **owed))


def with_faces(client: Client, case: Case) -> Case:
    """Keep a picture of each candidate."""
    faces = {one.id: b"reference" for one in client.desk.candidates(case)}
    client.database.write(lambda c: keep_crops(c, client.keyring, case.collection_id, faces))
    return case


def test_verdict_on_a_face_that_nobody_can_have_seen_is_refused(client: Client) -> None:
    case = client.desk.open(found(), other(collection_id=client.collection.id))
    path = f"/v1/cases/{case.id}/verdicts"
    for verdict in ("same", "not-same"):
        answer = client.call("POST", path, "reviewer", json={"verdict": verdict, **REASON})
        assert answer.status_code == 409
        assert "No picture is kept" in answer.json()["detail"]
    unseen = {"verdict": "cannot-tell", **REASON}
    assert client.call("POST", path, "reviewer", json=unseen).status_code == 200


def test_reviewer_sees_a_case_and_both_faces(client: Client) -> None:
    case = open_case(client)
    (candidate,) = client.desk.candidates(case)
    shown = client.call("GET", f"/v1/cases/{case.id}", "reviewer")
    assert shown.status_code == 200
    (answer,) = shown.json()["candidates"]
    assert answer["reference_id"] == str(candidate.reference_id)
    assert (answer["rank"], answer["similarity"], answer["verdicts"]) == (1, 99.0, [])
    assert shown.json()["yours"] is True
    probe = client.call("GET", f"/v1/cases/{case.id}/probe", "reviewer")
    assert (probe.content, probe.headers["content-type"]) == (CROP, "image/jpeg")
    assert probe.headers["cache-control"] == "no-store"
    assert probe.headers["x-content-type-options"] == "nosniff"
    face = client.call("GET", f"/v1/cases/{case.id}/candidates/1/face", "reviewer")
    assert face.content == b"reference"


def test_faces_of_exploited_children_open_blurred(client: Client) -> None:
    search = other(collection_id=client.collection.id, purpose="exploited-children")
    sharp = cv2.imencode(".jpg", np.eye(96, dtype=np.uint8) * 255)[1].tobytes()
    case = client.desk.open(found(), search, crop_jpeg=sharp)
    path = f"/v1/cases/{case.id}/probe"
    assert client.call("GET", path, "reviewer").content not in (sharp, b"")
    shown = client.call("GET", f"{path}?unblurred=true", "reviewer")
    assert shown.content == sharp


def test_who_decides_is_warned_of_groups_that_match_far_too_often(client: Client) -> None:
    case = open_case(client)
    path = f"/v1/cases/{case.id}"
    assert client.call("GET", path, "reviewer").json()["group_warning"] is None
    women = GroupRates("sex", "women", 5_000, (GroupPoint(-0.1, 0.04, 0.03, 0.05),))
    known = replace(client.acts.rows.calibration_of(None), groups=(women,))
    warning = replace(client.acts.rows, calibration_of=lambda of: known, warn_from=10.0)
    client.acts = replace(client.acts, home=warning)
    client.limit()
    warned = client.call("GET", path, "reviewer").json()["group_warning"]
    assert (warned["group"], warned["asked_for"], warned["times"]) == ("women", 1e-3, 40.0)
    # Who may know facts alone has nobody to decide about.
    assert client.call("GET", path, "auditor").json()["group_warning"] is None


def test_subject_found_as_a_whole_is_shown_by_a_face_that_was_kept(client: Client) -> None:
    def enrol(connection: Connection) -> tuple[UUID, UUID]:
        rows = client.collection.within(connection)
        now = client.desk.now
        _, second = rows.references.enrol([new(1, "Rosa"), new(2, "Rosa")], now)
        return rows.subjects.get("Rosa").id, second.id

    subject_id, second_id = client.database.write(enrol)
    search = other(collection_id=client.collection.id)
    case = client.desk.open([Found(None, subject_id, 99.0)], search)
    path = f"/v1/cases/{case.id}/candidates/1/face"
    assert client.call("GET", path, "reviewer").status_code == 404
    client.database.write(
        lambda c: keep_crops(c, client.keyring, case.collection_id, {second_id: b"second"})
    )
    assert client.call("GET", path, "reviewer").content == b"second"


def test_verdicts_decide_a_case(client: Client) -> None:
    case = open_case(client, reviews=2, separately=True)
    path = f"/v1/cases/{case.id}/verdicts"
    first = client.call("POST", path, "reviewer", "ada", json=SAME)
    assert first.status_code == 200
    assert [one["reviewer_id"] for one in first.json()["candidates"][0]["verdicts"]] == ["key:ada"]
    other_view = client.call("GET", f"/v1/cases/{case.id}", "reviewer", "ben").json()
    assert other_view["candidates"][0]["verdicts"] == []
    second = client.call("POST", path, "reviewer", "ben", json={**SAME, "candidate": 1}).json()
    assert (second["decided"], second["candidates"][0]["standing"]) == (True, "confirmed")
    assert len(second["candidates"][0]["verdicts"]) == 2


def test_a_case_that_is_damaged_is_left_out_of_the_list_alone(client: Client) -> None:
    search = other(collection_id=client.collection.id, operation="SearchFaces")
    damaged, sound = open_case(client), client.desk.open(found(), search)
    path = f"/v1/cases/{damaged.id}/verdicts"
    assert client.call("POST", path, "reviewer", json=SAME).status_code == 200
    client.database.write(lambda c: c.execute(update(VERDICTS).values(verdict="nonsense")))
    listed = client.call("GET", "/v1/cases", "reviewer").json()["cases"]
    assert [one["id"] for one in listed] == [str(sound.id)]


def test_a_verdict_may_say_what_speaks_for_it(client: Client) -> None:
    case = open_case(client)
    path = f"/v1/cases/{case.id}/verdicts"
    found = {"support": "strongly-same", "features": {"ears": "alike", "facial-hair": "different"}}
    for wrong in (
        {**SAME, "findings": {"support": "neither"}},
        {**SAME, "findings": {"support": "same"}},
        {**SAME, "findings": {**found, "features": {"aura": "alike"}}},
    ):
        assert client.call("POST", path, "reviewer", json=wrong).status_code == 400
    answer = client.call("POST", path, "reviewer", json={**SAME, "findings": found}).json()
    assert answer["candidates"][0]["verdicts"][0]["findings"] == found


def test_scores_are_hidden_until_the_reviewer_has_decided(client: Client) -> None:
    rows = replace(client.acts.rows, scores_hidden=True)
    client.acts = replace(client.acts, home=rows)
    client.limit()
    case = open_case(client, reviews=2)
    before = client.call("GET", f"/v1/cases/{case.id}", "reviewer").json()["candidates"][0]
    assert (before["similarity"], before["rank"]) == (None, None)
    client.call("POST", f"/v1/cases/{case.id}/verdicts", "reviewer", json=SAME)
    after = client.call("GET", f"/v1/cases/{case.id}", "reviewer").json()["candidates"][0]
    assert (after["similarity"], after["rank"]) == (99.0, 1)


def test_nobody_sees_whom_their_own_search_found(client: Client) -> None:
    case = open_case(client)
    who = ("operator", SEARCH.principal_id.removeprefix("key:"))
    assert client.call("GET", f"/v1/cases/{case.id}", *who).json()["candidates"] == []
    for path in ("probe", "candidates/1/face"):
        assert client.call("GET", f"/v1/cases/{case.id}/{path}", *who).status_code == 403
    decided = client.call("POST", f"/v1/cases/{case.id}/verdicts", *who, json=SAME)
    assert decided.status_code == 403
    assert client.call("GET", f"/v1/cases/{case.id}", *who).json()["yours"] is False


def test_auditor_reads_facts_and_no_faces(client: Client) -> None:
    case = open_case(client)
    (listed,) = client.call("GET", "/v1/cases", "auditor").json()["cases"]
    assert (listed["id"], listed["decided"], listed["yours"]) == (str(case.id), False, False)
    shown = client.call("GET", f"/v1/cases/{case.id}", "auditor").json()
    assert (shown["candidates"], shown["authorisation"]) == ([], None)
    for path in ("probe", "candidates/1/face"):
        assert client.call("GET", f"/v1/cases/{case.id}/{path}", "auditor").status_code == 403


MAY = [
    ("GET", "", None, {"admin": 200, "operator": 200, "reviewer": 200, "auditor": 200}),
    ("GET", "/CASE", None, {"admin": 200, "operator": 200, "reviewer": 200, "auditor": 200}),
    ("GET", "/CASE/probe", None, {"admin": 200, "operator": 200, "reviewer": 200}),
    ("POST", "/CASE/verdicts", SAME, {"admin": 200, "operator": 200, "reviewer": 200}),
    ("POST", "/CASE/authorisation", {"authority": "Court", "number": "7"}, {"admin": 200}),
]


@pytest.mark.parametrize(("method", "path", "body", "allowed"), MAY)
def test_every_role_may_do_its_own_work_alone(
    client: Client,
    method: str,
    path: str,
    body: dict[str, str] | None,
    allowed: dict[str, int],
) -> None:
    for number, role in enumerate(["admin", "operator", "reviewer", "auditor", "client", None]):
        search = other(collection_id=client.collection.id, purpose=str(number))
        case = with_faces(client, client.desk.open(found(), search, authorisation_hours=24))
        answer = client.call(
            method, "/v1/cases" + path.replace("CASE", str(case.id)), role, json=body
        )
        expected = 401 if role is None else allowed.get(role, 403)
        assert (role, answer.status_code) == (role, expected)
        if expected != 200:
            assert set(answer.json()) == {"title", "status", "detail"}
            assert answer.headers["content-type"] == "application/problem+json"


def test_consent_is_recorded_and_shown(client: Client) -> None:
    case = open_case(client, authorisation_hours=24)
    body = {"authority": "District court", "number": "12 X"}
    answer = client.call("POST", f"/v1/cases/{case.id}/authorisation", "admin", json=body)
    assert answer.json()["authorised_at"] is not None
    shown = client.call("GET", f"/v1/cases/{case.id}", "reviewer").json()["authorisation"]
    assert (shown["authority"], shown["number"], shown["principal_id"]) == (
        "District court",
        "12 X",
        "key:ada",
    )


def test_case_that_has_ended_is_not_found(client: Client) -> None:
    case = open_case(client, authorisation_hours=24)
    client.desk.pass_hours(24)
    assert client.call("GET", f"/v1/cases/{case.id}", "reviewer").status_code == 404
    assert client.call("GET", "/v1/cases", "reviewer").json() == {"cases": []}
    assert client.call("GET", f"/v1/cases/{uuid4()}", "reviewer").status_code == 404


def test_picture_that_was_not_kept_is_not_found(client: Client) -> None:
    case = open_case(client, crop_jpeg=None)
    answer = client.call("GET", f"/v1/cases/{case.id}/probe", "reviewer")
    assert answer.status_code == 404
    assert "is kept" in answer.json()["detail"]


def test_who_keeps_a_watch_learns_whom_people_confirmed_and_nothing_before(
    client: Client,
) -> None:
    body = watch(client)
    assert client.call("POST", "/v1/watches", "operator", "keeper", json=body).status_code == 201
    arrival = Arrival(uuid4(), None, client.templates()[0])
    calibration = Calibration(MODEL, COHORT, (-1.0, 0.0, 0.9), (1.0, 0.1, 1e-5), 10**6, "seeds")
    now = client.desk.now
    (case,) = client.database.write(
        lambda c: open_watch_cases(
            c,
            client.keyring,
            client.collection.id,
            [arrival],
            calibration,
            at_least=90.0,
            owed_of=lambda watch, similarity: Owed(watch.reviews, watch.separately),
            use_id=uuid4(),
            now=now,
            expires_at=now + timedelta(30),
        )
    )
    path = f"/v1/cases/{with_faces(client, case).id}"
    assert client.call("GET", path, "operator", "keeper").json()["candidates"] == []
    assert client.call("POST", f"{path}/verdicts", "reviewer", "ada", json=SAME).status_code == 200
    (shown,) = client.call("GET", path, "operator", "keeper").json()["candidates"]
    assert (shown["reference_id"], shown["verdicts"]) == (str(arrival.reference_id), [])
    assert client.call("GET", f"{path}/probe", "operator", "keeper").status_code == 403
