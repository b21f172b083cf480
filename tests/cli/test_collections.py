"""`likeness collections`, and searching one by `likeness identify`, through the real command."""

import json
import os
import pty
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from likeness.app.installation import MissingPart
from likeness.gallery.tables import COLLECTIONS, REFERENCES
from tests.gallery.galleries import create

from .conftest import BLUE, RED, InstallationWithDiscs
from .staff import Command, Make, begin_ledger, employ, enrol_unnamed, home, make_home


@pytest.fixture
def staff(likeness: Command, picture: Make) -> None:
    employ(likeness, picture)


def answer(command: Command, *arguments: object) -> Any:
    return json.loads(command(*arguments, "--json").out)


# Collections


def test_a_collection_is_made_for_the_model_and_cohort_of_the_settings(likeness: Command) -> None:
    assert likeness("collections", "create", "staff", "--retention-days", 30).code == 0
    with home() as opened:
        model = opened.templates_of(None).model
        cohort = opened.standards.cohort(model)
    shown = answer(likeness, "collections", "show", "staff")
    assert (shown["model"], shown["cohort"]) == (model, cohort.version)
    assert (shown["dimensions"], shown["retention_days"]) == (128, 30)
    assert (shown["subjects"], shown["references"], shown["hindrance"]) == (0, 0, None)


@pytest.mark.usefixtures("staff")
def test_a_collection_is_listed_and_shown_with_what_a_match_needs(likeness: Command) -> None:
    listed = likeness("collections", "list")
    assert (listed.code, listed.err) == (0, "")
    assert listed.out == "staff  dlib-resnet-v1  2 subjects, 3 references, kept for good\n"
    shown = answer(likeness, "collections", "show", "staff")
    assert shown["calibrated_on"] == "discs"
    assert shown["operating_point"]["threshold"] == pytest.approx(-0.35)
    assert shown["operating_point"]["expected_false_candidates"] == pytest.approx(0.003)
    words = likeness("collections", "show", "staff").out
    assert "A match needs score -0.350, which 1 in 1,000 strangers reach" in words
    assert shown["model"] in words


def test_a_home_without_a_collection_says_how_to_make_one(likeness: Command) -> None:
    make_home()
    assert "likeness collections create NAME" in likeness("collections", "list").out
    assert answer(likeness, "collections", "list") == {"collections": []}


def test_a_collections_name_reaches_the_terminal_without_escapes(likeness: Command) -> None:
    likeness("collections", "create", "[bold]a\u202eb")
    for arguments in (["list"], ["show", "[bold]a\u202eb"]):
        outcome = likeness("collections", *arguments)
        assert "[bold]a\\u202eb" in outcome.out
        assert "\u202e" not in outcome.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["create", "staff"], "exists. Choose another"),
        (["create", "a\nb"], "control character"),
        (["create", ""], "0 characters, not 1 to 255"),
        (["create", "new", "--retention-days", "0"], "Not a number of days"),
        (["show", "nowhere"], "`likeness collections list` shows what there is"),
        (["show", "\udcff"], "control character"),
        (["delete", "nowhere", "--yes"], "`likeness collections list` shows what there is"),
        (["delete", "staff"], "Give --yes if you are sure"),
        (["delete", "staff", "--yes", "--certificate", "no/such/folder.json"], "Make it"),
        (["verify", "nowhere.json"], "does not exist"),
        (["retention", "staff", "soon"], "'soon' is no number of days"),
        (["retention", "staff", "0"], "Give 1 to 36500"),
        (["retention", "nowhere", "9"], "`likeness collections list` shows what there is"),
        (["subjects", "nowhere"], "`likeness collections list` shows what there is"),
        (["references", "staff", "--subject", "rosa"], "Check the spelling"),
        (["subjects", "staff", "--limit", "1001"], "--limit '1001' is not at most 1000"),
        (["references", "staff", "--limit", "0"], "--limit '0' is not at least 1"),
    ],
    ids=lambda value: (
        " ".join(value).encode("unicode_escape").decode() if isinstance(value, list) else None
    ),
)
@pytest.mark.usefixtures("staff")
def test_a_wrong_use_is_one_line_and_changes_nothing(
    likeness: Command, arguments: list[str], says: str
) -> None:
    outcome = likeness("collections", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    assert says in line
    assert "2 subjects, 3 references" in likeness("collections", "list").out


@pytest.mark.usefixtures("staff")
def test_retention_is_chosen_and_a_sweep_goes_by_it(likeness: Command) -> None:
    outcome = likeness("collections", "retention", "staff", "30")
    assert (outcome.code, outcome.err) == (0, "")
    assert "kept for 30 days" in outcome.out
    assert answer(likeness, "collections", "show", "staff")["retention_days"] == 30
    assert answer(likeness, "collections", "sweep")["references"] == 0
    with home() as opened:
        long_ago = datetime(2020, 1, 1, tzinfo=UTC)
        past = update(REFERENCES).values(created_at=long_ago)
        opened.database.write(lambda c: c.execute(past))
    assert answer(likeness, "collections", "retention", "staff", "never")["retention_days"] is None
    assert answer(likeness, "collections", "sweep")["references"] == 0
    likeness("collections", "retention", "staff", "30")
    assert answer(likeness, "collections", "sweep")["references"] == 3


@pytest.mark.usefixtures("staff")
def test_subjects_are_listed_with_their_references(likeness: Command, picture: Make) -> None:
    enrol_unnamed(picture("a.png", BLUE))
    listed = answer(likeness, "collections", "subjects", "staff")
    assert (listed["total"], listed["after"]) == (2, None)
    assert {one["name"]: one["references"] for one in listed["subjects"]} == {
        "Rosa": 2,
        "[bold]Greta": 1,
    }
    words = likeness("collections", "subjects", "staff")
    assert (words.code, words.err) == (0, "")
    assert f"{listed['subjects'][0]['id']}  " in words.out
    assert words.out.endswith("2 of 2 subjects.\n")


@pytest.mark.usefixtures("staff")
def test_references_are_listed_and_those_of_one_subject(likeness: Command, picture: Make) -> None:
    unnamed = enrol_unnamed(picture("a.png", BLUE))
    listed = answer(likeness, "collections", "references", "staff")
    assert (listed["total"], listed["after"]) == (4, None)
    assert listed["references"][-1]["id"] == str(unnamed)
    assert sorted(str(one["subject"]) for one in listed["references"]) == [
        "None",
        "Rosa",
        "Rosa",
        "[bold]Greta",
    ]
    hers = answer(likeness, "collections", "references", "staff", "--subject", "Rosa")
    assert (hers["total"], len(hers["references"])) == (2, 2)
    words = likeness("collections", "references", "staff").out
    assert "(nobody named it)" in words
    assert words.endswith("4 of 4 references.\n")


@pytest.mark.parametrize("what", ["subjects", "references"])
@pytest.mark.usefixtures("staff")
def test_a_list_goes_on_where_its_page_ends(likeness: Command, what: str) -> None:
    every = [one["id"] for one in answer(likeness, "collections", what, "staff")[what]]
    seen, after = [], 0
    while after is not None:
        page = answer(likeness, "collections", what, "staff", "--limit", 1, "--after", after)
        assert len(page[what]) == 1
        seen += [one["id"] for one in page[what]]
        after = page["after"]
    assert seen == every
    first = likeness("collections", what, "staff", "--limit", 1).out
    assert f"1 of {len(every)} {what}. The next: --after " in first


@pytest.mark.slow
@pytest.mark.usefixtures("staff")
def test_a_deleted_collection_is_certified(likeness: Command, tmp_path: Path) -> None:
    written = tmp_path / "certificate.json"
    outcome = likeness("collections", "delete", "staff", "--yes", "--certificate", written)
    assert (outcome.code, outcome.err) == (0, "")
    assert "a collection of 2 subjects and 3 references" in outcome.out
    assert "the collection's key destroyed" in outcome.out
    assert "out of reach: backups" in outcome.out
    assert "staff" not in written.read_text()
    assert likeness("collections", "verify", written).code == 0
    assert answer(likeness, "collections", "list") == {"collections": []}


@pytest.mark.parametrize(("said", "code", "left"), [("n\n", 1, 1), ("y\n", 0, 0)])
@pytest.mark.usefixtures("staff")
def test_at_a_terminal_it_is_asked_first(
    likeness: Command, monkeypatch: pytest.MonkeyPatch, said: str, code: int, left: int
) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, said.encode())
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        outcome = likeness("collections", "delete", "staff", "--json")
    os.close(ours)
    assert outcome.code == code
    assert "Erase staff (2 subjects, 3 references, kept for good)? This cannot be" in outcome.err
    assert ("error" in json.loads(outcome.out)) is (code == 1)
    assert len(answer(likeness, "collections", "list")["collections"]) == left


@pytest.mark.usefixtures("staff")
def test_a_sweep_erases_what_is_due_and_says_what(likeness: Command, picture: Make) -> None:
    assert likeness("collections", "sweep").out == "Erased: 0 subjects and 0 references.\n"
    enrol_unnamed(picture("a.png", BLUE), expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    outcome = likeness("collections", "sweep")
    assert (outcome.code, outcome.err) == (0, "")
    first, second = outcome.out.splitlines()
    assert first == "Erased: 0 subjects and 1 reference."
    assert second.endswith(": 0 subjects and 1 reference")
    enrol_unnamed(picture("a.png", BLUE), expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    swept = answer(likeness, "collections", "sweep")
    assert (swept["subjects"], swept["references"]) == (0, 1)
    assert swept["erasures"][0]["certificate"]["erased"]["references"] == 1
    assert "2 subjects, 3 references" in likeness("collections", "list").out


@pytest.mark.usefixtures("staff")
def test_a_collection_that_does_not_open_keeps_no_other_from_being_swept(
    likeness: Command, picture: Make
) -> None:
    likeness("collections", "create", "archive")
    bea = picture("bea.png", BLUE)
    enrolled = likeness("enrol", "--collection", "archive", "--any-quality", bea, "--subject", "B")
    assert enrolled.code == 0
    for name in ("archive", "staff"):
        likeness("collections", "retention", name, "30")
    past = update(REFERENCES).values(created_at=datetime(2020, 1, 1, tzinfo=UTC))
    broken = update(COLLECTIONS).where(COLLECTIONS.c.name == "archive").values(sealed_key=b"broken")
    with home() as opened:
        opened.database.write(lambda c: (c.execute(past), c.execute(broken)))
    outcome = likeness("collections", "sweep")
    assert (outcome.code, outcome.out) == (3, "")
    listed = answer(likeness, "collections", "list")["collections"]
    sizes = {one["name"]: one["references"] for one in listed}
    assert sizes == {"archive": 1, "staff": 0}


# Certificates


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"version": 1}', b'{"certificate": 7}', b"\xff"],
    ids=lambda content: repr(content[:20]),
)
def test_what_is_no_certificate_is_one_line(
    likeness: Command, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "certificate.json"
    path.write_bytes(content)
    outcome = likeness("collections", "verify", path)
    assert (outcome.code, outcome.out) == (2, "")
    assert "as it was issued" in outcome.err
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.usefixtures("staff")
def test_a_certificate_that_was_altered_does_not_hold(likeness: Command, tmp_path: Path) -> None:
    printed = likeness("erase", "--collection", "staff", "Rosa", "--yes", "--json").out
    path = tmp_path / "certificate.json"
    path.write_text(printed)
    assert likeness("collections", "verify", path).code == 0
    path.write_text(printed.replace('"references": 2', '"references": 1'))
    outcome = likeness("collections", "verify", path)
    assert outcome.code == 1
    assert "never issued" in outcome.out
    assert answer(likeness, "collections", "verify", path)["issued"] is False


# Searching


@pytest.mark.parametrize("by", ["best", "reference", "subject"])
@pytest.mark.usefixtures("staff")
def test_every_face_is_named_from_a_collection_or_nobody(
    likeness: Command, picture: Make, by: str
) -> None:
    group = picture("group.png", RED, BLUE)
    outcome = likeness("identify", "--collection", "staff", "--by", by, group)
    assert (outcome.code, outcome.err) == (0, "")
    assert f"Collection staff: 2 subjects with 3 references, compared by {by}." in outcome.out
    assert "Rosa, similarity" in outcome.out
    assert "no match" in outcome.out
    said = answer(likeness, "identify", "--collection", "staff", "--by", by, group)
    point = said["collection"]["operating_point"]
    assert point["expected_false_candidates"] == pytest.approx(3 * point["fmr"])
    red, blue = said["pictures"][0]["faces"]
    assert sorted([red["match"], blue["match"]], key=str) == [None, "Rosa"]
    names = [one["subject"] for one in red["candidates"]]
    assert len(names) == (3 if by == "reference" else 2)


@pytest.mark.usefixtures("staff")
def test_a_folder_and_a_collection_of_the_same_pictures_answer_alike(
    likeness: Command, picture: Make, tmp_path: Path
) -> None:
    probe = picture("probe.png", RED, BLUE)
    of_folder = answer(likeness, "identify", "--gallery", tmp_path / "people", probe)
    of_collection = answer(likeness, "identify", "--collection", "staff", probe)
    assert of_folder["gallery"]["operating_point"] == of_collection["collection"]["operating_point"]
    for ours, theirs in zip(
        of_folder["pictures"][0]["faces"], of_collection["pictures"][0]["faces"], strict=True
    ):
        assert ours["match"] == theirs["match"]
        for one, other in zip(ours["candidates"], theirs["candidates"], strict=True):
            assert one["subject"] == other["subject"]
            assert one["score"] == pytest.approx(other["score"], abs=1e-3)


@pytest.mark.usefixtures("staff")
def test_a_reference_that_nobody_named_is_shown_by_its_id(likeness: Command, picture: Make) -> None:
    reference_id = enrol_unnamed(picture("unnamed.png", BLUE))
    outcome = likeness("identify", "--collection", "staff", picture("probe.png", BLUE))
    assert outcome.code == 0
    assert f"1  {reference_id}, similarity" in outcome.out
    said = answer(likeness, "identify", "--collection", "staff", picture("probe.png", BLUE))
    (face,) = said["pictures"][0]["faces"]
    assert face["match"] == str(reference_id)
    assert face["candidates"][0]["subject"] is None


def test_nobody_is_found_in_an_empty_collection(likeness: Command, picture: Make) -> None:
    likeness("collections", "create", "staff")
    outcome = likeness("identify", "--collection", "staff", picture("probe.png", RED))
    assert (outcome.code, outcome.err) == (1, "")
    assert "no match" in outcome.out


@pytest.mark.usefixtures("staff")
def test_a_collection_of_an_unknown_model_is_told_of_before_anything_is_loaded(
    likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, *_: object) -> None:
        raise AssertionError("loaded")

    probe = picture("probe.png", RED)
    with home() as opened:
        create(opened.gallery, "odd", model="net@1+eyes@1", dimensions=128, cohort_version="a")
    monkeypatch.setattr(InstallationWithDiscs, "face_network", fail)
    outcome = likeness("identify", "--collection", "odd", probe)
    assert (outcome.code, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    assert "Collection 'odd' is of a model that is not known here, net@1+eyes@1" in line
    assert "`likeness collections re-embed odd --to dlib-resnet-v1`" in line
    assert "not known here" in answer(likeness, "collections", "show", "odd")["hindrance"]
    doctor = likeness("doctor").out
    assert "to mend it: likeness collections re-embed odd --to dlib-resnet-v1" in doctor
    assert "collection staff: of dlib-resnet-v1, which is here" in doctor


def test_what_a_collections_model_lacks_is_shown_with_the_command_that_gets_it(
    likeness: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    likeness("collections", "create", "staff")
    pull = "likeness models pull dlib-resnet-v1"
    missing = MissingPart("the weights of dlib-resnet-v1 are not here", pull)
    monkeypatch.setattr(InstallationWithDiscs, "missing_parts", {"dlib-resnet-v1": missing})

    doctor = likeness("doctor").out

    assert "collection staff: of dlib-resnet-v1: the weights of dlib-resnet-v1 are not" in doctor
    assert f"to mend it: {pull}" in doctor
    assert f"`{pull}`" in answer(likeness, "collections", "show", "staff")["hindrance"]


def test_chips_are_for_folders_alone(likeness: Command, picture: Make) -> None:
    likeness("collections", "create", "staff")
    probe = picture("probe.png", RED)
    outcome = likeness("identify", "--collection", "staff", probe, "--chips", "one")
    assert (outcome.code, "a collection keeps its model" in outcome.err) == (2, True)


def test_a_collection_whose_cohort_is_gone_takes_that_of_its_model_when_it_is_searched(
    likeness: Command, picture: Make
) -> None:
    with home() as opened:
        begin_ledger(opened)
        model = opened.templates_of(None).model
        create(opened.gallery, "old", model=model, dimensions=128, cohort_version="rd1-lost")
        version = opened.standards.cohort(model).version
    shown = answer(likeness, "collections", "show", "old")
    assert (shown["cohort"], shown["calibrated_on"]) == ("rd1-lost", None)
    assert shown["operating_point"] is None

    outcome = likeness("identify", "--collection", "old", picture("probe.png", RED))

    assert (outcome.code, outcome.err) == (1, "")
    assert answer(likeness, "collections", "show", "old")["cohort"] == version
