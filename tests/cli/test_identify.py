"""`likeness identify`, through the real command."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.service.people import close, with_bystander

from .conftest import BLUE, GREEN, RED, Outcome

Command = Callable[..., Outcome]
Make = Callable[..., Path]


@pytest.fixture
def gallery(picture: Make, tmp_path: Path) -> Path:
    picture("gallery/Rosa/one.png", RED)
    picture("gallery/Rosa/two.png", RED)
    picture("gallery/[bold]Greta\x1b[0m.png", GREEN)
    return tmp_path / "gallery"


def test_every_face_is_named_or_nobody(likeness: Command, picture: Make, gallery: Path) -> None:
    outcome = likeness("identify", "--gallery", gallery, picture("group.png", RED, BLUE))
    assert (outcome.code, outcome.err) == (0, "")
    assert "Gallery of 2 people in 3 pictures" in outcome.out
    assert "Rosa, similarity" in outcome.out
    assert "no match" in outcome.out


def test_a_folder_of_the_gallery_that_cannot_be_listed_is_told_by_the_exit_code_too(
    likeness: Command, picture: Make, gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture("gallery/Shut/one.png", BLUE)
    close(gallery / "Shut", monkeypatch)
    outcome = likeness("identify", "--gallery", gallery, picture("probe.png", RED))
    assert outcome.code == 2
    assert "Rosa, similarity" in outcome.out
    assert f"'{gallery / 'Shut'}' cannot be read (Permission denied)" in outcome.err


@pytest.mark.parametrize(("radius_px", "enrolled"), [(12, True), (20, False)])
def test_of_a_picture_of_the_gallery_a_face_is_taken_that_stands_out_and_no_other(
    likeness: Command, picture: Make, gallery: Path, radius_px: int, enrolled: bool
) -> None:
    two = with_bystander(gallery / "Ida.png", radius_px)
    outcome = likeness("identify", "--gallery", gallery, picture("probe.png", RED))
    assert outcome.code == 0  # it could be read, and is no use
    said = f"'{two}': not enrolled, 2 faces, and the largest has less than four times the area"
    assert (said not in outcome.err) == enrolled
    assert ("Gallery of 3 people in 4 pictures" in outcome.out) == enrolled


def test_a_second_match_is_said_to_be_one(likeness: Command, picture: Make, gallery: Path) -> None:
    picture("gallery/Ruth.png", RED)
    outcome = likeness("identify", "--gallery", gallery, picture("probe.png", RED))
    assert "also a match: R" in outcome.out
    assert "next: [bold]Greta" in outcome.out


def test_nobody_matched_in_any_picture_is_exit_code_1(
    likeness: Command, picture: Make, gallery: Path
) -> None:
    blue, red = picture("blue.png", BLUE), picture("red.png", RED)
    assert likeness("identify", "--gallery", gallery, blue).code == 1
    assert likeness("identify", "--gallery", gallery, blue, red).code == 0


def test_names_reach_the_terminal_without_escapes_or_markup(
    likeness: Command, picture: Make, gallery: Path
) -> None:
    outcome = likeness("identify", "--gallery", gallery, picture("probe.png", GREEN))
    assert "[bold]Greta\\x1b[0m, similarity" in outcome.out
    assert "\x1b" not in outcome.out + outcome.err


def test_a_picture_that_looks_like_none_of_its_persons_others_is_told(
    likeness: Command, picture: Make, gallery: Path
) -> None:
    odd = picture("gallery/Rosa/odd.png", BLUE)
    outcome = likeness("identify", "--gallery", gallery, picture("probe.png", RED), "--json")
    assert json.loads(outcome.out)["gallery"]["unlike"] == [
        {"picture": str(odd), "subject": "Rosa"}
    ]
    assert f"'{odd}': looks like none of the person's other pictures" in outcome.err


def test_json_says_the_gallery_the_threshold_and_every_candidate(
    likeness: Command, picture: Make, gallery: Path, tmp_path: Path
) -> None:
    (gallery / "bad.jpg").write_bytes(b"no picture")
    out = tmp_path / "marked.png"
    arguments = ["--gallery", gallery, picture("probe.png", RED), "--json", "--annotate", out]
    outcome = likeness("identify", *arguments)
    answer = json.loads(outcome.out)
    assert answer["gallery"]["subjects"] == 2
    assert answer["gallery"]["rejections"][0]["picture"] == str(gallery / "bad.jpg")
    point = answer["gallery"]["operating_point"]
    assert point["expected_false_candidates"] == pytest.approx(3 * point["fmr"])
    (face,) = answer["pictures"][0]["faces"]
    assert face["match"] == "Rosa"
    first, second = face["candidates"]
    assert (first["subject"], first["match"], second["match"]) == ("Rosa", True, False)
    assert first["reference"] is None
    assert first["score"] > second["score"]
    assert {"raw_score", "similarity", "fmr", "expected_false"} <= set(first)
    assert out.exists()
    assert len(outcome.err.splitlines()) == 1


def test_a_larger_gallery_or_a_stricter_rate_asks_for_more(
    likeness: Command, picture: Make, gallery: Path
) -> None:
    def threshold(*options: object) -> float:
        probe = picture("probe.png", RED)
        outcome = likeness("identify", "--gallery", gallery, probe, "--json", *options)
        return float(json.loads(outcome.out)["gallery"]["operating_point"]["threshold"])

    assert threshold("--fmr", 1e-4) > threshold()
    assert threshold("--fpir", 1e-4) > threshold()


def test_every_picture_of_a_person_asks_for_more(
    likeness: Command, picture: Make, gallery: Path
) -> None:
    def point() -> dict[str, float]:
        probe = picture("probe.png", RED)
        outcome = likeness("identify", "--gallery", gallery, probe, "--json", "--fpir", 1e-4)
        answer = json.loads(outcome.out)["gallery"]
        assert answer["subjects"] == 2
        return dict(answer["operating_point"])

    few = point()
    for number in range(7):
        picture(f"gallery/Rosa/{number}.png", RED)
    many = point()
    assert many["fmr"] == pytest.approx(few["fmr"] * 3 / 10, rel=0.01)
    assert many["threshold"] > few["threshold"]


def test_beyond_what_was_measured_nobody_is_a_match(
    likeness: Command, picture: Make, gallery: Path
) -> None:
    arguments = ["--gallery", gallery, picture("probe.png", (222, 44, 44)), "--fpir", 1e-7]
    outcome = likeness("identify", *arguments)
    assert outcome.code == 1
    assert "Nobody is named" in outcome.out
    assert "next: Rosa, " in outcome.out
    answer = json.loads(likeness("identify", *arguments, "--json").out)
    (face,) = answer["pictures"][0]["faces"]
    rosa, greta = face["candidates"]
    assert "not known for this model" in rosa["unnamed_because"]
    assert greta["unnamed_because"] is None
    assert not any(one["match"] for one in face["candidates"])
    point = answer["gallery"]["operating_point"]
    assert not point["calibrated"]
    assert point["expected_false_candidates"] == pytest.approx(3e-6)  # 1e-6 was measured


def test_a_picture_of_the_gallery_is_named_whatever_rate_is_asked_for(
    likeness: Command, picture: Make, gallery: Path, tmp_path: Path
) -> None:
    probe = tmp_path / "probe.png"
    probe.write_bytes(next(gallery.rglob("*.png")).read_bytes())
    outcome = likeness("identify", "--gallery", gallery, probe, "--fpir", 1e-7, "--json")
    assert outcome.code == 0
    best, other = json.loads(outcome.out)["pictures"][0]["faces"][0]["candidates"]
    assert (best["match"], best["similarity"], other["match"]) == (True, 100, False)


@pytest.mark.slow
def test_a_folder_is_searched_without_a_database() -> None:
    script = (
        "import sys\n"
        "import likeness.cli.identify\n"
        "sys.exit(str({'sqlalchemy', 'alembic', 'faiss'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr == "set()\n"


@pytest.mark.parametrize("folder", ["nowhere", "empty", "gallery/Rosa/one.png"])
def test_a_gallery_without_faces_is_one_line(
    likeness: Command, picture: Make, gallery: Path, tmp_path: Path, folder: str
) -> None:
    (tmp_path / "empty").mkdir()
    outcome = likeness("identify", "--gallery", tmp_path / folder, picture("probe.png", RED))
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
