"""Every command that opens a home is admitted by rules and leaves the entries it should."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, select

from likeness.ledger.tables import ENTRIES, SUBJECT_KEYS
from likeness.review import Verdict, give_verdict
from likeness.review.tables import CANDIDATES, CASES, CROPS, OUTBOX, WATCHES

from .conftest import BLUE, RED
from .disc_clips import clip_of
from .staff import Command, Make, employ, enable_rules, home

READ, ERASE, ARRANGE, ENROL = "read", "erase", "arrange", "enrol"
WORDS = "correct horse battery"

DONE: list[tuple[list[str], list[tuple[str, str, str]]]] = [
    (["collections", "create", "guests"], [("done", ARRANGE, "collections create")]),
    (["collections", "list"], [("done", READ, "collections list")]),
    (["collections", "show", "staff"], [("done", READ, "collections show")]),
    (["collections", "subjects", "staff"], [("done", READ, "collections subjects")]),
    (["collections", "references", "staff"], [("done", READ, "collections references")]),
    (["collections", "retention", "staff", "30"], [("done", ARRANGE, "collections retention")]),
    (
        ["subjects", "rename", "Rosa", "Bruno", "--collection", "staff"],
        [("done", ARRANGE, "subjects rename")],
    ),
    (
        ["subjects", "merge", "Rosa", "[bold]Greta", "--collection", "staff"],
        [("done", ARRANGE, "subjects merge")],
    ),
    (
        ["subjects", "undo", "Rosa", "--collection", "staff"],
        [("failed", ARRANGE, "subjects undo")],
    ),
    (["collections", "certificates"], [("done", "audit", "collections certificates")]),
    (
        ["subjects", "check", "--collection", "staff"],
        [("intent", "search", "subjects check"), ("done", "search", "subjects check")],
    ),
    (["subject-report", "Rosa"], [("done", "audit", "subject-report")]),
    (["collections", "sweep"], []),
    (
        ["collections", "delete", "staff", "--yes"],
        [("intent", ERASE, "collections delete"), ("done", ERASE, "collections delete")],
    ),
    (
        ["erase", "--collection", "staff", "Rosa", "--yes"],
        [("intent", ERASE, "erase"), ("done", ERASE, "erase")],
    ),
    (
        ["erase", "--collection", "staff", "Rosa"],
        [("intent", ERASE, "erase"), ("failed", ERASE, "erase")],
    ),
    (
        ["erase", "--collection", "visitors", "Rosa", "--yes"],
        [("failed", READ, "erase")],
    ),
    (
        ["export", "--collection", "staff", "--out", "staff.export", "--in-the-clear"],
        [("done", READ, "export")],
    ),
    (
        ["identify", "--collection", "staff", "probe.png"],
        [("intent", "search", "identify"), ("done", "search", "identify")],
    ),
    (["identify", "--gallery", "people", "probe.png"], []),
    (
        ["identify", "--collection", "staff", "clip.mp4"],
        [  # a job that is begun, its work, and its results that are read
            ("intent", "search", "identify"),
            ("done", "search", "identify"),
            ("intent", "search", "RunFaceSearch"),
            ("done", "search", "RunFaceSearch"),
            ("intent", "search", "identify"),
            ("done", "search", "identify"),
        ],
    ),
    (["identify", "--gallery", "people", "clip.mp4"], []),
    (["detect", "clip.mp4"], []),
    (
        ["enrol", "--collection", "staff", "--subject", "Bruno", "--any-quality", "bruno.png"],
        [("intent", ENROL, "enrol"), ("done", ENROL, "enrol")],
    ),
    (
        ["collections", "cohort", "staff"],
        [("intent", ENROL, "collections cohort"), ("done", ENROL, "collections cohort")],
    ),
    (
        ["collections", "re-embed", "staff"],
        [("intent", ENROL, "collections re-embed"), ("failed", ENROL, "collections re-embed")],
    ),
    (["secrets", "list"], [("done", READ, "secrets list")]),
    (
        ["secrets", "rotate"],
        [("done", "govern", "secrets rotate"), ("done", "govern", "secrets rotate")],
    ),
    (["jobs", "list"], [("done", READ, "ListJobs")]),
    (["report", "list"], [("done", READ, "report list")]),
    (["config", "show"], []),
]
# What the stop switch stops: erasing, governing and auditing go on.
STOPPED = [
    arguments
    for arguments, entries in DONE
    if entries and entries[0][1] not in (ERASE, "govern", "audit")
]


@pytest.fixture
def staff(
    likeness: Command, picture: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """The command, beside pictures, with a home in which Rosa and Greta are enrolled."""
    employ(likeness, picture)
    picture("probe.png", RED)
    picture("bruno.png", BLUE)
    monkeypatch.chdir(tmp_path)
    return likeness


def rows(table: Table) -> list[Any]:
    with home() as opened:
        return opened.database.read(lambda connection: list(connection.execute(select(table))))


def entries() -> list[dict[str, Any]]:
    written = sorted(rows(ENTRIES), key=lambda row: row.position)
    return [one for one in (json.loads(row.entry) for row in written) if one["kind"] != "key"]


def held() -> tuple[object, ...]:
    with home() as opened:
        every = opened.gallery.collections()
        return every, [opened.gallery.collection(one.name).size for one in every]


@pytest.mark.parametrize(("arguments", "expected"), DONE, ids=lambda one: " ".join(map(str, one)))
def test_a_command_leaves_the_entries_it_should(
    staff: Command, tmp_path: Path, arguments: list[str], expected: list[tuple[str, str, str]]
) -> None:
    if "clip.mp4" in arguments:
        clip_of(tmp_path / "clip.mp4", [(RED, 0, 2, 100)], 2.0)
    before = len(entries())
    staff(*arguments)
    left = entries()[before:]
    assert [(one["kind"], one["action"], one["operation"]) for one in left] == expected
    assert all(one["principal"]["id"].startswith("local:") for one in left)
    text = json.dumps(left)
    assert not any(word in text for word in ("Rosa", "Bruno", "Greta", "staff", "guests"))


@pytest.mark.slow
@pytest.mark.parametrize("arguments", STOPPED, ids=" ".join)
def test_a_command_that_is_stopped_does_nothing(
    staff: Command, tmp_path: Path, arguments: list[str]
) -> None:
    if "clip.mp4" in arguments:
        clip_of(tmp_path / "clip.mp4", [(RED, 0, 2, 100)], 2.0)
    assert staff("policy", "suspend", "--all", "--reason", "an audit").code == 0
    before, known = held(), len(entries())
    outcome = staff(*arguments)
    assert outcome.code == 1
    assert not any(name in outcome.out for name in ("Rosa", "Greta"))
    assert "is refused by stop-switch" in outcome.err.splitlines()[-1]
    assert held() == before
    assert not Path("staff.export").exists()
    assert [one["kind"] for one in entries()[known:]] == ["refused"]


def test_of_a_search_that_is_refused_nothing_is_said_of_the_collection(
    staff: Command, picture: Make
) -> None:
    probe = picture("probe.png", RED)
    assert "A match needs" in staff("identify", "--collection", "staff", probe).out
    assert staff("policy", "suspend", "--all", "--reason", "an audit").code == 0
    outcome = staff("identify", "--collection", "staff", probe)
    assert (outcome.code, outcome.out) == (1, "")
    (line,) = outcome.err.splitlines()
    assert "is refused by stop-switch" in line


def test_an_import_is_on_record_with_what_it_made(staff: Command) -> None:
    staff("export", "--collection", "staff", "--out", "staff.export", "--in-the-clear")
    before = len(entries())
    assert staff("import", "staff.export", "--collection", "copy").code in (0, 2)
    left = entries()[before:]
    assert {one["operation"] for one in left} == {"import"}
    assert left[0]["kind"] == "intent"


def test_an_export_says_what_left_the_home(staff: Command) -> None:
    staff("export", "--collection", "staff", "--out", "staff.export", "--in-the-clear")
    assert entries()[-1]["details"] == {
        "exported": "templates, names and ids of everybody",
        "subjects": "2",
        "references": "3",
        "sealed": "no",
    }


def test_each_batch_that_is_enrolled_is_a_use_of_its_own(
    staff: Command, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.service.enrol.enrol._BATCH", 2)
    for number in range(4):
        folder = picture(f"more/person {number}.png", (40 * number, 200, 250 - 60 * number)).parent
    before = len(entries())
    assert staff("enrol", "--collection", "staff", "--any-quality", folder).code == 0
    left = entries()[before:]
    assert [one["kind"] for one in left] == ["intent", "done"] * 2
    assert len({one["use"] for one in left}) == 2
    assert [len(one["references"]) for one in left if one["kind"] == "done"] == [2, 2]


def enrolled_under_watch(likeness: Command, picture: Make) -> None:
    """Watch for Rosa, and enrol her once more."""
    watched = likeness(
        *("watch", "add", "probe.png", "--collection", "staff", "--purpose", "missing-persons"),
        *("--authority", "Court 7", "--criteria", "missing since May", "--expires", "2026-12-31"),
        *("--webhook", "https://hooks.example/likeness", "--json"),
    )
    assert (watched.code, watched.err) == (0, "")
    again = picture("again.png", RED, side=180)
    arguments = ("--collection", "staff", "--subject", "Rosa", "--any-quality", again)
    assert likeness("enrol", *arguments).code == 0


@pytest.fixture
def crops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_CROPS", "on")


def test_whoever_is_enrolled_and_watched_for_opens_a_case(
    crops: None, staff: Command, picture: Make
) -> None:
    enrolled_under_watch(staff, picture)
    (case,) = rows(CASES)
    assert str(case.use_id) == entries()[-1]["use"]
    assert len(rows(OUTBOX)) == 1
    assert len(rows(CROPS)) == 4
    (listed,) = json.loads(staff("review", "list", "--json").out)["cases"]
    assert listed["id"] == str(case.id)


def test_nobody_is_kept_for_review_while_crops_are_off(staff: Command) -> None:
    assert rows(CROPS) == rows(CASES) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["identify", "--collection", "staff", "probe.png"],
        ["identify", "--collection", "staff", "clip.mp4"],
        ["enrol", "--collection", "staff", "--subject", "Bruno", "--any-quality", "bruno.png"],
    ],
    ids=" ".join,
)
def test_the_source_of_pictures_is_stated_to_rules_and_the_ledger(
    staff: Command, tmp_path: Path, arguments: list[str]
) -> None:
    if "clip.mp4" in arguments:
        clip_of(tmp_path / "clip.mp4", [(RED, 0, 2, 100)], 2.0)
    before = len(entries())
    outcome = staff(*arguments, "--footage", "body-camera")
    assert outcome.code in (0, 1), outcome.err
    left = entries()[before:]
    assert left
    assert {one.get("footage") for one in left} == {"body-camera"}


def test_erasing_somebody_leaves_the_ledger_valid_and_nothing_that_tells_of_them(
    crops: None, staff: Command, picture: Make
) -> None:
    enrolled_under_watch(staff, picture)
    assert staff("identify", "--collection", "staff", "probe.png").code == 0
    listed = json.loads(staff("collections", "references", "staff", "--json").out)["references"]
    theirs = {UUID(one["id"]) for one in listed if one["subject"] == "Rosa"}
    known = json.loads(staff("collections", "subjects", "staff", "--json").out)["subjects"]
    theirs |= {UUID(one["id"]) for one in known if one["name"] == "Rosa"}
    assert len(theirs) == 4
    assert theirs <= {row.id for row in rows(SUBJECT_KEYS)}

    assert staff("erase", "--collection", "staff", "Rosa", "--yes").code == 0

    assert not theirs & {row.id for row in rows(SUBJECT_KEYS)}
    assert not theirs & {row.reference_id for row in rows(CROPS)}
    assert rows(CANDIDATES) == []
    assert len(rows(CROPS)) == 1  # Greta's
    assert staff("ledger", "verify").code == 0


RULES = """
@id("alike")
@source("the house")
@effective("2020-01-01")
@obligation("similarity")
@amount("99.0")
forbid(principal, action == Action::"watch", resource)
unless { context.similarity.greaterThanOrEqual(decimal("99.0")) };
"""
REVIEWED = """
@id("looked-at")
@source("the house")
@effective("2020-01-01")
@obligation("review")
@amount("1")
forbid(principal, action == Action::"search", resource)
unless { context.reviews >= 1 };
"""


@pytest.fixture
def enable(staff: Command, tmp_path: Path) -> Callable[[str], None]:
    """Put rules of one's own in force."""

    return lambda rules: enable_rules(staff, tmp_path, rules)


def test_a_watch_keeps_the_similarity_that_rules_demand(
    crops: None, staff: Command, picture: Make, enable: Callable[[str], None]
) -> None:
    enable(RULES)
    enrolled_under_watch(staff, picture)
    (watch,) = rows(WATCHES)
    assert watch.least_similarity == 99.0


def test_a_search_that_people_have_to_look_at_names_nobody_and_says_which_case(
    crops: None, staff: Command, enable: Callable[[str], None]
) -> None:
    enable(REVIEWED)
    outcome = staff("identify", "--collection", "staff", "probe.png")
    (case,) = rows(CASES)
    assert outcome.code == 1
    assert "Rosa" not in outcome.out
    assert "\n   1  withheld\n" in outcome.out
    assert "no match" not in outcome.out
    assert f"withheld until people have decided case {case.id}" in outcome.err
    assert entries()[-1]["kind"] == "withheld"
    again = json.loads(staff("identify", "--collection", "staff", "probe.png", "--json").out)
    assert again["pictures"][0]["cases"] == [str(case.id)]
    assert again["pictures"][0]["withheld"] is True


def decide(case_id: UUID, number: int, verdict: Verdict) -> None:
    with home() as opened:
        opened.database.write(
            lambda one: give_verdict(
                one,
                opened.keyring,
                case_id,
                number=number,
                reviewer_id="key:reviewer",
                verdict=verdict,
                reason="the ears",
                now=datetime.now(UTC),
            )
        )


def test_a_search_that_people_have_decided_says_so_and_is_withheld_no_more(
    crops: None, staff: Command, enable: Callable[[str], None]
) -> None:
    enable(REVIEWED)
    staff("identify", "--collection", "staff", "probe.png")
    (case,) = rows(CASES)
    for one in rows(CANDIDATES):
        decide(case.id, one.number, Verdict.SAME if one.rank == 1 else Verdict.NOT_SAME)
    outcome = staff("identify", "--collection", "staff", "probe.png")
    assert (outcome.code, outcome.err) == (0, "")
    assert "1  Rosa, similarity" in outcome.out
    assert f"answered as people decided case {case.id}" in outcome.out
