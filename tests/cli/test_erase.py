"""`likeness erase`, through the real command."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from likeness.gallery import proofs
from likeness.gallery.tables import REFERENCES
from tests.gallery.galleries import enrol, names_as_they_came
from tests.service.people import person

from .conftest import BLUE, RED
from .staff import Command, Make, employ, enrol_unnamed, home
from .test_on_record import entries
from .test_review import add_watch, answer


@pytest.fixture
def erase(likeness: Command, picture: Make) -> Any:
    """`likeness erase` from the collection `staff`."""
    employ(likeness, picture)
    return lambda *arguments: likeness("erase", "--collection", "staff", *arguments)


def test_an_erased_subject_is_found_no_more_and_the_certificate_holds(
    likeness: Command, picture: Make, erase: Command, tmp_path: Path
) -> None:
    written = tmp_path / "certificate.json"
    outcome = erase("Rosa", "--yes", "--certificate", written)
    assert (outcome.code, outcome.err) == (0, "")
    assert "Erased: 1 subject and 2 references." in outcome.out
    assert "  out of reach: exports" in outcome.out
    assert f"{written} holds the certificate" in outcome.out
    assert "Rosa" not in written.read_text()
    assert likeness("collections", "verify", written).code == 0
    probe = picture("probe.png", RED)
    assert likeness("identify", "--collection", "staff", probe).code == 1
    assert "Rosa" not in likeness("identify", "--collection", "staff", probe, "--json").out


def test_a_name_that_an_older_likeness_kept_in_two_spellings_is_erased_in_both(
    erase: Command,
) -> None:
    with names_as_they_came(), home() as opened:
        enrol(
            opened.gallery,
            "staff",
            [person(opened, 1, "\u00dcnal"), person(opened, 2, "U\u0308nal")],
        )
    outcome = erase("U\u0308nal")
    assert outcome.code == 2
    assert ", 2 subjects by spelling alone, with 2 references" in outcome.err
    assert "Erased: 2 subjects and 2 references." in erase("\u00dcnal", "--yes").out
    assert "Check the spelling" in erase("U\u0308nal", "--yes").err


def test_a_certificate_that_is_not_there_and_a_folder_are_told_apart(
    likeness: Command, tmp_path: Path
) -> None:
    for path, came in ((tmp_path / "gone.json", "does not exist"), (tmp_path, "is no file")):
        outcome = likeness("collections", "verify", path)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
        assert f"'{path}' {came}. Name the file of a certificate" in outcome.err


def test_an_external_id_is_taken_where_a_name_is_and_shown(
    likeness: Command, picture: Make, erase: Command
) -> None:
    named_so = [(1, None, "badge 7"), (2, "Ada", "badge 7"), (3, None, "badge 8"), (4, None, "Ada")]
    with home() as opened:
        enrol(
            opened.gallery,
            "staff",
            [
                replace(person(opened, seed, subject), external_id=external_id)
                for seed, subject, external_id in named_so
            ],
        )
        older = REFERENCES.c.external_digest != b""
        opened.database.write(  # as an older Likeness wrote some
            lambda c: c.execute(
                update(REFERENCES)
                .where(older, REFERENCES.c.subject_number.is_(None))
                .values(external_digest=None)
            )
        )
    references = ["collections", "references", "staff"]
    assert "(nobody named it)  (external id badge 8)" in likeness(*references).out
    listed = answer(likeness, *references, "--subject", "badge 7")
    assert [(one["subject"], one["external_id"]) for one in listed["references"]] == [
        (None, "badge 7"),
        ("Ada", "badge 7"),
    ]
    paged = answer(likeness, *references, "--subject", "badge 7", "--limit", "1")
    rest = answer(likeness, *references, "--subject", "badge 7", "--after", str(paged["after"]))
    assert [*paged["references"], *rest["references"]] == listed["references"]
    assert (paged["total"], rest["after"]) == (2, None)
    asked = erase("badge 8")
    assert (asked.code, "badge 8, an external id, with 1 reference" in asked.err) == (2, True)
    assert "Erased: 0 subjects and 1 reference." in erase("badge 8", "--yes").out
    assert "Check the spelling" in erase("badge 8", "--yes").err
    assert "Erased: 1 subject and 2 references." in erase("Ada", "--yes").out  # nobody's Ada too
    assert "Erased: 0 subjects and 1 reference." in erase("badge 7", "--yes").out


def test_whom_only_a_client_named_is_shown_by_that(
    likeness: Command, picture: Make, erase: Command, tmp_path: Path
) -> None:
    manifest = tmp_path / "people.csv"
    picture("blue.png", BLUE)
    manifest.write_text("path,subject,external_id\nblue.png,Bea,badge 9\n")
    likeness("enrol", "--collection", "staff", "--any-quality", manifest)
    with home() as opened:
        opened.database.write(
            lambda c: proofs.assign(
                c,
                opened.gallery.seal(opened.gallery.collection("staff")),
                REFERENCES.c.external_digest != b"",
                None,
            )
        )
    shown = likeness("identify", "--collection", "staff", picture("b.png", BLUE, side=150))
    assert " (external id badge 9), similarity" in shown.out
    again = likeness("identify", "--collection", "staff", picture("b.png", BLUE), "--json")
    (face,) = json.loads(again.out)["pictures"][0]["faces"]
    assert [one["external_id"] for one in face["candidates"][:1]] == ["badge 9"]


def test_a_subject_stays_whose_reference_is_erased(
    likeness: Command, picture: Make, erase: Command
) -> None:
    probe = picture("probe.png", RED)
    arguments = ["identify", "--collection", "staff", "--by", "reference", probe, "--json"]
    (face,) = json.loads(likeness(*arguments).out)["pictures"][0]["faces"]
    first, second, _ = face["candidates"]
    document = json.loads(erase("--reference", first["reference"], "--yes", "--json").out)
    erased = document["certificate"]["erased"]
    assert (erased["subjects"], erased["references"]) == (0, 1)
    (face,) = json.loads(likeness(*arguments).out)["pictures"][0]["faces"]
    assert (face["match"], face["candidates"][0]["reference"]) == ("Rosa", second["reference"])


def test_certificates_are_listed_and_given_again_beside_an_open_home(
    likeness: Command, erase: Command, tmp_path: Path
) -> None:
    issued = json.loads(erase("Rosa", "--yes", "--json").out)
    assert likeness("collections", "delete", "staff", "--yes").code == 0
    with home():
        answer_ = answer(likeness, "collections", "certificates")
        deleted, rosa = answer_["certificates"]
        assert (deleted["whole_collection"], deleted["references"]) == (True, 1)
        assert (rosa["id"], rosa["digest"]) == (issued["certificate"]["id"], issued["digest"])
        assert (rosa["subjects"], rosa["references"], rosa["collection"]) == (1, 2, None)
        assert answer(likeness, "collections", "certificates", rosa["id"]) == issued
        page = answer(likeness, "collections", "certificates", "--limit", "1")
        assert page["after"] == deleted["id"]
        page = answer(likeness, "collections", "certificates", "--after", page["after"])
        assert [one["id"] for one in page["certificates"]] == [rosa["id"]]
        of = ["--collection", rosa["collection_id"]]
        assert len(answer(likeness, "collections", "certificates", *of)["certificates"]) == 2
        assert " of " in likeness("collections", "certificates").out
    written = tmp_path / "again.json"
    likeness("collections", "certificates", rosa["id"], "--certificate", written)
    assert likeness("collections", "verify", written).code == 0
    for wrong in (["00000000-0000-4000-8000-000000000000"], ["--certificate", written]):
        outcome = likeness("collections", "certificates", *wrong)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)


@pytest.fixture
def watched(
    likeness: Command, picture: Make, erase: Command, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, str]:
    """A watch for Rosa's face, and one for somebody else's, in `staff`."""
    monkeypatch.setenv("LIKENESS_CROPS", "on")
    wanted = [
        add_watch(picture(f"wanted-{name}.png", colour))
        for name, colour in (("rosa", RED), ("other", BLUE))
    ]
    return tuple(answer(likeness, *one)["id"] for one in wanted)  # type: ignore[return-value]


def watches(likeness: Command) -> list[str]:
    return [one["id"] for one in answer(likeness, "watch", "list")["watches"]]


def test_a_watch_for_the_person_ends_with_its_cases_and_others_go_on(
    likeness: Command, picture: Make, erase: Command, watched: tuple[str, str]
) -> None:
    of_rosa, other = watched
    likeness(
        *("enrol", "--collection", "staff", "--any-quality"),
        picture("more/Rosita/1.png", RED, side=150).parent.parent,
    )
    assert [one["watch_id"] for one in answer(likeness, "review", "list")["cases"]] == [of_rosa]
    erased = erase("Rosa", "--yes")
    assert f"  done: watch {of_rosa} for somebody as alike ended, with 1 cases of it" in erased.out
    assert other not in erased.out
    assert watches(likeness) == [other]
    assert answer(likeness, "review", "list")["cases"] == []
    (entry,) = (one for one in entries() if (one["kind"], one["operation"]) == ("done", "erase"))
    assert entry["details"] == {"watches_ended": "1"}


def test_a_watch_that_stays_is_named_with_its_end(
    likeness: Command, picture: Make, erase: Command, watched: tuple[str, str]
) -> None:
    of_rosa, _ = watched
    unnamed = enrol_unnamed(picture("unnamed.png", RED, side=140))
    for arguments in (["--reference", unnamed], ["Rosa", "--keep-watches"]):
        document = json.loads(erase(*arguments, "--yes", "--json").out)
        (left,) = (one for one in document["certificate"]["remainders"] if of_rosa in one["what"])
        ends = {
            one["id"]: one["expires_at"] for one in answer(likeness, "watch", "list")["watches"]
        }
        assert left["until"][:10] == ends[of_rosa][:10]
        assert "watch end" in left["why"]
    assert watches(likeness) == list(watched)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Give a SUBJECT, or --reference ID"),
        (
            ["Rosa", "--reference", "12345678-1234-4234-8234-123456781234"],
            "Give a SUBJECT, or --reference ID",
        ),
        (["rosa", "--yes"], "Check the spelling"),
        (["Rosa\x1b", "--yes"], "control character"),
        (["--reference", "12345678-1234-4234-8234-123456781234", "--yes"], "No such reference"),
        (["--reference", "first", "--yes"], "--reference"),
        (["Rosa"], "Give --yes if you are sure"),
        (["Rosa", "--yes", "--certificate", "/no/such/folder/x.json"], "Make it"),
    ],
    ids=lambda value: repr(value) if isinstance(value, list) else None,
)
def test_a_wrong_use_is_one_line_and_erases_nobody(
    erase: Command, arguments: list[str], says: str
) -> None:
    outcome = erase(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    assert says in line
    assert "\x1b" not in line
    with home() as opened:
        assert opened.gallery.collection("staff").size.references == 3
