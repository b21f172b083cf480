"""`likeness coverage`: a manifest in, what it covers out."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from likeness.cli.terminal import command
from likeness.cli.terminal.output_file import check_report_folder
from likeness.errors import InvalidRequest

from .conftest import BLUE, RED, Outcome

Command = Callable[..., Outcome]


@pytest.fixture
def manifest(picture: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    picture("one.png", RED)
    picture("other.png", BLUE)
    picture("nobody.png")
    path = tmp_path / "people.csv"
    rows = ["one.png,ada,f", "other.png,bea,m", "nobody.png,cleo,m", "missing.png,dora,f"]
    path.write_text("\n".join(["path,subject,sex", *rows]) + "\n")
    return path


def test_what_is_there_and_what_is_missing_is_said(likeness: Command, manifest: Path) -> None:
    outcome = likeness("coverage", manifest)
    assert outcome.code == 0
    assert "By sex" in outcome.out
    assert "no face" in outcome.out
    assert "missing.png" in outcome.out
    assert "fewer than 30 people" in outcome.out
    page = Path("coverage/report.html").read_text()
    assert "Coverage of people.csv" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_labels_alone_open_no_picture(
    likeness: Command, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("likeness.cli.coverage.load_locator", None)
    outcome = likeness("coverage", manifest, "--labels-only", "--json", "--out", "here")
    document = json.loads(outcome.out)
    assert [axis["axis"] for axis in document["axes"]] == ["all", "sex"]
    assert document == json.loads(Path("here/report.json").read_text())
    assert any("not looked at" in limit for limit in document["limits"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--group", "age"], "No column 'age'"),
        (["--root", "elsewhere"], "None of the 4 pictures of 'people.csv' can be read"),
        (["--out", "one.png"], "'one.png' cannot be made"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    likeness: Command, manifest: Path, arguments: list[str], says: str
) -> None:
    outcome = likeness("coverage", manifest, "--labels-only", *arguments)
    assert outcome.code == 2
    assert says in outcome.err
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.models
def test_real_people_are_measured(
    shared_data: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    cache_dir: Path,
) -> None:
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LIKENESS_CACHE", str(cache_dir))
    folder = shared_data("fairface540")
    chosen = json.loads((folder / "ground_truth.json").read_text())[::18]
    rows = [f"{one['filename']},{one['age']},{one['gender']}" for one in chosen]
    path = tmp_path / "people.csv"
    path.write_text("\n".join(["path,age,sex", *rows]) + "\n")
    out = tmp_path / "out"
    arguments = ["coverage", str(path), "--root", str(folder), "--out", str(out), "--json"]
    assert command.run(arguments) == 0
    document = json.loads(capfd.readouterr().out)
    by_group = {(one["axis"], one["group"]): one for one in document["measured"]}
    everybody = by_group["all", "all"]
    assert everybody["images"] == 30
    assert everybody["no_face"] <= 1
    assert everybody["fit"] > 0.7
    assert 100 < everybody["size"] < 250
    assert {one["kind"] for one in document["axes"]} == {
        *("whole", "labelled", "crossed", "measured")
    }


def test_a_folder_that_cannot_be_written_to_is_refused_before_any_picture_is_looked_at(
    tmp_path: Path,
) -> None:
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    (tmp_path / "file").write_text("")
    for folder, where in (("nowhere", "nowhere"), ("file/deep/er", "file")):
        with pytest.raises(InvalidRequest, match=f"{where}' is no folder"):
            check_report_folder(tmp_path / folder)
    check_report_folder(tmp_path / "new" / "one")
    assert not (tmp_path / "new").exists()


def test_labels_that_are_damaged_are_told_of_by_their_line_and_cause(
    likeness: Command, tmp_path: Path
) -> None:
    data, labels = tmp_path / "data.csv", tmp_path / "labels.csv"
    data.write_text("path,subject\na.png,Anna\nb.png,Ben\n")
    for damage, said in ((b'"Ben,m\n', "line 3: not CSV"), (b"caf\xe9,m\n", "line 3: not UTF-8")):
        labels.write_bytes(b"subject,sex\nAnna,f\n" + damage)
        outcome = likeness("coverage", data, "--labels-only", "--labels", labels)
        assert outcome.code == 2
        assert said in outcome.err
