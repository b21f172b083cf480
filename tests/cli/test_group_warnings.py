"""Answers warn of groups whose strangers match far more often than was asked for."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from likeness.terms import GroupPoint, GroupRates, MeasuredGroups
from likeness.vision.cohorts.standards import Standards

from .conftest import BLUE, RED, Outcome

Command = Callable[..., Outcome]
Make = Callable[..., Path]
# At -0.35, which 1 in 1,000 of any discs reach.
WOMEN = GroupRates("sex", "women", 5_000, (GroupPoint(-0.3, 0.04, 0.03, 0.05),))


@pytest.fixture
def measured(standards: Path, tmp_path: Path) -> None:
    calibration = json.loads(next(standards.glob("*.calibration.json")).read_bytes())
    Standards(tmp_path / "home" / "models").keep_groups(
        MeasuredGroups(calibration["model"], calibration["cohort_version"], "x", (WOMEN,))
    )


@pytest.mark.usefixtures("measured")
def test_comparing_and_naming_warn(likeness: Command, picture: Make) -> None:
    a, b = picture("people/red/a.png", RED), picture("b.png", RED, BLUE)
    compared = likeness("compare", a, a)
    said = " ".join(compared.out.split())
    assert "most for women. Among them 1 in 25 pairs of strangers (1 in 33 to 1 in 20)" in said
    assert "says nothing of who is in the picture" in said
    lines = compared.out.splitlines()
    warned = next(place for place, line in enumerate(lines) if line.startswith("Warning"))
    assert max(map(len, lines[warned:])) <= 79
    warning = json.loads(likeness("compare", a, a, "--json").out)["group_warning"]
    assert warning["group"] == "women"
    assert warning["times"] == 40.0
    named = likeness("identify", "--gallery", a.parent.parent, b)
    assert "most for women" in named.out
    answer = json.loads(likeness("identify", "--gallery", a.parent.parent, b, "--json").out)
    assert answer["gallery"]["operating_point"]["group_warning"]["groups"] == 1


@pytest.mark.usefixtures("measured")
def test_the_setting_chooses_from_which_multiple_on(
    likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = picture("a.png", RED)
    for warn_from, words in (("0", "is 0, so no answer warns"), ("50", "none of 1 matches 50")):
        monkeypatch.setenv("LIKENESS_GROUP_FMR_WARNING", warn_from)
        assert "Warning" not in likeness("compare", a, a).out
        assert words in " ".join(likeness("doctor").out.split())


def test_doctor_says_where_nobody_measured_groups(likeness: Command) -> None:
    assert "groups: nobody measured" in likeness("doctor").out


@pytest.mark.usefixtures("measured")
def test_the_models_page_and_doctor_say_the_same(likeness: Command) -> None:
    for arguments in (["models", "show", "dlib-resnet-v1"], ["doctor"]):
        assert "most for women" in " ".join(likeness(*arguments).out.split())
    shown = json.loads(likeness("models", "show", "dlib-resnet-v1", "--json").out)
    assert shown["calibration"]["groups"][0]["group"] == "women"
    assert shown["calibration"]["group_warning"]["asked_for"] == 1e-3


def test_only_audits_of_likeness_at_its_own_threshold_are_kept(
    likeness: Command, tmp_path: Path
) -> None:
    for options in (["--system", "rekognition"], ["--threshold", "0.5"]):
        refused = likeness("audit", tmp_path / "x.csv", "--keep", *options, "--out", tmp_path / "o")
        assert refused.code == 2
        assert "--keep" in refused.err
