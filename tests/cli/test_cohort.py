"""`likeness models cohort`, through the real command."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from likeness.vision.cohorts.cohort import Cohort

from .conftest import Outcome

pytestmark = pytest.mark.slow

Command = Callable[..., Outcome]


@pytest.fixture
def crowd(picture: Callable[..., Path], tmp_path: Path) -> Path:
    """Pictures of 120 colours."""
    colours = np.random.default_rng(6).integers(0, 256, (500, 3))
    strong = [colour for colour in colours if np.ptp(colour) > 150][:120]
    assert len(strong) == 120
    for person, colour in enumerate(strong):
        drawn = tuple(int(value) for value in colour)
        picture(f"crowd/{person // 40}/{person}.png", drawn, side=96)
    return tmp_path / "crowd"


def test_a_cohort_is_made_of_every_picture_with_a_face(
    likeness: Command, picture: Callable[..., Path], crowd: Path, tmp_path: Path
) -> None:
    picture("crowd/nobody.png")
    out = tmp_path / "cohort.npz"
    outcome = likeness("models", "cohort", crowd, "--name", "discs, CC0", "--out", out)
    assert outcome.code == 0
    (line,) = outcome.err.splitlines()
    assert "nobody.png" in line
    assert "of 120 faces; 1 picture of no use" in outcome.out
    cohort = Cohort.load(out)
    assert cohort.made_from == "discs, CC0"
    assert cohort.version in outcome.out


def test_a_cohort_is_used_from_then_on(likeness: Command, crowd: Path) -> None:
    outcome = likeness("models", "cohort", crowd)
    assert outcome.code == 0
    version = outcome.out.split()[1].rstrip(":")
    assert f"cohort: {version}" in likeness("doctor").out


def test_too_few_people_are_one_line_and_nothing_is_kept(
    likeness: Command, picture: Callable[..., Path], tmp_path: Path
) -> None:
    folder = picture("few/one.png", (255, 0, 0)).parent
    out = tmp_path / "cohort.npz"
    for where in (folder, tmp_path / "nowhere", folder / "one.png"):
        outcome = likeness("models", "cohort", where, "--out", out)
        assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
        assert not out.exists()
