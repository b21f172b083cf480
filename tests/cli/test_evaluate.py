"""`likeness evaluate` and `audit`, from files that people have to the reports that they get."""

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import BLUE, GREEN, RED, Outcome

Command = Callable[..., Outcome]


def write_scores(path: Path, people: int = 24, shift: float = 0.0, seed: int = 0) -> Path:
    """Write scores of every pair of three pictures each of some people; `shift` separates them."""
    random = np.random.default_rng(seed)
    names = [(f"{person}/{picture}.jpg", person) for person in range(people) for picture in "abc"]
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path_a", "path_b", "score", "subject_a", "subject_b"])
        for number, (one, person) in enumerate(names):
            for other, another in names[number + 1 :]:
                same = person == another
                score = random.normal(3.0 + shift if same else 0.0)
                rows.writerow([one, other, f"{score:.6f}", person, another])
    return path


def write_labels(path: Path, people: int = 24) -> Path:
    lines = ["subject,sex", *(f"{one},{'f' if one % 2 else 'm'}" for one in range(people))]
    path.write_text("\n".join(lines) + "\n")
    return path


def report_of(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return report


@pytest.mark.slow
def test_templates_that_an_earlier_run_left_are_said(likeness: Command, tmp_path: Path) -> None:
    scores, work = write_scores(tmp_path / "scores.csv", people=4), tmp_path / "out" / "work"
    work.mkdir(parents=True)
    (work / "templates-of-another-model.jsonl").touch()
    outcome = likeness("evaluate", str(scores), "--resamples", "100", "--out", str(work.parent))
    assert outcome.code == 0, outcome.err
    assert f"stay in '{work}'" in outcome.err


@pytest.mark.slow
def test_scores_become_a_report(likeness: Command, tmp_path: Path) -> None:
    scores = write_scores(tmp_path / "scores.csv")
    out = tmp_path / "out"
    outcome = likeness("evaluate", str(scores), "--resamples", "100", "--out", str(out))
    assert outcome.code == 0, outcome.err
    assert "FNMR" in outcome.out
    (findings,) = report_of(out)["findings"]
    assert findings["verification"]["mated"] == 72
    points = findings["verification"]["points"]
    assert [point["target_fmr"] for point in points] == [0.1]
    # Strangers score N(0, 1), mates N(3, 1): a tenth of the former reach 1.28, 4.3% of the latter
    # do not.
    assert math.isclose(points[0]["threshold"]["value"], 1.28, abs_tol=0.15)
    assert points[0]["fnmr"]["low"] <= 0.043 <= points[0]["fnmr"]["high"]
    page = (out / "report.html").read_text()
    assert "http://" not in page.replace("http://www.w3.org", "") and "<script" not in page


@pytest.mark.slow
def test_json_is_what_the_file_holds(likeness: Command, tmp_path: Path) -> None:
    scores = write_scores(tmp_path / "scores.csv")
    out = tmp_path / "out"
    outcome = likeness("evaluate", str(scores), "--resamples", "100", "--out", str(out), "--json")
    assert json.loads(outcome.out) == report_of(out)


def test_an_audit_compares_every_column_of_labels(likeness: Command, tmp_path: Path) -> None:
    scores, labels = write_scores(tmp_path / "s.csv"), write_labels(tmp_path / "l.csv")
    out = tmp_path / "out"
    outcome = likeness(
        *("audit", str(scores), "--labels", str(labels), "--resamples", "100", "--out", str(out))
    )
    assert outcome.code == 0, outcome.err
    (axis,) = report_of(out)["findings"][0]["axes"]
    assert [group["group"] for group in axis["groups"]] == ["f", "m"]


def test_an_unknown_column_ends_before_anything_is_done(likeness: Command, tmp_path: Path) -> None:
    scores, labels = write_scores(tmp_path / "s.csv"), write_labels(tmp_path / "l.csv")
    outcome = likeness("audit", str(scores), "--labels", str(labels), "--group", "race")
    assert outcome.code == 2
    assert "No such column of groups 'race'. There is: sex." in outcome.err


def test_an_audit_without_groups_ends_before_anything_is_done(
    likeness: Command, tmp_path: Path
) -> None:
    scores = write_scores(tmp_path / "s.csv")
    outcome = likeness("audit", str(scores), "--out", str(tmp_path / "out"))
    assert outcome.code == 2
    assert "no groups" in outcome.err and "--labels" in outcome.err
    assert not (tmp_path / "out" / "report.json").exists()


@pytest.mark.slow
def test_distances_taken_for_scores_are_the_first_thing_said(
    likeness: Command, tmp_path: Path
) -> None:
    rows = ["path_a,path_b,score,same"]
    rows += [f"{one}.jpg,{one}b.jpg,{'' if one < 9 else 0.2},1" for one in range(40)]
    rows += [f"{one}.jpg,{two}.jpg,1.2,0" for one in range(40) for two in range(one)]
    (tmp_path / "s.csv").write_text("\n".join(rows) + "\n")
    outcome = likeness(
        *("evaluate", str(tmp_path / "s.csv"), "--resamples", "100"),
        *("--out", str(tmp_path / "out")),
    )
    said = outcome.out.partition("What is wrong with the data")[2].splitlines()
    assert "Pairs of one person score lower" in said[1] and "--distances" in " ".join(said[1:4])


def test_an_interrupted_run_says_how_it_goes_on(
    likeness: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("likeness.cli.evaluated.evaluate", interrupted)
    scores = write_scores(tmp_path / "scores.csv")
    outcome = likeness("evaluate", str(scores), "--out", str(tmp_path / "out"), "--json")
    assert outcome.code == 130
    assert "Run the same command again to continue." in outcome.err
    assert "same command" in json.loads(outcome.out)["error"]["message"]


def test_a_threshold_next_to_nothing_is_said_in_words(likeness: Command, tmp_path: Path) -> None:
    """Endpoints leave out most strangers, who all score 0."""
    rows = ["path_a,path_b,score,same"]
    rows += [f"{one}.jpg,{one}b.jpg,90,1" for one in range(40)]
    rows += [f"{one}.jpg,{two}.jpg,0,0" for one in range(40) for two in range(one)]
    (tmp_path / "s.csv").write_text("\n".join(rows) + "\n")
    outcome = likeness(
        *("evaluate", str(tmp_path / "s.csv"), "--resamples", "100"),
        *("--out", str(tmp_path / "out")),
    )
    assert outcome.code == 0, outcome.err
    assert "just above 0" in outcome.out and "e-45" not in outcome.out


def test_pictures_are_evaluated_by_likeness_itself(
    likeness: Command, picture: Callable[..., Path], tmp_path: Path
) -> None:
    for name, colour in (("red", RED), ("green", GREEN), ("blue", BLUE)):
        for number in range(2):
            picture(f"people/{name}/{number}.png", tuple(value - number for value in colour))
    (tmp_path / "people" / "red" / "broken.png").write_bytes(b"no picture")
    out = tmp_path / "out"
    outcome = likeness(
        *("evaluate", str(tmp_path / "people"), "--resamples", "100", "--out", str(out), "--search")
    )
    assert outcome.code == 0, outcome.err
    (findings,) = report_of(out)["findings"]
    assert findings["system"]["kind"] == "likeness"
    for network in ("recogniser", "detector"):
        digest = findings["system"]["details"][f"{network}'s digest"]
        assert len(digest) == 64 and f"@{digest[:8]}" in findings["system"]["model"]
    assert findings["failures"]["fta"]["errors"] == 1
    assert not (out / "work").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "There is no 'nowhere'"),
        (["text.csv"], "none of the forms of data (its first line: colour, shape)"),
        (["scores.csv", "--system", "likeness"], "The data are a file of scores"),
        (["scores.csv", "--resamples", "5"], "5 resamples"),
        (["scores.csv", "--fmr", "2"], "between 0 and 1"),
        (["scores.csv", "--threshold", "high"], "Not a threshold: 'high'"),
        (["scores.csv", "--threshold", "nan"], "Not a threshold: nan"),
        (["scores.csv", "--threshold", "1e999"], "Not a threshold: inf"),
        (["scores.csv", "--seed", "-1"], "Draws cannot start from -1"),
        (["scores.csv", "--threshold", "in-force"], "Test Likeness, or give a score"),
        (["scores.csv", "--out", "text.csv/x"], "cannot be made"),
    ],
)
def test_misuse_is_one_clear_line(
    likeness: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_scores(tmp_path / "scores.csv", people=6)
    (tmp_path / "text.csv").write_text("colour,shape\nred,round\n")
    outcome = likeness("evaluate", *arguments)
    assert outcome.code == 2
    assert says in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.slow
def test_two_systems_are_compared_on_the_same_trials(likeness: Command, tmp_path: Path) -> None:
    one = write_scores(tmp_path / "one.csv")
    other = write_scores(tmp_path / "other.csv", shift=-2.0, seed=1)
    out = tmp_path / "out"
    outcome = likeness(
        *("evaluate", str(one), "--system", str(other), "--resamples", "100", "--out", str(out)),
        *("--system-name", "first", "--system-name", "second"),
    )
    assert outcome.code == 0, outcome.err
    report = report_of(out)
    assert [each["system"]["name"] for each in report["findings"]] == ["first", "second"]
    missed = report["differences"][0]
    assert missed["figure"] == "FNMR at FMR 0.1"
    assert missed["difference"]["low"] > 0
    assert missed["p_value"] < 0.05


@pytest.mark.slow
def test_searches_are_counted_with_the_size_of_their_gallery(
    likeness: Command, tmp_path: Path
) -> None:
    scores = write_scores(tmp_path / "scores.csv", people=40, shift=3.0)
    out = tmp_path / "out"
    outcome = likeness(
        *("evaluate", str(scores), "--search", "--resamples", "100", "--out", str(out))
    )
    assert outcome.code == 0, outcome.err
    (findings,) = report_of(out)["findings"]
    found = findings["identification"]
    assert (found["gallery"], found["enrolled"]) == (20, 20)
    assert (found["mated"], found["nonmated"]) == (40, 60)
    assert found["hit_rates"][0]["value"] > 0.9


def test_scores_under_another_name_are_asked_about(likeness: Command, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("path_a,path_b,same,cosine_distance\na.jpg,b.jpg,1,0.2\n")
    outcome = likeness("evaluate", str(pairs))
    assert outcome.code == 2
    assert "Give --score-column cosine_distance to evaluate them" in outcome.err
