"""`likeness detect`, through the real command."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from likeness.vision.decode import read_sample

from .conftest import BLUE, GREEN, RED, Outcome

Command = Callable[..., Outcome]
Make = Callable[..., Path]


def test_every_face_is_listed_with_box_landmarks_pose_and_quality(
    likeness: Command, picture: Make
) -> None:
    outcome = likeness("detect", picture("two.png", RED, GREEN))
    assert outcome.code == 0
    assert "two.png: 2 faces in 320x160 pixels" in outcome.out
    for word in ("confidence 0.900", "eyes", "nose", "mouth", "yaw", "brightness", "enrol"):
        assert outcome.out.count(word) == 2
    assert outcome.err == ""


def test_lines_fit_a_terminal_of_80_columns(
    likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(picture("two.png", RED, GREEN).parent)
    assert max(map(len, likeness("detect", "two.png").out.splitlines())) <= 80


def test_json_is_one_document_with_stable_keys(likeness: Command, picture: Make) -> None:
    path = picture("one.png", RED)
    (answer,) = json.loads(likeness("detect", path, "--json").out)["pictures"]
    assert (answer["picture"], answer["width"], answer["height"]) == (str(path), 160, 160)
    (face,) = answer["faces"]
    assert set(face) == {"box", "landmarks", "confidence", "pose", "quality"}
    assert set(face["box"]) == {"left", "top", "right", "bottom"}
    assert set(face["landmarks"]) == {
        "eye_left",
        "eye_right",
        "nose",
        "mouth_left",
        "mouth_right",
    }
    assert set(face["quality"]) == {"brightness", "sharpness", "size", "fit_to_enrol", "reasons"}
    assert face["box"]["left"] == pytest.approx(27, abs=2)


def test_how_closely_a_picture_was_searched_is_said_where_small_faces_may_be_missed(
    likeness: Command, picture: Make, tmp_path: Path
) -> None:
    small, large = picture("small.png", RED), tmp_path / "large.png"
    assert "may be missed" not in likeness("detect", small).out
    Image.new("RGB", (4608, 32)).save(large)
    said = likeness("detect", large, "--detector-side", "1152").out
    assert "Searched at 1152x8 pixels: faces of less than 96 pixels may be missed." in said
    answer = json.loads(likeness("detect", large, "--detector-side", "1152", "--json").out)
    searched = {"width": 1152, "height": 8, "smallest_face": 96}
    assert answer["pictures"][0]["searched"] == searched


def test_a_picture_without_a_face_is_an_answer(likeness: Command, picture: Make) -> None:
    outcome = likeness("detect", picture("none.png"))
    assert (outcome.code, outcome.err) == (0, "")
    assert "0 faces" in outcome.out


def test_a_bad_picture_is_reported_and_the_others_are_still_done(
    likeness: Command, picture: Make, tmp_path: Path
) -> None:
    good, last = picture("good.png", RED), picture("last.png", BLUE)
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    outcome = likeness("detect", good, bad, last)
    assert outcome.code == 2
    assert outcome.out.count("1 face in") == 2
    assert outcome.err.splitlines() == [
        line for line in outcome.err.splitlines() if str(bad) in line
    ]
    answers = json.loads(likeness("detect", good, bad, last, "--json").out)["pictures"]
    assert answers[1]["error"]["kind"] == "UnsupportedImageFormat"
    assert "faces" in answers[2]


def test_one_picture_is_annotated_to_a_file_in_full_size(
    likeness: Command, picture: Make, tmp_path: Path
) -> None:
    out = tmp_path / "marked.jpg"
    assert likeness("detect", picture("one.png", RED), "--annotate", out).code == 0
    marked = read_sample(out)
    assert (marked.format, marked.width, marked.height) == ("JPEG", 160, 160)


def test_several_pictures_are_annotated_into_a_folder(
    likeness: Command, picture: Make, tmp_path: Path
) -> None:
    pictures = [picture("a.png", RED), picture("b.bmp", GREEN)]
    out = tmp_path / "marked"
    out.mkdir()
    assert likeness("detect", *pictures, "--annotate", out).code == 0
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "b.bmp.jpg"]


def test_a_picture_is_never_replaced_by_its_annotated_copy(
    likeness: Command, picture: Make
) -> None:
    path = picture("a.png", RED)
    before = path.read_bytes()
    for out in (path, path.parent):
        outcome = likeness("detect", path, "--annotate", out)
        assert outcome.code == 2
        assert "would replace a picture" in outcome.err
    assert path.read_bytes() == before


def test_copies_of_one_name_are_refused(likeness: Command, picture: Make, tmp_path: Path) -> None:
    out = tmp_path / "marked"
    out.mkdir()
    pictures = [picture("a/x.png", RED), picture("b/x.png", GREEN)]
    outcome = likeness("detect", *pictures, "--annotate", out)
    assert (outcome.code, list(out.iterdir())) == (2, [])


def test_settings_given_as_options_go_before_the_environment(
    likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_DETECTOR_SIDE", "nonsense")
    path = picture("one.png", RED)
    assert likeness("detect", path).code == 2
    assert likeness("detect", path, "--detector-side", 640).code == 0


def test_names_reach_the_terminal_without_escapes_or_markup(
    likeness: Command, picture: Make
) -> None:
    outcome = likeness("detect", picture("[bold]\x1b[31mred\n.png", RED))
    assert "[bold]\\x1b[31mred\\n.png: 1 face" in outcome.out
    assert "\x1b" not in outcome.out + outcome.err
