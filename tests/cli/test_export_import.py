"""`likeness export` and `likeness import`, through the real commands."""

import csv
import json
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from likeness.app.installation import MissingPart
from likeness.cli import import_
from likeness.cli.terminal import prompts
from likeness.gallery import Size
from likeness.gallery.subjects import Subjects
from likeness.secrets import SEALED_MAGIC
from likeness.secrets import passphrase as sealing
from tests.gallery import erase
from tests.service import compreface
from tests.service.people import BLUE, GREEN, RED, draw

from .conftest import InstallationWithDiscs, Outcome
from .staff import Make, employ, home

Command = Callable[..., Outcome]
WORDS = "correct horse battery"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A passphrase costs nothing."""
    monkeypatch.setattr(sealing, "_SCRYPT_COST", 2)


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words"
    path.write_text(f"{WORDS}\nand no more\n")
    return path


@pytest.fixture
def exported(likeness: Command, picture: Make, tmp_path: Path, words: Path) -> Path:
    employ(likeness, picture)
    out = tmp_path / "staff.likeness"
    outcome = likeness("export", "--collection", "staff", "--out", out, "--passphrase-file", words)
    assert (outcome.code, outcome.err) == (0, "")
    assert (
        outcome.out == f"staff: 2 subjects and 3 references in {out}, sealed with the passphrase\n"
    )
    return out


def test_a_collection_moves_to_another_installation(
    likeness: Command,
    picture: Make,
    exported: Path,
    words: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert exported.read_bytes().startswith(SEALED_MAGIC)
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "elsewhere"))
    outcome = likeness("import", exported, "--passphrase-file", words)
    assert (outcome.code, outcome.out, outcome.err) == (
        0,
        "staff: 2 subjects and 3 references\n",
        "",
    )
    found = json.loads(
        likeness("identify", "--collection", "staff", picture("r.png", RED), "--json").out
    )
    assert found["pictures"][0]["faces"][0]["match"] == "Rosa"


def test_an_interrupt_after_an_import_says_that_it_is_done(
    likeness: Command,
    exported: Path,
    words: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(import_, "count_strays", interrupt)
    outcome = likeness("import", exported, "--passphrase-file", words)
    assert (outcome.code, outcome.out) == (130, "")
    assert "Collection 'staff' is imported" in outcome.err
    assert "2 subjects, 3 references" in likeness("collections", "list").out


def test_exports_and_imports_answer_in_json(
    likeness: Command, exported: Path, words: Path, tmp_path: Path
) -> None:
    out = tmp_path / "clear.jsonl"
    answer = json.loads(
        likeness("export", "--collection", "staff", "--out", out, "--in-the-clear", "--json").out
    )
    assert answer == {
        "collection": "staff",
        "subjects": 2,
        "references": 3,
        "file": str(out),
        "sealed": False,
    }
    assert json.loads(out.read_text().splitlines()[0])["name"] == "staff"
    with home() as opened:
        erase.collection(opened.gallery, "staff")
        model = opened.templates_of(None).model
    answer = json.loads(likeness("import", out, "--collection", "back", "--json").out)
    assert answer == {
        "collection": "back",
        "subjects": 2,
        "references": 3,
        "model": model,
        "model_in_force": True,
        "left_out": {"subjects": 0, "references": 0},
        "brought_back": {"subjects": 0, "references": 0},
        "with_collection": {"subjects": 2, "references": 0},
        "unlike": 0,
    }


def test_who_was_erased_is_left_out_unless_they_are_to_be_brought_back(
    likeness: Command, exported: Path, words: Path, tmp_path: Path
) -> None:
    certificate = tmp_path / "gone.json"
    for arguments in (
        ["erase", "--collection", "staff", "Rosa", "--yes", "--certificate", certificate],
        ["collections", "delete", "staff", "--yes"],
    ):
        assert likeness(*arguments).code == 0
    back = ["import", exported, "--passphrase-file", words]
    outcome = likeness(*back, "--collection", "again")
    assert outcome.code == 0
    assert "again: 1 subject and 1 reference\n" in outcome.out
    assert "Left out: 1 subject and 2 references, erased here" in outcome.out
    assert "Back again: 1 subject and 0 references that were erased with their" in outcome.out
    assert likeness("collections", "verify", certificate).code == 0
    assert likeness("collections", "delete", "again", "--yes").code == 0
    outcome = likeness(*back, "--bring-back")
    assert "Brought back: 1 subject and 2 references that were erased here." in outcome.out
    outcome = likeness("collections", "verify", certificate)
    assert outcome.code == 1
    assert "1 subject and 2 references are in staff again" in outcome.out


def test_a_model_that_is_not_here_is_imported_and_said(
    likeness: Command, exported: Path, words: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "elsewhere"))
    missing = MissingPart("its weights are not here", "likeness models pull dlib-resnet-v1")
    monkeypatch.setattr(InstallationWithDiscs, "missing_parts", {"dlib-resnet-v1": missing})
    outcome = likeness("import", exported, "--passphrase-file", words)
    assert outcome.code == 0
    (line,) = outcome.err.splitlines()
    assert "its weights are not here. `likeness models pull dlib-resnet-v1` gets it." in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Give a FILE, or --compreface SOURCE"),
        (("a", "--compreface", "b"), "Give a FILE, or --compreface SOURCE"),
        (("a", "--service", "door"), "are for --compreface"),
        (("--compreface", "a"), "needs --collection NAME"),
        (("none.likeness",), "cannot be read (No such file or directory)"),
        ((".",), "'.' is not a file"),
        (("--compreface", "none.sql", "--collection", "staff"), "'none.sql' cannot be read"),
        (("--compreface", "none.sql", "--collection", "nobody"), "No such collection 'nobody'"),
        (("--compreface", "mysql://a/b", "--collection", "staff"), "Likeness: mysql"),
    ],
)
def test_what_is_used_wrongly_is_one_line(
    likeness: Command, picture: Make, arguments: tuple[str, ...], message: str
) -> None:
    employ(likeness, picture)
    outcome = likeness("import", *arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1
    assert message in outcome.err


def test_an_export_that_cannot_be_is_one_line(
    likeness: Command, picture: Make, tmp_path: Path, words: Path
) -> None:
    employ(likeness, picture)
    empty, short, bytes_ = (tmp_path / name for name in ("empty", "short", "bytes"))
    empty.write_text("")
    short.write_text("hunter2\n")
    bytes_.write_bytes(b"\xff\xff\n")
    out = tmp_path / "out.likeness"
    for arguments, message in (
        (("staff", "--passphrase-file", empty), "is empty"),
        (("staff", "--passphrase-file", short), "12 are the least"),
        (("staff", "--passphrase-file", bytes_), "it is no text"),
        (("staff", "--passphrase-file", tmp_path / "none"), "No such file"),
        (("staff", "--passphrase-file", words, "--in-the-clear"), "exclude each other. Give one"),
        (("staff",), "Give --passphrase-file"),
        (("nobody", "--in-the-clear"), "No such collection 'nobody'"),
    ):
        outcome = likeness("export", "--out", out, "--collection", *arguments)
        assert outcome.code == 2
        assert outcome.err.count("\n") == 1
        assert message in outcome.err
    outcome = likeness(
        "export", "--collection", "staff", "--out", tmp_path / "no" / "out", "--in-the-clear"
    )
    assert "Make it" in outcome.err
    assert sorted(path.name for path in tmp_path.iterdir() if "out" in path.name) == []


def test_a_full_disk_leaves_what_was_there(
    likeness: Command, exported: Path, words: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = exported.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("likeness.cli.export.export_collection", full)
    outcome = likeness(
        "export", "--collection", "staff", "--out", exported, "--passphrase-file", words
    )
    assert outcome.code == 3
    assert "No space left on device" in outcome.err
    assert exported.read_bytes() == before
    assert not list(exported.parent.glob(".*.part"))


def test_a_wrong_passphrase_and_a_cut_file_import_nothing(
    likeness: Command, exported: Path, words: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("another passphrase")
    outcome = likeness("import", exported, "--collection", "copy", "--passphrase-file", wrong)
    assert (outcome.code, outcome.out) == (2, "")
    assert "Try the passphrase again" in outcome.err
    exported.write_bytes(exported.read_bytes()[:-20])
    outcome = likeness("import", exported, "--collection", "copy", "--passphrase-file", words)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    with home() as opened:
        assert [one.name for one in opened.gallery.collections()] == ["staff"]


def test_a_passphrase_is_typed_twice_unseen_and_asked_for_once(
    likeness: Command, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def prompt(text: str, **how: bool) -> str:
        asked.append((how["hide_input"], how["confirmation_prompt"]))
        return WORDS

    controller, terminal = pty.openpty()
    with os.fdopen(controller), os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(prompts.typer, "prompt", prompt)
        assert likeness("export", "--collection", "staff", "--out", exported).code == 0
        with home() as opened:
            erase.collection(opened.gallery, "staff")
        assert likeness("import", exported).code == 0
    assert asked == [(True, True), (True, False)]


def test_ctrl_c_ends_an_import_with_nothing_left(
    likeness: Command, exported: Path, words: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.service.move.import_._AT_ONCE", 1)
    with home() as opened:
        erase.collection(opened.gallery, "staff")

    # As Python raises it in the main thread, which commits; a signal may reach whoever runs tests.
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Subjects, "arrive", interrupted)
    outcome = likeness("import", exported, "--passphrase-file", words)
    assert (outcome.code, outcome.out) == (130, "")
    assert outcome.err == (
        "likeness: Interrupted, and nothing was imported. Run the same command again.\n"
    )
    with home() as opened:
        assert opened.gallery.collections() == []


@pytest.fixture
def pictures_of_compreface(postgresql_url: str, tmp_path: Path) -> str:
    """The URL of a CompreFace's database with three people, one of whose pictures is none."""
    compreface.make(postgresql_url)
    for name, colour in (("Rosa", RED), ("Greta", GREEN), ("Ilse", BLUE)):
        compreface.add(postgresql_url, name, draw(tmp_path / "drawn.png", colour).read_bytes())
    compreface.add(postgresql_url, "\x1b[2Jnobody", b"no picture")
    return postgresql_url


@pytest.mark.services
@pytest.mark.parametrize("source", ["database", "dump"])
def test_people_come_from_compreface_and_again_nobody_comes_twice(
    likeness: Command,
    picture: Make,
    pictures_of_compreface: str,
    tmp_path: Path,
    source: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert likeness("collections", "create", "staff").code == 0
    came = pictures_of_compreface
    if source == "dump":
        came = str(compreface.dump(came, tmp_path / "dump.sql"))
    outcome = likeness("import", "--compreface", came, "--collection", "staff")
    assert outcome.code == 2
    assert "3 enrolled, 0 already, 1 rejected" in outcome.out
    assert outcome.out.endswith("compreface.import-report.csv says which\n")
    with Path("compreface.import-report.csv").open(newline="") as file:
        rejected = [row for row in csv.DictReader(file) if row["outcome"] == "rejected"]
    assert len(rejected) == 1
    assert rejected[0]["path"].startswith("CompreFace image ")
    again = json.loads(
        likeness("import", "--compreface", came, "--collection", "staff", "--json").out
    )
    assert (again["enrolled"], again["already"], again["rejected"]) == (0, 3, 1)
    with home() as opened:
        assert opened.gallery.collection("staff").size == Size(3, 3)


@pytest.mark.services
def test_a_password_in_a_url_is_never_shown(likeness: Command, tmp_path: Path) -> None:
    assert likeness("collections", "create", "staff").code == 0
    url = f"postgresql://anna:secret@/none?host={tmp_path}"
    outcome = likeness("import", "--compreface", url, "--collection", "staff")
    assert outcome.code == 3
    assert "does not answer" in outcome.err
    assert "secret" not in outcome.err


@pytest.mark.models
def test_real_faces_are_found_after_they_moved(
    shared_data: Callable[[str], Path], cache_dir: Path, tmp_path: Path, words: Path
) -> None:
    by_name: dict[str, list[Path]] = {}
    for path in sorted(shared_data("lfw_view1/images").rglob("*.jpg")):
        by_name.setdefault(path.stem.rstrip("0123456789").rstrip("_"), []).append(path)
    several = [(name, paths) for name, paths in by_name.items() if len(paths) > 1][:5]
    people = tmp_path / "people"
    people.mkdir()
    for name, paths in several:
        (people / f"{name}.jpg").write_bytes(paths[0].read_bytes())

    def run(name: str, *arguments: object) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "likeness", *map(str, arguments)],
            env={
                **os.environ,
                "LIKENESS_HOME": str(tmp_path / name),
                "LIKENESS_CACHE": str(cache_dir),
            },
            capture_output=True,
            text=True,
        )
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    out = tmp_path / "staff.likeness"
    run("here", "collections", "create", "staff")
    run("here", "enrol", "--collection", "staff", "--any-quality", "--foremost", people)
    run("here", "export", "--collection", "staff", "--out", out, "--passphrase-file", words)
    run("there", "import", out, "--passphrase-file", words)
    probes = [paths[1] for _, paths in several]
    identify = ("identify", "--collection", "staff", *probes, "--json")
    here, there = json.loads(run("here", *identify)), json.loads(run("there", *identify))
    assert here["pictures"] == there["pictures"]
    names = [
        face["match"] for found in there["pictures"] for face in found["faces"] if face["match"]
    ]
    assert set(names) <= {name for name, _ in several}
    assert len(set(names)) >= 3
