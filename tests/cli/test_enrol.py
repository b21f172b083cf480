"""`likeness enrol`, through the real command."""

import csv
import json
import os
import signal
import unicodedata
from _thread import interrupt_main
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from likeness.app.home import open_home
from likeness.config import read_settings
from likeness.gallery import Size
from likeness.vision.decode import Sample
from tests.service.people import BLUE, GREEN, RED, close, colour, draw, make, with_bystander

from .conftest import InstallationWithDiscs, Outcome
from .staff import begin_ledger

Command = Callable[..., Outcome]


@pytest.fixture
def enrol(likeness: Command) -> Iterator[Command]:
    """`likeness enrol` into the collection `staff`, which is empty."""
    with open_home(InstallationWithDiscs(read_settings())) as home:
        begin_ledger(home)
        make(home)
    yield lambda *arguments: likeness("enrol", "--collection", "staff", *arguments)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A folder of people: three that can be enrolled, two pictures that cannot."""
    folder = tmp_path / "people"
    draw(folder / "Rosa" / "1.png", RED)
    draw(folder / "Rosa" / "nobody.png")
    draw(folder / "Rosa" / "several.png", RED, BLUE)
    draw(folder / "Greta.png", GREEN)
    draw(folder / "[bold]Ilse.png", BLUE)
    return folder


def size() -> Size:
    with open_home(InstallationWithDiscs(read_settings())) as home:
        return home.gallery.collection("staff").size


def rows(report: Path) -> list[dict[str, str]]:
    with report.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_is_enrolled_and_every_picture_reported(enrol: Command, people: Path) -> None:
    outcome = enrol(people)
    report = people.parent / "people.enrol-report.csv"
    assert (outcome.code, outcome.err) == (2, "")
    assert "5 pictures in" in outcome.out
    assert "3 enrolled, 0 already, 2 rejected (" in outcome.out
    assert f"{report} says which" in outcome.out
    assert size() == Size(3, 3)
    told = {Path(row["path"]).name: row for row in rows(report)}
    columns = ["path", "outcome", "reason", "subject", "reference_id", "remarks"]
    assert list(told["Greta.png"]) == columns
    assert told["Greta.png"]["outcome"] == "enrolled" and told["Greta.png"]["reference_id"]
    assert told["nobody.png"]["outcome"] == "rejected"
    assert "No face found" in told["nobody.png"]["reason"]
    assert "2 faces, and the largest" in told["several.png"]["reason"]


@pytest.mark.slow
def test_what_would_let_rejected_pictures_be_enrolled_is_said(enrol: Command, people: Path) -> None:
    draw(people / "Hilda.png", GREEN, grain=0.0)
    out = enrol(people).out.splitlines()
    assert "1 SeveralFaces: `--foremost` takes the largest face of each" in out
    assert "1 QualityTooLow: `--any-quality` takes them as they are" in out
    helped = enrol(people, "--foremost", "--any-quality")
    assert helped.code == 2  # of the picture without a face
    assert "2 enrolled, 3 already, 1 rejected (1 NoFace)" in helped.out
    assert "takes" not in helped.out


def test_who_has_a_bystander_is_enrolled_and_the_report_remarks_it(
    enrol: Command, tmp_path: Path
) -> None:
    with_bystander(tmp_path / "people" / "Rosa.png", 12)
    outcome = enrol(tmp_path / "people")
    assert outcome.code == 0
    assert "1 picture with remarks: see the report" in outcome.out
    (row,) = rows(tmp_path / "people.enrol-report.csv")
    assert (row["outcome"], row["remarks"]) == ("enrolled", "largest of 2 faces")
    alone = with_bystander(tmp_path / "again.png", 11)
    said = enrol(alone, "--subject", "Rosa")
    assert said.out.endswith("\n  largest of 2 faces\n")


def test_a_folder_that_cannot_be_listed_or_named_is_a_row_and_the_others_go_on(
    enrol: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = tmp_path / "people"
    draw(people / "Rosa" / "1.png", RED)
    draw(people / "shut" / "1.png", BLUE)
    draw(people / "Gre\nta" / "1.png", GREEN)
    close(people / "shut", monkeypatch)
    outcome = enrol(people)
    assert (outcome.code, outcome.err) == (2, "")
    told = {row["path"]: row for row in rows(tmp_path / "people.enrol-report.csv")}
    assert told[str(people / "Rosa" / "1.png")]["outcome"] == "enrolled"
    assert "(Permission denied)" in told[str(people / "shut")]["reason"]
    unnamed = told[str(people / "Gre\nta" / "1.png")]
    assert (unnamed["subject"], unnamed["outcome"]) == ("(cannot be kept)", "rejected")
    assert "control character" in unnamed["reason"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "Ben O'Neil",
        'the "boss"',
        "名前",
        "U\u0308nal",
        " spaces ",
        "n" * 245,
        "名" * 80,
        "-x",
        "🙂",
    ],
)
def test_people_and_folders_may_have_any_name(enrol: Command, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    draw(folder / f"{name}.png", RED)
    outcome = enrol("--", folder)
    assert (outcome.code, outcome.err) == (0, "")
    (report,) = tmp_path.glob("*.enrol-report.csv")
    (row,) = rows(report)
    assert row["subject"].lstrip("'") == unicodedata.normalize("NFC", name)
    assert enrol(folder / f"{name}.png", "--subject", name).code == 0


def test_a_name_that_is_too_long_is_a_refusal(enrol: Command, tmp_path: Path) -> None:
    picture = draw(tmp_path / "red.png", RED)
    for arguments in (
        [picture, "--subject", "x" * 256],
        [tmp_path / ("x" * 300), "--subject", "Rosa"],
        [tmp_path / ("x" * 300)],
        [picture, "--subject", "Rosa", "--report", tmp_path / ("x" * 300)],
    ):
        outcome = enrol(*arguments)
        assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
        assert "unforeseen" not in outcome.err


def test_two_spellings_of_a_name_are_one_subject_at_every_door(
    enrol: Command, likeness: Command, tmp_path: Path
) -> None:
    composed, decomposed = "\u00dcnal", "U\u0308nal"
    draw(tmp_path / "people" / composed / "1.png", RED)
    draw(tmp_path / "people" / decomposed / "2.png", colour(3))
    assert enrol(tmp_path / "people").code == 0
    assert enrol(draw(tmp_path / "3.png", colour(5)), "--subject", decomposed).code == 0
    picture = draw(tmp_path / f"{decomposed}.png", colour(7))
    (tmp_path / "list.csv").write_text(f"path,subject\n{composed}.png,{decomposed}\n")
    assert enrol(tmp_path / "list.csv").code == 0, picture
    assert size() == Size(1, 4)
    listed = likeness("collections", "references", "staff", "--subject", decomposed, "--json")
    assert len(json.loads(listed.out)["references"]) == 4
    assert likeness("erase", "--collection", "staff", decomposed, "--yes").code == 0
    assert size() == Size(0, 0)


def test_the_same_command_again_finds_everything_enrolled_already(
    enrol: Command, people: Path
) -> None:
    enrol(people)
    again = json.loads(enrol(people, "--json").out)
    assert (again["enrolled"], again["already"], again["rejected"]) == (0, 3, 2)
    assert size() == Size(3, 3)


def test_a_report_holds_no_formula(
    enrol: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "=1+1").mkdir()
    (tmp_path / "=1+1" / "@SUM(A1).png").write_bytes(b"no picture")
    (tmp_path / "=1+1" / "-2+3.png").write_bytes(b"no picture")
    enrol("=1+1")
    for row in rows(tmp_path / "=1+1.enrol-report.csv"):
        assert row["path"].startswith("'=1+1/")
        assert row["subject"][:2] in ("'@", "'-")


def test_one_picture_needs_a_name_and_has_no_report(enrol: Command, tmp_path: Path) -> None:
    red = draw(tmp_path / "red.png", RED)
    outcome = enrol(red, "--subject", "Rosa", "--json")
    answer = json.loads(outcome.out)
    assert (outcome.code, outcome.err, answer["outcome"]) == (0, "", "enrolled")
    again = enrol(red, "--subject", "Rosa")
    assert (again.code, again.err) == (0, "")
    assert again.out == f"{red}: enrolled already as {answer['reference_id']}\n"
    assert not list(tmp_path.glob("*.csv"))


@pytest.mark.parametrize(
    ("colours", "grain", "code", "option"),
    [
        ([RED], 0.0, 1, "--any-quality"),
        ([RED, BLUE], 25.0, 2, "--foremost"),
    ],
    ids=["quality", "faces"],
)
def test_what_one_picture_lacks_is_one_line_and_may_be_overlooked(
    enrol: Command,
    tmp_path: Path,
    colours: list[tuple[int, int, int]],
    grain: float,
    code: int,
    option: str,
) -> None:
    picture = draw(tmp_path / "a.png", *colours, grain=grain)
    outcome = enrol(picture, "--subject", "Rosa")
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (code, "", 1)
    assert enrol(picture, "--subject", "Rosa", option).code == 0


def test_a_manifest_with_a_bad_row_enrols_nobody(enrol: Command, tmp_path: Path) -> None:
    draw(tmp_path / "red.png", RED)
    manifest = tmp_path / "people.csv"
    manifest.write_text("path,subject\nred.png,Rosa\n../red.png,Greta\n")
    outcome = enrol(manifest)
    assert (outcome.code, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    assert "line 3" in line
    assert size() == Size(0, 0)
    assert list(tmp_path.glob("*.csv")) == [manifest]


def test_a_picture_that_a_manifest_names_in_vain_is_a_row(enrol: Command, tmp_path: Path) -> None:
    draw(tmp_path / "pictures" / "red.png", RED)
    manifest = tmp_path / "people.csv"
    manifest.write_text("path,subject\ngone.png,Greta\nred.png,Rosa\n")
    report = tmp_path / "report.csv"
    outcome = enrol(manifest, "--root", tmp_path / "pictures", "--report", report)
    assert outcome.code == 2
    gone, there = rows(report)
    assert (gone["outcome"], there["outcome"]) == ("rejected", "enrolled")
    assert "does not exist" in gone["reason"]


@pytest.mark.slow
def test_ctrl_c_closes_the_report_and_says_how_to_go_on(
    enrol: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "people"
    for number in range(90):
        draw(folder / f"{number:02}.png", colour(number))
    decode, decoded = Sample.decode, []
    handler = signal.getsignal(signal.SIGINT)

    def interrupted(self: Sample, longer_side: int | None = None) -> object:
        decoded.append(self)
        if len(decoded) == 20:
            interrupt_main()  # as Ctrl-C does, and without a signal to whoever runs the tests
        return decode(self, longer_side)

    monkeypatch.setattr(Sample, "decode", interrupted)
    outcome = enrol(folder)
    assert outcome.code == 130
    (how_to_go_on,) = outcome.err.splitlines()
    done = size().references
    assert 20 <= done < 90
    assert f"{done} of 90 pictures are done. Run the same command" in how_to_go_on
    told = rows(tmp_path / "people.enrol-report.csv")
    assert [row["outcome"] for row in told] == ["enrolled"] * done
    assert signal.getsignal(signal.SIGINT) is handler
    again = json.loads(enrol(folder, "--json").out)
    assert (again["already"], again["enrolled"]) == (done, 90 - done)


def test_a_report_never_lies_among_the_pictures(
    enrol: Command, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = enrol(people, "--report", people / "report.csv")
    assert (inside.code, len(inside.err.splitlines())) == (2, 1)
    monkeypatch.chdir(people)
    assert enrol(".").code == 2
    assert (people.parent / "people.enrol-report.csv").exists()
    assert not list(people.rglob("*.csv"))


def test_a_report_that_cannot_be_written_is_said_before_anybody_is_enrolled(
    enrol: Command, people: Path, tmp_path: Path
) -> None:
    for place in ("/dev/full", tmp_path / "nowhere" / "report.csv", tmp_path):
        outcome = enrol(people, "--report", place)
        assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert size() == Size(0, 0)


def test_what_cannot_be_written_is_said_before_networks_are_loaded(
    enrol: Command, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, *_: object) -> None:
        raise AssertionError("loaded")

    monkeypatch.setattr(InstallationWithDiscs, "face_network", fail)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != people.parent)

    outcome = enrol(people)

    assert (outcome.code, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    said = f"Make '{people.parent}' writable, or name another place. `--report` names another."
    assert line.endswith(said)


def test_several_faces_say_which_option_takes_one(enrol: Command, tmp_path: Path) -> None:
    outcome = enrol(draw(tmp_path / "two.png", RED, BLUE), "--subject", "Rosa")
    assert "(--foremost)" in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["enrol", "people"],
        ["enrol", "--collection", "staff", "nowhere"],
        ["enrol", "--collection", "nowhere", "people"],
        ["enrol", "--collection", "staff", "people/Greta.png"],
        ["enrol", "--collection", "staff", "people", "--subject", "Rosa"],
        ["enrol", "--collection", "staff", "people", "--root", "."],
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_one_line(
    enrol: Command,
    likeness: Command,
    people: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    monkeypatch.chdir(people.parent)
    outcome = likeness(*arguments)
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert not list(people.parent.glob("*.csv"))
