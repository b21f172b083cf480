"""`likeness subject-report`, through the real command: who searched for somebody, and why."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from likeness import library
from likeness.gallery.tables import COLLECTIONS
from likeness.ledger.tables import ENTRIES

from .conftest import BLUE, GREEN, RED
from .staff import Command, Make, employ, enable_rules, enrol_unnamed, home
from .test_on_record import entries
from .test_review import answer


@pytest.fixture
def searched(likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Rosa and Greta in `staff`, each searched for once."""
    monkeypatch.setenv("LIKENESS_CONTACT", "privacy@example.org")
    employ(likeness, picture)
    for name, colour in (("rosa", RED), ("greta", GREEN)):
        probe = picture(f"probe-{name}.png", colour, side=140)
        assert likeness("identify", "--collection", "staff", probe).code == 0
    return likeness


def only(document: Any) -> Any:
    (report,) = document["reports"]
    return report


def test_a_report_has_what_is_held_and_the_uses_that_named_somebody(searched: Command) -> None:
    document = answer(searched, "subject-report", "Rosa")
    report = only(document)
    assert (report["collection"], report["subject"]) == ("staff", "Rosa")
    assert len(report["references"]) == 2
    # Greta's face was searched for later, and Rosa was listed as less alike.
    *_, named = returned = [one for one in report["uses"] if one["returned"]]
    assert len(returned) == 2
    assert (named["operation"], named["purpose"]) == ("identify", "undeclared")
    assert named["principal"].startswith("local:")
    assert searched("ledger", "show", named["receipt"]).code == 0
    assert {one["operation"] for one in report["uses"]} == {"identify", "enrol"}
    assert (document["contact"], document["entries"] > 3) == ("privacy@example.org", True)
    said = searched("subject-report", "Rosa", "--collection", "staff").out
    assert "2 uses gave them as a candidate:" in said
    assert "Ask privacy@example.org." in said
    again = only(answer(searched, "subject-report", "Rosa"))["uses"]
    assert [one["operation"] for one in again[:2]] == ["subject-report", "subject-report"]
    assert "Rosa" not in json.dumps(entries())


def test_a_picture_finds_whom_it_shows_and_the_search_for_that_is_told_too(
    searched: Command, picture: Make
) -> None:
    unnamed = enrol_unnamed(picture("unnamed.png", BLUE))
    mine = picture("mine.png", RED, side=120)
    report = only(answer(searched, "subject-report", "--picture", mine))
    assert (report["subject"], report["similarity"] > 80) == ("Rosa", True)
    assert [one["operation"] for one in report["uses"] if one["returned"]] == [
        "subject-report",
        "identify",
        "identify",
    ]
    of_nobody = only(answer(searched, "subject-report", "--picture", picture("b.png", BLUE)))
    assert (of_nobody["subject"], of_nobody["references"][0]["id"]) == (None, str(unnamed))
    stranger = searched("subject-report", "--picture", picture("s.png", (230, 220, 20)))
    assert "Nothing is held of anybody as alike." in stranger.out


def test_what_may_not_be_searched_is_said(searched: Command, picture: Make, tmp_path: Path) -> None:
    enable_rules(
        searched,
        tmp_path,
        '@id("none") @source("a test") @effective("2020-01-01")'
        ' forbid(principal, action == Action::"search", resource);',
    )
    probe = picture("mine.png", RED)
    document = answer(searched, "subject-report", "--picture", probe)
    assert (document["reports"], document["unsearched"][0]["collection"]) == ([], "staff")
    assert "refused by none of house" in document["unsearched"][0]["reason"]
    assert searched("subject-report", "--picture", probe, "--collection", "staff").code == 1
    assert only(answer(searched, "subject-report", "Rosa"))["references"]


@pytest.mark.parametrize("named", [[], ["--collection", "staff"]])
def test_where_reports_are_forbidden_nobody_learns_who_is_there(
    searched: Command, tmp_path: Path, named: list[str]
) -> None:
    enable_rules(
        searched,
        tmp_path,
        '@id("none") @source("a test") @effective("2020-01-01")'
        ' forbid(principal, action == Action::"audit", resource is Collection);',
    )
    known, unknown = (searched("subject-report", who, *named, "--json") for who in ("Rosa", "No"))
    assert known.code == unknown.code
    assert known.out.replace("Rosa", "No") == unknown.out or known.code == 0
    assert "refused by none of house" in known.out + known.err
    assert json.loads(known.out).get("reports", []) == json.loads(unknown.out).get("reports", [])


def test_a_collection_that_cannot_be_opened_is_said_and_the_others_are_told(
    searched: Command, picture: Make
) -> None:
    assert searched("collections", "create", "other").code == 0
    broken = update(COLLECTIONS).where(COLLECTIONS.c.name == "other").values(sealed_key=b"broken")
    with home() as opened:
        opened.database.write(lambda c: c.execute(broken))
    for whom in (["Rosa"], ["--picture", picture("mine.png", RED)]):
        document = answer(searched, "subject-report", *whom)
        assert only(document)["subject"] == "Rosa"
        (left_out,) = document["unsearched"]
        assert (left_out["collection"], "KeyUnusable" in left_out["reason"]) == ("other", True)
        assert searched("subject-report", *whom, "--collection", "other").code == 3


def test_a_damaged_entry_is_counted_and_the_others_are_told(searched: Command) -> None:
    before = only(answer(searched, "subject-report", "Rosa"))["uses"]
    damaged = before[-1]["index"]
    with home() as opened:
        opened.database.write(
            lambda c: c.execute(
                update(ENTRIES)
                .where(ENTRIES.c.position == damaged)
                .values(entry=ENTRIES.c.entry.concat(b"}"))
            )
        )
    document = answer(searched, "subject-report", "Rosa")
    assert document["unreadable"] == 1
    assert damaged not in [one["index"] for one in only(document)["uses"]]
    assert "this may not be all" in searched("subject-report", "Rosa").out


def test_the_library_reports_too(searched: Command) -> None:
    with library.open_subjects("staff") as people:
        (report,) = people.report("Rosa").reports
    assert (report.subject, len(report.references)) == ("Rosa", 2)
    assert any(one.returned for one in report.uses)


def test_of_who_is_erased_nothing_can_be_said(searched: Command) -> None:
    assert searched("erase", "--collection", "staff", "Rosa", "--yes").code == 0
    outcome = searched("subject-report", "Rosa")
    assert (outcome.code, outcome.out) == (2, "")
    assert "No such subject" in outcome.err
    assert entries()[-1]["kind"] == "failed"


def test_a_wrong_use_is_one_line(likeness: Command) -> None:
    likeness("collections", "create", "staff")
    for arguments in (
        [],
        ["Rosa", "--picture", "x.png"],
        ["Rosa", "--collection", "nobody"],
        ["Nobody"],
    ):
        outcome = likeness("subject-report", *arguments)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
