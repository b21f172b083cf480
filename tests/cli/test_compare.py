"""`likeness compare`, through the real command."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from likeness.terms import Calibration, TailRates
from tests.service.people import draw

from .conftest import BLUE, GREEN, RED, InstallationWithDiscs, Outcome, ship_standards

# As RED is to all but a recogniser.
ROSY = (222, 44, 44)

HEADER = (
    "path_a,path_b,raw_score,score,similarity,failure,faces,fmr_any,left,top,right,bottom,"
    "extrapolated,failure_a,failure_b"
)

Command = Callable[..., Outcome]
Make = Callable[..., Path]


@pytest.fixture
def pairs(picture: Make, tmp_path: Path) -> Path:
    picture("red.png", RED)
    picture("sub/red too.png", RED)
    picture("blue.png", BLUE)
    picture("nobody.png")
    path = tmp_path / "pairs.csv"
    rows = ["path_a,path_b", "red.png,sub/red too.png", "red.png,blue.png", "red.png,nobody.png"]
    path.write_text("\n".join(rows))
    return path


@pytest.fixture
def card_with_ghost(tmp_path: Path) -> Path:
    """A picture with a large face at one side, and a small one of another nearer to the middle."""
    pixels = np.full((200, 400, 3), 110, np.uint8)
    cv2.circle(pixels, (80, 100), 60, RED, -1)
    cv2.circle(pixels, (230, 100), 24, BLUE, -1)
    cv2.imwrite(str(path := tmp_path / "card.png"), pixels[:, :, ::-1])
    return path


def test_two_pictures_of_one_person_are_the_same(likeness: Command, picture: Make) -> None:
    outcome = likeness("compare", picture("a.png", RED), picture("b.png", RED))
    assert (outcome.code, outcome.err) == (0, "")
    assert "the same person, similarity" in outcome.out
    assert "Both are the same face of the same picture" in outcome.out
    assert "raw score" in outcome.out


def test_two_pictures_of_two_people_do_not_pass_and_that_is_exit_code_1(
    likeness: Command, picture: Make
) -> None:
    outcome = likeness("compare", picture("a.png", RED), picture("b.png", BLUE))
    assert (outcome.code, outcome.err) == (1, "")
    # Nobody has measured what pictures of one person score, so none is ever said to be another.
    assert "let a person decide, similarity 0.0" in outcome.out


def test_two_pictures_whose_score_one_person_hardly_has_are_answered_with_no(
    likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    misses = ((-2.0, 0.0), (-0.35, 0.01), (-0.2, 0.5))
    ship_measured(monkeypatch, tmp_path, misses=misses)
    blurred = likeness("compare", picture("a.png", RED), picture("b.png", BLUE))
    assert "let a person decide, similarity 0.0" in blurred.out
    fit = draw(tmp_path / "fit/a.png", RED), draw(tmp_path / "fit/b.png", BLUE)
    outcome = likeness("compare", *fit)
    assert (outcome.code, outcome.err) == (1, "")
    assert "not the same person, similarity 0.0" in outcome.out
    assert "about 1% of pairs of one person miss it" in outcome.out


def ship_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **changed: Any) -> None:
    """Ship a calibration of discs that knows more."""
    calibration_path = ship_standards(tmp_path / "shipped").glob("*.calibration.json")
    (path,) = calibration_path
    calibration = Calibration.from_json(json.loads(path.read_text()))
    path.write_text(json.dumps(replace(calibration, **changed).as_json()))
    monkeypatch.setattr(InstallationWithDiscs, "shipped", path.parent)


def test_every_face_of_the_second_picture_is_compared_and_the_best_comes_first(
    likeness: Command, picture: Make
) -> None:
    one, many = picture("one.png", RED), picture("many.png", BLUE, GREEN, (221, 42, 40))
    outcome = likeness("compare", one, many)
    first, second, verdict, *_, last_but_one, last = outcome.out.splitlines()
    assert first == str(one)
    assert second == f"{many}: the best of 3 faces, box 347,27 107x107"
    assert verdict.startswith("  let a person decide, similarity 99.")  # discs are not fit
    assert "a false match rate of 1 in 1,000 for 3 faces, 1 in 3,000 for each" in outcome.out
    assert "the best of 3 faces: at most 1 in 330,000 pictures of 3 strangers" in outcome.out
    assert last_but_one.startswith("  box 27,27 107x107: let a person decide, similarity 0.0;")
    assert last.startswith("  box 187,27 107x107: let a person decide, similarity 0.0;")


def test_json_lists_the_other_faces_and_the_rate_for_all(likeness: Command, picture: Make) -> None:
    one, many = picture("one.png", RED), picture("many.png", BLUE, ROSY, GREEN)
    answer = json.loads(likeness("compare", one, many, "--json").out)
    assert (answer["reference_faces"], answer["probe_faces"]) == (1, 3)
    assert (answer["same"], round(answer["probe_face"]["box"]["left"])) == (True, 187)
    assert answer["faces_compared"] == 3
    assert answer["fmr_any"] == pytest.approx(3 * answer["fmr"], rel=0.01)
    assert answer["operating_point"]["fmr_any"] == 0.001
    assert answer["operating_point"]["fmr"] == pytest.approx(0.001 / 3, rel=0.01)
    assert [round(other["probe_face"]["box"]["left"]) for other in answer["others"]] == [27, 347]
    assert answer["others"][0]["score"] >= answer["others"][1]["score"]
    assert {"answer", "same", "similarity", "fmr"} <= set(answer["others"][0])


def test_the_largest_faces_alone_are_compared_where_that_is_asked(
    likeness: Command, picture: Make, tmp_path: Path
) -> None:
    one, many = picture("one.png", RED), picture("many.png", RED, BLUE, GREEN)
    outcome = likeness("compare", one, many, "--foremost")
    assert outcome.code == 1  # of three that are as large, the one in the middle
    assert f"{many}: the largest of 3 faces, box 187,27 107x107" in outcome.out
    answer = json.loads(likeness("compare", one, many, "--foremost", "--json").out)
    assert (answer["probe_faces"], answer["faces_compared"], answer["others"]) == (3, 1, [])
    assert answer["fmr_any"] == answer["fmr"]


def test_of_the_first_picture_the_largest_face_is_meant_wherever_it_is(
    likeness: Command, picture: Make, card_with_ghost: Path
) -> None:
    outcome = likeness("compare", card_with_ghost, picture("a.png", RED))
    assert outcome.code == 0
    assert f"{card_with_ghost}: the largest of 2 faces, box 20,40 121x121" in outcome.out


def test_json_carries_both_scores_their_meaning_and_the_threshold(
    likeness: Command, picture: Make
) -> None:
    outcome = likeness("compare", picture("a.png", RED), picture("b.png", RED), "--json")
    answer = json.loads(outcome.out)
    assert answer["same"] is True
    assert {"reference", "probe", "raw_score", "score", "similarity", "fmr"} <= set(answer)
    assert set(answer["operating_point"]) == {
        *("threshold", "fmr", "fmr_any", "calibrated", "extrapolated", "fnmr")
    }
    assert answer["operating_point"]["fmr"] == 0.001
    assert (answer["answer"], answer["fmr_alike"], answer["extrapolated"]) == ("pass", None, False)
    assert answer["refer"] == {"fnmr": 0.001, "from_score": None}


def test_a_rate_that_was_not_measured_lets_a_person_decide(
    likeness: Command, picture: Make
) -> None:
    paths = picture("a.png", RED), picture("b.png", ROSY)
    outcome = likeness("compare", *paths, "--fmr", 1e-12)
    assert outcome.code == 1
    assert "let a person decide" in outcome.out
    assert "is not known" in outcome.out


def test_a_picture_with_itself_passes_whatever_rate_is_asked_for(
    likeness: Command, picture: Make, tmp_path: Path
) -> None:
    one, copy = picture("a.png", RED), tmp_path / "copy.png"
    copy.write_bytes(one.read_bytes())
    outcome = likeness("compare", one, copy, "--fmr", 1e-12)
    assert outcome.code == 0
    assert "Both are the same face of the same picture" in outcome.out
    assert json.loads(likeness("compare", one, copy, "--json").out)["similarity"] == 100


def test_pairs_become_scores_and_failures_are_rows_too(
    likeness: Command, pairs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "scores.csv"
    outcome = likeness("compare", "--pairs", pairs, "--root", tmp_path, "--out", out)
    assert (outcome.code, outcome.out) == (2, "")  # as of the picture without a face alone
    assert "3 pairs of 4 pictures" in outcome.err
    assert "1 pair without a score" in outcome.err
    with out.open(newline="") as file:
        same, different, failed = csv.DictReader(file)
    assert list(same) == HEADER.split(",")
    assert (same["faces"], same["left"], failed["faces"], failed["left"]) == ("1", "27.0", "", "")
    assert float(same["score"]) > float(different["score"])
    assert (failed["score"], "No face found" in failed["failure"]) == ("", True)


def test_pairs_compare_every_face_of_the_second_picture_or_the_largest_alone(
    likeness: Command, picture: Make, tmp_path: Path
) -> None:
    picture("one.png", RED)
    picture("many.png", RED, BLUE, GREEN)
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("path_a,path_b\none.png,many.png\nmany.png,one.png\n")
    (best, turned) = csv.DictReader(
        likeness("compare", "--pairs", pairs, "--out", "-").out.splitlines()
    )
    assert (best["faces"], best["left"][:2], turned["faces"]) == ("3", "27", "1")
    assert float(best["similarity"]) > 99 > float(turned["similarity"])
    (largest, _) = csv.DictReader(
        likeness("compare", "--pairs", pairs, "--out", "-", "--foremost").out.splitlines()
    )
    assert (largest["faces"], round(float(largest["left"]))) == ("1", 187)


def test_of_several_faces_pairs_are_scored_by_the_one_that_two_pictures_are(
    likeness: Command, tmp_path: Path
) -> None:
    draw(tmp_path / "one.png", RED)
    many = cv2.hconcat(
        [
            cv2.imread(str(draw(tmp_path / "blurred.png", RED, grain=0))),
            cv2.imread(str(draw(tmp_path / "sharp.png", (220, 40, 56)))),
        ]
    )
    cv2.imwrite(str(tmp_path / "many.png"), many)
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("path_a,path_b\none.png,many.png\n")
    outcome = likeness("compare", "--pairs", pairs, "--out", "-")
    (pair,) = csv.DictReader(outcome.out.splitlines())
    two = likeness("compare", tmp_path / "one.png", tmp_path / "many.png", "--json")
    best = json.loads(two.out)
    assert (outcome.code, best["answer"]) == (0, "pass")
    assert (
        best["others"][0]["score"] > best["score"] == pytest.approx(float(pair["score"]), abs=1e-4)
    )
    assert float(pair["left"]) == best["probe_face"]["box"]["left"] > 90


def test_a_rate_that_was_extrapolated_is_marked_wherever_it_stands(
    likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tail = TailRates((-0.2, -0.001), (1e-6, 1e-8), (1e-7, 1e-9), (5e-7, 5e-9), (1e-6, 1e-8))
    ship_measured(monkeypatch, tmp_path, tail=tail)
    one, many = picture("one.png", RED), picture("many.png", BLUE, ROSY)
    lines = likeness("compare", one, many, "--fmr", 1e-6).out.splitlines()
    (of_all,) = (line for line in lines if "the best of 2 faces:" in line)
    assert "(extrapolated) pictures of 2 strangers" in of_all
    (decided,) = (line for line in lines if "decided at" in line)
    assert "for each (extrapolated)" in decided
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("path_a,path_b\none.png,many.png\nmany.png,one.png\n")
    rows = csv.DictReader(likeness("compare", "--pairs", pairs, "--out", "-").out.splitlines())
    assert [row["extrapolated"] for row in rows] == ["true", "false"]


def test_pictures_lie_beside_the_pairs_and_scores_go_to_stdout_where_that_is_asked(
    likeness: Command, pairs: Path
) -> None:
    outcome = likeness("compare", "--pairs", pairs, "--out", "-")
    assert outcome.code == 2
    assert outcome.out.startswith(f"{HEADER}\nred.png,")
    assert len(outcome.out.splitlines()) == 4


def test_scores_are_replaced_only_when_all_is_done(
    likeness: Command, pairs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "scores.csv"
    out.write_text("of yesterday")
    pairs.write_text("path_a,path_b\nred.png,")
    outcome = likeness("compare", "--pairs", pairs, "--out", out)
    assert outcome.code == 2
    assert "line 2" in outcome.err
    assert out.read_text() == "of yesterday"
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    "out", ["/dev/null", "no such folder/scores.csv", "."], ids=["device", "no folder", "folder"]
)
def test_scores_go_into_files_only_and_that_is_said_first(
    likeness: Command, pairs: Path, out: str
) -> None:
    outcome = likeness("compare", "--pairs", pairs, "--out", out)
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.png"],
        ["a.png", "b.png", "--out", "x.csv"],
        ["--pairs", "p.csv"],
        ["a.png", "b.png", "--pairs", "p.csv", "--out", "x.csv"],
        ["--pairs", "missing.csv", "--out", "-"],
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_one_line(likeness: Command, arguments: list[str]) -> None:
    outcome = likeness("compare", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert len(outcome.err.splitlines()) == 1


def test_green_is_nobody_else(likeness: Command, picture: Make) -> None:
    assert likeness("compare", picture("a.png", GREEN), picture("b.png", GREEN)).code == 0
    assert likeness("compare", picture("a.png", GREEN), picture("b.png", RED)).code == 1
