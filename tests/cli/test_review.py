"""`likeness review` and `likeness watch`, through the real command, also beside an open gallery."""

import asyncio
import base64
import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import cv2
import httpx
import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import delete

from likeness.app.home import open_rows, user_here
from likeness.config import read_settings
from likeness.review import (
    Arrival,
    Case,
    Found,
    Owed,
    Search,
    keep_crops,
    open_case,
    open_watch_cases,
)
from likeness.review.tables import CROPS
from likeness.server import Gate, Metrics
from likeness.service.uses.record import Outcome
from likeness.terms import Action, Principal, Role, Use
from likeness.v1.acts import Acts
from likeness.v1.application import Application
from tests.v1.conftest import Keys, signed
from tests.vision.foremost import foremost_template

from .conftest import BLUE, GREEN, RED, InstallationWithDiscs
from .staff import Command, Make, employ, home
from .test_on_record import entries

T = TypeVar("T")
PROBE, REFERENCE = b"\xff\xd8 probe \xff\xd9", b"\xff\xd8 reference \xff\xd9"


def searched_case(
    principal_id: str = "key:somebody",
    *,
    empty: bool = False,
    purpose: str = "missing-persons",
    probe: bytes = PROBE,
    statement: bytes | None = None,
    **owed: Any,
) -> tuple[Case, Found]:
    """Open a case of `staff` that found one reference, or nobody, with both faces kept."""
    found = Found(uuid4(), None, 99.1)
    now = datetime.now(UTC)
    with open_rows(InstallationWithDiscs(read_settings())) as rows:
        staff = rows.collections.collection("staff")
        search = Search(principal_id, staff.id, "SearchFacesByImage", purpose, (), b"p")
        crops_jpeg = {uuid4(): b"another", found.id: REFERENCE}
        rows.database.write(lambda c: keep_crops(c, rows.keyring, staff.id, crops_jpeg))
        case = rows.database.write(
            lambda c: open_case(
                c,
                rows.keyring,
                search,
                Owed(**{"reviews": 1, **owed}),
                [] if empty else [found],
                use_id=uuid4(),
                crop_jpeg=probe,
                now=now,
                expires_at=now + timedelta(30),
                statement=statement,
            )
        )
    return case, found


def answer(likeness: Command, *arguments: object) -> Any:
    outcome = likeness(*arguments, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def test_case_is_listed_shown_and_decided_while_a_gallery_is_open(
    likeness: Command, tmp_path: Path
) -> None:
    likeness("collections", "create", "staff")
    case, found = searched_case()
    with home():
        listed = likeness("review", "list")
        assert listed.out.startswith(f"{case.id}  ")
        assert "yours to decide" in listed.out
        shown = likeness("review", "show", case.id, "--pictures", tmp_path)
        assert f"reference {found.reference_id}, similarity 99.10\n" in shown.out
        assert (tmp_path / f"{case.id}-probe.jpg").read_bytes() == PROBE
        face = tmp_path / f"{case.id}-candidate-1.jpg"
        assert (face.read_bytes(), face.stat().st_mode & 0o777) == (REFERENCE, 0o600)
        decided = likeness(
            "review", "decide", case.id, "--verdict", "same", "--reason", "the same ears"
        )
        assert (decided.code, decided.err) == (0, "")
        assert "confirmed" in decided.out
        assert "the same ears" in decided.out
    (one,) = answer(likeness, "review", "list")["cases"]
    assert (one["id"], one["decided"], one["yours"]) == (str(case.id), True, False)


def test_faces_of_exploited_children_are_written_blurred_unless_asked_for_and_it_is_on_record(
    likeness: Command, tmp_path: Path
) -> None:
    likeness("collections", "create", "staff")
    sharp = cv2.imencode(".jpg", np.eye(96, dtype=np.uint8) * 255)[1].tobytes()
    case, _ = searched_case(purpose="exploited-children", probe=sharp)
    written = tmp_path / f"{case.id}-probe.jpg"
    with open_rows(InstallationWithDiscs(read_settings())) as rows:  # of the reference, too
        rows.database.write(lambda c: c.execute(delete(CROPS)))
    show = ("review", "show", case.id, "--pictures", tmp_path)
    assert likeness(*show).code == 0
    assert written.read_bytes() != sharp
    assert likeness(*show, "--unblurred").code == 0
    assert written.read_bytes() == sharp
    said = [one.get("details", {}).get("unblurred") for one in entries()]
    assert [one for one in said if one] == ["no", "yes"]


def test_second_verdict_is_refused(likeness: Command) -> None:
    likeness("collections", "create", "staff")
    case, _ = searched_case(reviews=2)
    verdict = ("review", "decide", case.id, "--verdict", "cannot-tell", "--reason", "blurred")
    assert answer(likeness, *verdict)["candidates"][0]["standing"] == "open"
    outcome = likeness(*verdict)
    assert (outcome.code, outcome.out) == (2, "")
    assert "You have given your verdict" in outcome.err


@pytest.mark.slow
def test_a_case_says_of_whom_no_picture_is_kept(likeness: Command) -> None:
    likeness("collections", "create", "staff")
    case, _ = searched_case()
    shown = answer(likeness, "review", "show", case.id)
    assert (shown["probe_picture"], shown["candidates"][0]["picture"]) == (True, True)
    with open_rows(InstallationWithDiscs(read_settings())) as rows:
        rows.database.write(lambda c: c.execute(delete(CROPS)))
    shown = answer(likeness, "review", "show", case.id)
    assert (shown["probe_picture"], shown["candidates"][0]["picture"]) == (True, False)
    assert "no picture kept" in likeness("review", "show", case.id).out


def test_nobody_reviews_their_own_search(likeness: Command) -> None:
    likeness("collections", "create", "staff")
    case, found = searched_case(f"local:{user_here()}")
    shown = likeness("review", "show", case.id).out
    assert str(found.reference_id) not in shown
    assert "--role reviewer" in shown
    outcome = likeness("review", "decide", case.id, "--verdict", "same", "--reason", "it is her")
    assert (outcome.code, outcome.out) == (1, "")
    assert "your own use" in outcome.err


def test_a_case_that_found_nobody_says_so_to_those_who_might_decide_it(likeness: Command) -> None:
    likeness("collections", "create", "staff")
    case, _ = searched_case(empty=True)
    ends = f"{case.expires_at:%Y-%m-%d %H:%M} UTC"
    assert likeness("review", "list").out.endswith(f": found nobody, ends {ends}\n")
    shown = likeness("review", "show", case.id).out
    assert "there is nobody to decide about" in shown
    assert "another person decides" not in shown
    decided = likeness("review", "decide", case.id, "--verdict=same", "--reason=the ears")
    assert (decided.code, decided.out) == (2, "")
    assert f"found nobody to decide about. It ends {ends}" in decided.err


def test_who_searched_is_not_told_that_nobody_was_found(likeness: Command) -> None:
    likeness("collections", "create", "staff")

    def said(empty: bool) -> list[str]:
        case, _ = searched_case(f"local:{user_here()}", empty=empty)
        verdict = ("decide", case.id, "--verdict=same", "--reason=it is her")
        outcomes = [
            likeness("review", *arguments)
            for arguments in (("list",), ("show", case.id), ("show", case.id, "--json"), verdict)
        ]
        (listed,) = [line for line in outcomes[0].out.splitlines() if str(case.id) in line]
        texts = [listed, *(one.out + one.err for one in outcomes[1:])]
        # Ids and times are those of the case and tell nothing.
        return [
            re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|20\d\d-[0-9T:. -]+\d", "?", one) for one in texts
        ]

    assert said(empty=True) == said(empty=False)


def test_authorisation_is_recorded(likeness: Command) -> None:
    likeness("collections", "create", "staff")
    case, _ = searched_case(authorisation_hours=24)
    assert "to be authorised by" in likeness("review", "list").out
    arguments = ("review", "authorise", case.id, "--authority", "Court", "--number", "12 X")
    assert likeness(*arguments).code == 0
    assert "authorised by Court, 12 X" in likeness("review", "show", case.id).out
    assert likeness(*arguments).code == 2


def test_who_consents_to_a_live_search_is_told_what_was_stated_of_it(likeness: Command) -> None:
    likeness("collections", "create", "staff")
    stated = {
        "place": "the station, hall 1",
        "authority": "District court",
        "criteria": None,
        "ends_at": "2127-05-01T18:00:00Z",
    }
    case, _ = searched_case(
        empty=True, reviews=0, authorisation_hours=24, statement=json.dumps(stated).encode()
    )
    assert "to be authorised by" in likeness("review", "list").out
    shown = likeness("review", "show", case.id).out
    assert f"a live search as a whole, begun by {case.principal_id}; it shows nobody" in shown
    assert "  place: the station, hall 1\n  authority: District court\n" in shown
    assert "  criteria: not stated\n  until: 2127-05-01 18:00 UTC\n" in shown
    assert "verdict" not in shown
    assert answer(likeness, "review", "show", case.id)["live_search"] == stated
    authorise = ("review", "authorise", case.id, "--authority", "District court", "--number", "12")
    assert likeness(*authorise).code == 0
    assert "authorised by District court, 12" in likeness("review", "show", case.id).out


def test_nobody_authorises_their_own_search(likeness: Command) -> None:
    likeness("collections", "create", "staff")
    case, _ = searched_case(f"local:{user_here()}", authorisation_hours=24)
    outcome = likeness("review", "authorise", case.id, "--authority", "Court", "--number", "12 X")
    assert (outcome.code, outcome.out) == (1, "")
    assert "keys create NAME --role admin" in outcome.err
    assert "to be authorised by" in likeness("review", "list").out


def test_sweep_deletes_what_was_never_authorised_and_says_so(likeness: Command) -> None:
    likeness("collections", "create", "staff")
    assert answer(likeness, "review", "sweep") == {
        "cases": [],
        "unauthorised": [],
        "watches": [],
        "live_searches": 0,
    }
    case, _ = searched_case(authorisation_hours=0)
    outcome = likeness("review", "sweep")
    assert f"Case {case.id} was never authorised" in outcome.out
    assert likeness("review", "list").out == "There is no case.\n"


@pytest.mark.parametrize("verb", ["show", "decide", "authorise"])
def test_case_that_is_none_is_one_line(likeness: Command, verb: str) -> None:
    options = {
        "show": [],
        "decide": ["--verdict", "same", "--reason", "r"],
        "authorise": ["--authority", "A", "--number", "1"],
    }
    outcome = likeness("review", verb, uuid4(), *options[verb])
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)


def add_watch(picture: Path, **changed: str) -> list[object]:
    expires = (datetime.now(UTC) + timedelta(30)).strftime("%Y-%m-%d")
    options = {
        "collection": "staff",
        "purpose": "missing-persons",
        "authority": "Court 7",
        "criteria": "missing since May",
        "expires": expires,
        "webhook": "https://hooks.example/x",
        **changed,
    }
    return ["watch", "add", picture, *(f"--{name}={value}" for name, value in options.items())]


def test_watch_is_added_listed_and_ended(
    likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_CROPS", "on")
    employ(likeness, picture)
    with home():
        added = likeness(*add_watch(picture("wanted.png", RED)))
        assert (added.code, added.err) == (0, "")
        assert "whsec_" in added.out
        assert " 00:00 UTC." in added.out
        listed = likeness("watch", "list")
        assert "  in staff until 20" in listed.out
        assert " 00:00 UTC, for " in listed.out
        assert "on the authority of Court 7: missing since May" in listed.out
        assert "whsec_" not in listed.out
        watch_id = listed.out.split()[0]
        assert likeness("watch", "end", watch_id).out == f"{watch_id} watches no more.\n"
        assert likeness("watch", "end", watch_id).code == 2
    assert likeness("watch", "list").out == "There is no watch.\n"


def test_watch_finds_who_is_enrolled_later(
    likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_CROPS", "on")
    likeness("collections", "create", "staff")
    watch = answer(likeness, *add_watch(picture("wanted.png", RED, side=200)))
    with home() as opened:
        staff = opened.gallery.collection("staff")
        finder = opened.load_finder(None)
        arrivals = [
            Arrival(uuid4(), None, foremost_template(finder, picture(f"{n}.png", colour)))
            for n, colour in enumerate((GREEN, RED))
        ]
        now = datetime.now(UTC)
        opened_cases = opened.database.write(
            lambda c: open_watch_cases(
                c,
                opened.keyring,
                staff.id,
                arrivals,
                opened.calibration_of(staff),
                at_least=80.0,
                owed_of=lambda watch, similarity: Owed(watch.reviews, watch.separately),
                use_id=uuid4(),
                now=now,
                expires_at=now + timedelta(30),
            )
        )
    (case,) = answer(likeness, "review", "list")["cases"]
    assert (case["id"], case["watch_id"]) == (str(opened_cases[0].id), watch["id"])


BAD = [
    ({"expires": "2020-01-01"}, "not within 366 days"),
    ({"criteria": ""}, "criteria"),
    ({"purpose": "Jane Doe"}, "No such purpose"),
    ({"webhook": "ftp://hooks.example"}, "http:// or https://"),
    ({"webhook": "http://10.0.0.1/x"}, "LIKENESS_WEBHOOK_NETWORKS"),
    ({"collection": "nobody"}, "No such collection"),
]


@pytest.mark.parametrize(("changed", "message"), BAD)
def test_bad_watch_is_one_line(
    likeness: Command,
    picture: Make,
    monkeypatch: pytest.MonkeyPatch,
    changed: dict[str, str],
    message: str,
) -> None:
    monkeypatch.setenv("LIKENESS_CROPS", "on")
    likeness("collections", "create", "staff")
    outcome = likeness(*add_watch(picture("wanted.png", RED), **changed))
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert message in outcome.err


def test_watch_where_nobody_measured_what_scores_mean_is_refused(
    likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIKENESS_CROPS", "on")
    likeness("collections", "create", "staff")
    cohorts = [path for path in InstallationWithDiscs.shipped.iterdir() if "cohort" in path.name]
    for path in cohorts:
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(InstallationWithDiscs, "shipped", tmp_path)
    outcome = likeness(*add_watch(picture("wanted.png", RED)))
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "calibration" in outcome.err


def test_watch_ends_though_watching_is_forbidden(
    likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_CROPS", "on")
    likeness("collections", "create", "staff")
    added = json.loads(likeness(*add_watch(picture("wanted.png", RED)), "--json").out)
    assert likeness("policy", "suspend", "--all", "--reason", "a stop").code == 0
    assert likeness(*add_watch(picture("other.png", BLUE))).code != 0
    assert likeness("watch", "end", added["id"]).code == 0
    assert added["id"] not in likeness("watch", "list").out


def test_watch_of_several_faces_is_refused(
    likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_CROPS", "on")
    likeness("collections", "create", "staff")
    outcome = likeness(*add_watch(picture("wanted.png", RED, BLUE)))
    assert outcome.code == 2
    assert "2 faces: a watch is for one person" in outcome.err


def test_server_gives_receipts_and_watches_for_faces(
    likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_CROPS", "on")
    likeness("collections", "create", "staff")
    body = {
        "collection": "staff",
        "image": base64.b64encode(picture("wanted.png", RED).read_bytes()).decode(),
        "purpose": "missing-persons",
        "authority": "Court",
        "criteria": "missing since May",
        "expires_at": (datetime.now(UTC) + timedelta(30)).isoformat(),
    }

    async def call(method: str, path: str, **sent: Any) -> httpx.Response:
        v1 = Application(Acts(opened, gate.pictures, lambda: True), gate)
        transport = httpx.ASGITransport(v1)
        async with httpx.AsyncClient(transport=transport, base_url="http://v1") as client:
            return await client.send(signed(client.build_request(method, path, **sent), "operator"))

    with home() as opened, Gate(Keys(), Metrics(CollectorRegistry())) as gate:
        added = asyncio.run(call("POST", "/v1/watches", json=body))
        assert added.status_code == 201, added.text
        with opened.desk.record(
            Use(Principal("local:somebody", Role.ADMIN), Action.READ, "Try")
        ) as record:
            record.answered(Outcome())
        receipt = asyncio.run(call("GET", f"/v1/receipts/{record.receipt}"))
        assert receipt.status_code == 200
        assert receipt.json()
        assert asyncio.run(call("GET", "/v1/receipts/nothing")).status_code == 400
    assert added.json()["id"] in likeness("watch", "list").out


def test_watch_is_refused_while_no_pictures_are_kept(likeness: Command, picture: Make) -> None:
    likeness("collections", "create", "staff")
    outcome = likeness(*add_watch(picture("wanted.png", RED)))
    assert outcome.code == 2
    assert "LIKENESS_CROPS=on" in outcome.err
