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
