"""`-` in a picture's place, and what is said of how a picture was converted."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from likeness.app.home import open_home
from likeness.config import read_settings
from tests.service.people import draw, make

from .conftest import GREEN, RED, InstallationWithDiscs, Outcome
from .staff import begin_ledger

Command = Callable[..., Outcome]
Make = Callable[..., Path]
Send = Callable[[bytes], None]
SIXTEEN_BITS = "its samples of more than 8 bits were reduced to 8"


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch) -> Send:
    """Put bytes on standard input."""

    def put(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return put


@pytest.fixture
def enrol(likeness: Command) -> Iterator[Command]:
    with open_home(InstallationWithDiscs(read_settings())) as home:
        begin_ledger(home)
        make(home)
    yield lambda *arguments: likeness("enrol", "--collection", "staff", *arguments)


def sixteen_bits(path: Path) -> Path:
    """The same picture in grey of 16 bits, a disc that no network here sees."""
    grey = np.asarray(PIL.Image.open(path).convert("L")).astype(np.uint16) * 257
    wide = path.with_suffix(".tif")
    PIL.Image.fromarray(grey).save(wide)
    return wide


def test_detect_takes_a_picture_from_a_pipe(likeness: Command, picture: Make, send: Send) -> None:
    send(picture("a.png", RED, GREEN).read_bytes())
    outcome = likeness("detect", "-")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("-: 2 faces in 320x160 pixels")


def test_the_annotated_copy_of_standard_input_has_a_name_that_no_option_has(
    likeness: Command, picture: Make, send: Send, tmp_path: Path
) -> None:
    other, out = picture("a.png", RED), tmp_path / "out"
    out.mkdir()
    send(other.read_bytes())
    assert likeness("detect", "-", other, "--annotate", out).code == 0
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "standard-input.jpg"]


@pytest.mark.parametrize("command", [["detect", ""], ["compare", "", "x.png"]])
def test_an_empty_path_is_refused(likeness: Command, command: list[str]) -> None:
    outcome = likeness(*command)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "The path of a picture is empty" in outcome.err


def test_either_picture_of_a_comparison_may_come_from_a_pipe(
    likeness: Command, picture: Make, send: Send
) -> None:
    red, green = picture("red.png", RED), picture("green.png", GREEN)
    for arguments, code in (([red, "-"], 0), (["-", red], 0), (["-", green], 1)):
        send(red.read_bytes())
        assert likeness("compare", *arguments).code == code


def test_identify_takes_a_picture_from_a_pipe(
    likeness: Command, picture: Make, send: Send, tmp_path: Path
) -> None:
    picture("people/Rosa.png", RED)
    send(picture("red.png", RED).read_bytes())
    outcome = likeness("identify", "--gallery", tmp_path / "people", "-", "--json")
    assert json.loads(outcome.out)["pictures"][0]["faces"][0]["match"] == "Rosa"


def test_one_person_is_enrolled_from_a_pipe(enrol: Command, send: Send, tmp_path: Path) -> None:
    draw(tmp_path / "red.png", RED)
    send((tmp_path / "red.png").read_bytes())
    outcome = enrol("-", "--subject", "Rosa")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("-: enrolled as ")
    nobody = enrol("-")
    assert nobody.code == 2
    assert "Standard input is one picture" in nobody.err and "--subject NAME" in nobody.err


@pytest.mark.parametrize(
    ("command", "extra"), [("detect", []), ("compare", []), ("identify", ["--gallery", "x"])]
)
def test_standard_input_is_read_once(command: str, extra: list[str], likeness: Command) -> None:
    outcome = likeness(command, "-", "-", *extra)
    assert outcome.code == 2
    assert "Standard input holds one picture" in outcome.err
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "Empty"), (b"Dear all,\n", "a text file"), (bytes(3000), "Too large: the file has")],
)
def test_what_is_no_picture_on_standard_input_is_one_line(
    data: bytes, said: str, likeness: Command, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_MAX_BYTES", "2000")
    send(data)
    outcome = likeness("detect", "-")
    assert outcome.code == 2
    (line,) = outcome.err.splitlines()
    assert line.startswith("likeness: '-' (standard input): ") and said in line


def test_no_picture_is_waited_for_where_there_is_no_input(
    likeness: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    outcome = likeness("detect", "-")
    assert outcome.code == 2 and "no picture comes from a terminal" in outcome.err


def test_a_file_of_that_name_is_named_with_its_folder(
    likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    picture("a.png", RED).rename(tmp_path / "-")
    monkeypatch.chdir(tmp_path)
    outcome = likeness("detect", "./-")
    assert (outcome.code, outcome.err) == (0, "")
    assert "1 face in" in outcome.out


def test_what_is_lost_or_guessed_is_said(likeness: Command, picture: Make, tmp_path: Path) -> None:
    red = picture("red.png", RED)
    clear = tmp_path / "clear.png"
    PIL.Image.open(red).convert("RGBA").save(clear)
    wide = sixteen_bits(picture("other.png", RED))
    assert f"\n      {SIXTEEN_BITS}\n" in likeness("detect", wide).out
    found = json.loads(likeness("detect", wide, red, "--json").out)["pictures"]
    assert [each["remarks"] for each in found] == [[SIXTEEN_BITS], []]
    compared = likeness("compare", clear, red)
    assert f"{clear}\n  its transparent parts were laid over white\n{red}\n" in compared.out
    document = json.loads(likeness("compare", red, clear, "--json").out)
    assert document["reference_remarks"] == []
    assert document["probe_remarks"] == ["its transparent parts were laid over white"]
    picture("people/Rosa.png", RED)
    named = likeness("identify", "--gallery", tmp_path / "people", clear)
    assert "\n      its transparent parts were laid over white\n" in named.out


def test_the_report_of_an_enrolment_says_so_too(enrol: Command, tmp_path: Path) -> None:
    folder = tmp_path / "people"
    draw(folder / "Rosa.png", RED)
    PIL.Image.open(folder / "Rosa.png").convert("RGBA").save(folder / "Rosa.png")
    draw(folder / "Nobody.png")
    sixteen_bits(folder / "Nobody.png")
    enrol(folder)
    with (tmp_path / "people.enrol-report.csv").open(newline="") as file:
        told = {Path(row["path"]).name: row["remarks"] for row in csv.DictReader(file)}
    assert told == {
        "Rosa.png": "its transparent parts were laid over white",
        "Nobody.png": "",
        "Nobody.tif": SIXTEEN_BITS,
    }
