"""`likeness models calibrate`, through the real command."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from likeness.app import Workload
from likeness.cli.installation import installation_here, load_finder
from likeness.terms import Calibration, compare
from tests.vision.foremost import foremost_template

from .conftest import Outcome

pytestmark = pytest.mark.slow

Command = Callable[..., Outcome]


@pytest.fixture
def people(picture: Callable[..., Path], tmp_path: Path) -> Path:
    """Thirty people of two pictures each, no colour twice."""
    colours = np.random.default_rng(5).integers(0, 256, (300, 3))
    strong = [colour for colour in colours if np.ptp(colour) > 150]
    for person, colour in enumerate(strong[:30]):
        for number in (1, 2):
            drawn = tuple(int(value) for value in np.clip(colour + number, 0, 255))
            picture(f"people/person {person:02}/{number}.png", drawn, side=96)
    return tmp_path / "people"


def test_every_pair_of_strangers_is_scored_once_and_as_a_comparison_is(
    likeness: Command, people: Path, tmp_path: Path
) -> None:
    out = tmp_path / "calibration.json"
    outcome = likeness("models", "calibrate", people, "--name", "discs", "--out", out)
    assert (outcome.code, outcome.err) == (0, "")
    calibration = Calibration.from_json(json.loads(out.read_text()))
    assert calibration.pairs == 60 * 58 // 2
    assert calibration.measured_on == "discs"
    installation = installation_here()
    finder = load_finder(installation, Workload.ONE)
    templates = [
        (path.parent.name, foremost_template(finder, path))
        for path in sorted(people.glob("*/*.png"))
    ]
    scores = [
        compare(a, b).score
        for (one, a), (other, b) in itertools.combinations(templates, 2)
        if one != other
    ]
    for score, fmr in zip(calibration.scores, calibration.fmrs, strict=True):
        assert np.mean(np.array(scores) >= score) == pytest.approx(fmr, abs=2 / len(scores))


def test_people_known_to_be_mislabelled_are_left_out(
    likeness: Command, people: Path, tmp_path: Path
) -> None:
    out, names = tmp_path / "calibration.json", tmp_path / "names.txt"
    names.write_text("# twins\nperson 00\n\nperson 01\n")
    arguments = ["--out", out, "--leave-out", names]
    assert likeness("models", "calibrate", people, *arguments).code == 0
    assert json.loads(out.read_text())["pairs"] == 56 * 54 // 2
    names.write_text("nobody\n")
    outcome = likeness("models", "calibrate", people, *arguments)
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)


def test_a_calibration_is_used_from_then_on(likeness: Command, people: Path) -> None:
    assert likeness("models", "calibrate", people, "--name", "our own discs").code == 0
    assert "our own discs" in likeness("models", "show", "dlib-resnet-v1").out


def test_too_few_people_are_one_line(
    likeness: Command, picture: Callable[..., Path], tmp_path: Path
) -> None:
    picture("people/one/1.png", (255, 0, 0))
    picture("people/two/1.png", (0, 255, 0))
    outcome = likeness("models", "calibrate", tmp_path / "people")
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)


def test_tables_say_what_scores_mean_and_json_says_the_same(
    likeness: Command, people: Path
) -> None:
    outcome = likeness("models", "calibrate", people)
    assert "What a score means:" in outcome.out
    assert "Thresholds, with 95% intervals:" in outcome.out
    assert "Likelihood ratios (LR) by" in outcome.out
    assert max(map(len, outcome.out.partition("What a score")[2].splitlines())) <= 100
    answer = json.loads(likeness("models", "calibrate", people, "--json").out)
    assert answer["pairs"] == 60 * 58 // 2
    assert answer["meaning"]["likelihood_ratios"]["cllr"]["value"] < 0.5
    assert [one["gallery"] for one in answer["meaning"]["thresholds"]][-1] == 100_000


@pytest.fixture
def manifest(people: Path, tmp_path: Path) -> Path:
    """The same people, every second of whom is of a group, and a picture that is not there."""
    path = tmp_path / "people.csv"
    rows = []
    for one in sorted(people.glob("*/*.png")):
        kind = "odd" if int(one.parent.name[-1]) % 2 else "even"
        rows.append(f"{one.relative_to(people)},{one.parent.name},{kind}")
    path.write_text("\n".join(["path,subject,kind", *rows, "gone.png,person 00,even"]))
    return path


def test_a_manifest_calibrates_as_its_folder_does_and_keeps_its_groups(
    likeness: Command, people: Path, manifest: Path, tmp_path: Path
) -> None:
    outs = [tmp_path / "folder.json", tmp_path / "manifest.json"]
    likeness("models", "calibrate", people, "--name", "x", "--out", outs[0])
    arguments = ["models", "calibrate", manifest, "--root", people, "--group", "kind"]
    written = likeness(*arguments, "--name", "x", "--out", outs[1])
    assert written.code == 0
    assert "'gone.png'" in written.err
    folder, listed = (json.loads(out.read_bytes()) for out in outs)
    assert listed == folder
    shown = ["models", "show", "dlib-resnet-v1", "--json"]
    assert json.loads(likeness(*shown).out)["calibration"]["groups"] == []
    assert likeness(*arguments).code == 0
    groups = json.loads(likeness(*shown).out)["calibration"]["groups"]
    assert [(one["axis"], one["group"], one["pairs"]) for one in groups] == [
        ("kind", "even", 30 * 28 // 2),
        ("kind", "odd", 30 * 28 // 2),
    ]


def test_a_column_that_is_not_there_is_one_line(
    likeness: Command, people: Path, manifest: Path
) -> None:
    outcome = likeness("models", "calibrate", manifest, "--root", people, "--group", "sex")
    assert outcome.code == 2
    assert "No such column of groups 'sex'. There is: kind." in outcome.err


def test_scores_of_any_system_are_calibrated_without_a_model(
    likeness: Command, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    names = [f"p{person}/{number}.jpg" for person in range(30) for number in (1, 2)]
    rows = ["path_a,path_b,score,subject_a,subject_b"]
    for a, b in itertools.combinations(names, 2):
        one, other = a.split("/")[0], b.split("/")[0]
        score = random.normal(80 if one == other else 40, 10)
        rows.append(f"{a},{b},{score:.3f},{one},{other}")
    source, out = tmp_path / "scores.csv", tmp_path / "meaning.json"
    source.write_text("\n".join(rows))
    outcome = likeness("models", "calibrate", source, "--scores", "--out", out)
    assert (outcome.code, outcome.err) == (0, "")
    assert "support for one person" in outcome.out
    meaning = json.loads(out.read_bytes())["meaning"]
    assert meaning["thresholds"][0]["threshold"]["value"] == pytest.approx(63.3, abs=2)


def test_options_of_pictures_do_not_go_with_scores(likeness: Command, tmp_path: Path) -> None:
    for options in (["--scores", "--group", "x"], ["--labels", tmp_path / "x.csv"]):
        outcome = likeness("models", "calibrate", tmp_path / "scores.csv", *options)
        assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
