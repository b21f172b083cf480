"""`likeness cluster`, through the real command."""

import csv
import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from likeness.artifacts import PinnedFile, catalogue
from likeness.cli.terminal import command
from likeness.service.enrol.sources import read_manifest
from likeness.vision.decode import Sample
from tests.service.people import close

from .conftest import BLUE, GREEN, RED, Outcome

Command = Callable[..., Outcome]
Make = Callable[..., Path]


@pytest.fixture
def album(picture: Make, tmp_path: Path) -> Path:
    """Red in three pictures, green in two, blue in one."""
    picture("album/1.png", RED, GREEN)
    picture("album/deeper/2.png", RED, side=150)
    picture("album/deeper/3.png", GREEN, RED, BLUE, side=170)
    return tmp_path / "album"


def names(faces: list[dict[str, str]]) -> list[str]:
    return sorted(Path(face["picture"]).name for face in faces)


def rows(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def test_faces_are_grouped_largest_cluster_first(likeness: Command, album: Path) -> None:
    outcome = likeness("cluster", album)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0].startswith("6 faces in 3 pictures: 2 clusters, 1 face unlike all others.")
    headings = [line for line in lines[3:] if not line.startswith(" ")]
    assert [heading.partition(",")[0] for heading in headings] == [
        "cluster 1: 3 faces",
        "cluster 2: 2 faces",
        "unlike all others: 1 face",
    ]
    assert "strangers score as high" in headings[0]
    assert f"      {album / 'deeper' / '2.png'} box " in outcome.out
    assert "at most 0.015 false joins" in " ".join(lines[:3])


def test_json_says_the_threshold_every_cluster_and_every_face(
    likeness: Command, album: Path
) -> None:
    answer = json.loads(likeness("cluster", album, "--json").out)
    assert (answer["pictures"], answer["failures"]) == (3, [])
    point = answer["operating_point"]
    assert point["expected_false_joins"] == pytest.approx(6 * 5 / 2 * point["fmr"])
    first, second = answer["clusters"]
    assert names(first["faces"]) == ["1.png", "2.png", "3.png"]
    assert names(second["faces"]) == ["1.png", "3.png"]
    assert names(answer["alone"]) == ["3.png"]
    assert first["cohesion"]["score"] >= point["threshold"]
    assert {"score", "similarity", "fmr"} == set(first["cohesion"])
    assert {"picture", "score", "face"} == set(first["faces"][0])


def test_the_order_of_the_sources_changes_nothing(likeness: Command, album: Path) -> None:
    sources = [album / "1.png", album / "deeper"]
    once = likeness("cluster", *sources).out
    assert once == likeness("cluster", *reversed(sources), album / "1.png").out


def test_two_faces_of_a_picture_are_two_people_however_alike(
    likeness: Command, picture: Make
) -> None:
    outcome = likeness("cluster", picture("twins.png", RED, RED))
    assert outcome.code == 1
    assert "0 clusters, 2 faces unlike all others" in outcome.out


def test_a_bad_picture_is_one_line_and_the_others_are_grouped(
    likeness: Command, album: Path
) -> None:
    (album / "bad\x1b.jpg").write_bytes(b"no picture")
    outcome = likeness("cluster", album, album / "nowhere.png")
    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 2
    assert "\x1b" not in outcome.out + outcome.err
    assert "2 clusters" in outcome.out
    answer = json.loads(likeness("cluster", album, "--json").out)
    (failure,) = answer["failures"]
    assert failure["error"]["kind"] == "UnsupportedImageFormat"


def test_a_folder_of_faces_is_a_manifest_once_a_person_has_named_them(
    likeness: Command, album: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    outcome = likeness("cluster", album, "--out", out)
    assert (outcome.code, outcome.err) == (0, "")
    assert f"{out / 'clusters.csv'} has a column" in outcome.out
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    table = rows(out / "clusters.csv")
    assert [row["cluster"] for row in table] == ["1", "1", "1", "2", "2", ""]
    assert [row["subject"] for row in table] == [""] * 6
    assert [row["path"].rpartition("/")[0] for row in table] == [
        *["clusters/1"] * 3,
        *["clusters/2"] * 2,
        "alone",
    ]
    for row, colour in zip(table, [RED] * 3 + [GREEN] * 2 + [BLUE], strict=True):
        face = cv2.imread(str(out / row["path"]))
        middle = face[face.shape[0] // 2, face.shape[1] // 2, ::-1]
        assert abs(middle.astype(int) - colour).max() < 12
        assert Path(row["picture"]).is_relative_to(album)
        assert int(row["right"]) > int(row["left"])
    written = sorted(path for path in out.rglob("*") if path.is_file())
    assert written == sorted([out / "clusters.csv", *(out / row["path"] for row in table)])

    named = (out / "clusters.csv").read_text().replace(".jpg,,", ".jpg,Rosa,")
    (out / "clusters.csv").write_text(named)
    manifest = read_manifest(out / "clusters.csv", out)
    assert [person.subject for person in manifest] == ["Rosa"] * 6
    assert likeness("detect", *[person.place for person in manifest]).code == 0


def test_a_folder_that_is_not_new_or_lies_among_the_pictures_is_refused(
    likeness: Command, album: Path, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    for out in ("full", "full/mine", "nowhere/out", "album/out", "album"):
        outcome = likeness("cluster", album, "--out", tmp_path / out)
        assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    (tmp_path / "empty").mkdir()
    assert likeness("cluster", album, "--out", tmp_path / "empty").code == 0
    assert (tmp_path / "empty" / "clusters.csv").exists()


def test_a_picture_that_is_gone_when_faces_are_cut_out_leaves_no_folder(
    likeness: Command, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode, first = Sample.decode, album / "1.png"
    its_bytes = first.read_bytes()

    def then_gone(self: Sample, longer_side: int | None = None) -> object:
        if self.data == its_bytes:  # others are worked on at the same time
            first.unlink(missing_ok=True)
        return decode(self, longer_side)

    monkeypatch.setattr(Sample, "decode", then_gone)
    sources = [album / "1.png", album / "deeper"]
    outcome = likeness("cluster", *sources, "--threads", 1, "--out", tmp_path / "out")
    assert outcome.code == 2
    assert "6 faces in 3 pictures" in outcome.out
    assert "1.png' does not exist" in outcome.err
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


@pytest.mark.parametrize("place", ["empty", "grey.png"])
def test_nothing_to_group_is_one_line(
    likeness: Command, picture: Make, tmp_path: Path, place: str
) -> None:
    (tmp_path / "empty").mkdir()
    picture("grey.png")
    outcome = likeness("cluster", tmp_path / place)
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)


def test_a_folder_that_cannot_be_listed_is_reported_and_the_others_go_on(
    likeness: Command, picture: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("album/a.png", "album/b.png", "album/shut/c.png"):
        picture(name, RED)
    close(tmp_path / "album" / "shut", monkeypatch)
    outcome = likeness("cluster", tmp_path / "album", "--json")
    assert outcome.code == 2
    answer = json.loads(outcome.out)
    assert (answer["pictures"], len(answer["clusters"][0]["faces"])) == (3, 2)
    (failure,) = answer["failures"]
    assert failure["picture"] == str(tmp_path / "album" / "shut")
    assert "(Permission denied)" in failure["error"]["message"]


@pytest.mark.models
def test_real_people_are_told_apart(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    cache_dir: Path,
    artifact: Callable[[PinnedFile], Path],
) -> None:
    people = {
        "obama 1.jpg": catalogue.OBAMA,
        "obama 2.jpg": catalogue.OBAMA_2,
        "obama 3.jpg": catalogue.OBAMA_3,
        "biden.jpg": catalogue.BIDEN,
    }
    (tmp_path / "album").mkdir()
    for name, pinned in people.items():
        shutil.copyfile(artifact(pinned), tmp_path / "album" / name)
    shutil.copyfile(tmp_path / "album" / "biden.jpg", tmp_path / "album" / "biden, copied.jpg")
    monkeypatch.setenv("LIKENESS_CACHE", str(cache_dir))
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    assert command.run(["cluster", str(tmp_path / "album"), "--json"]) == 0
    first, second, *_ = json.loads(capfd.readouterr().out)["clusters"]
    assert names(first["faces"]) == ["obama 1.jpg", "obama 2.jpg", "obama 3.jpg"]
    assert names(second["faces"]) == ["biden, copied.jpg", "biden.jpg"]
