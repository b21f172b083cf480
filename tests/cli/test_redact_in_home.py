"""`likeness redact --keep` and `--only`: searches that rules admit and the ledger records."""

import json
from pathlib import Path

import pytest

from likeness.review import Verdict
from likeness.review.tables import CANDIDATES

from .conftest import BLUE, RED
from .disc_clips import clip_of
from .staff import Command, Make, employ, enable_rules
from .test_on_record import REVIEWED, decide, entries, rows
from .test_redact_clips import seen_at

pytestmark = pytest.mark.slow


@pytest.fixture
def clip(likeness: Command, picture: Make, tmp_path: Path) -> Path:
    """Rosa of `staff` for three seconds, and somebody unknown from the second one on."""
    employ(likeness, picture)
    return clip_of(tmp_path / "clip.mp4", [(RED, 0, 3, 100), (BLUE, 2, 4, 330)])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.mp4"


def test_all_but_the_people_of_a_collection_are_hidden_and_it_is_on_record(
    likeness: Command, clip: Path, out: Path
) -> None:
    before = len(entries())
    outcome = likeness("redact", clip, "--keep", "staff", "--style", "black", "-o", out)
    assert outcome.code == 0, outcome.err
    assert seen_at(out, 25) == (True, False)
    left = entries()[before:]
    assert {one["action"] for one in left} == {"search"}
    assert left[-1]["kind"] == "done"
    assert not any(word in json.dumps(left) for word in ("Rosa", "staff", "clip.mp4"))


def test_only_the_people_of_a_collection_are_hidden(
    likeness: Command, clip: Path, out: Path
) -> None:
    outcome = likeness("redact", clip, "--only", "staff", "--style", "black", "-o", out)
    assert outcome.code == 0, outcome.err
    assert seen_at(out, 25) == (False, True)


@pytest.mark.parametrize("kind", ["clip", "picture"])
def test_a_rule_that_refuses_leaves_no_copy(
    likeness: Command, clip: Path, picture: Make, tmp_path: Path, kind: str
) -> None:
    assert likeness("policy", "suspend", "--all", "--reason", "an audit").code == 0
    source = clip if kind == "clip" else picture("one.png", RED)
    out = tmp_path / ("out.mp4" if kind == "clip" else "out.png")
    outcome = likeness("redact", source, "--keep", "staff", "-o", out)
    assert (outcome.code, outcome.out) == (1, "")
    assert "is refused by stop-switch" in outcome.err
    assert not out.exists()


def test_whoever_people_have_to_look_at_first_is_hidden_until_they_have(
    likeness: Command,
    clip: Path,
    out: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIKENESS_CROPS", "on")
    enable_rules(likeness, tmp_path, REVIEWED)
    command = "redact", clip, "--keep", "staff", "--style", "black", "-o", out
    assert likeness(*command).code == 0
    assert seen_at(out, 25) == (False, False)
    for one in rows(CANDIDATES):
        decide(one.case_id, one.number, Verdict.SAME if one.rank == 1 else Verdict.NOT_SAME)
    assert likeness(*command).code == 0
    assert seen_at(out, 25) == (True, False)


def test_whoever_people_have_to_look_at_first_is_hidden_with_those_asked_for(
    likeness: Command,
    clip: Path,
    out: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIKENESS_CROPS", "on")
    enable_rules(likeness, tmp_path, REVIEWED)
    assert likeness("redact", clip, "--only", "staff", "--style", "black", "-o", out).code == 0
    assert seen_at(out, 25) == (False, False)


def test_all_but_the_people_of_a_collection_are_hidden_in_a_picture(
    likeness: Command, clip: Path, picture: Make, tmp_path: Path
) -> None:
    before, out = len(entries()), tmp_path / "out.png"
    outcome = likeness("redact", picture("two.png", RED, BLUE), "--keep", "staff", "-o", out)
    assert outcome.code == 0, outcome.err
    assert "1 face hidden" in outcome.out
    assert "visible: Rosa, box" in outcome.out
    left = entries()[before:]
    assert {one["action"] for one in left} == {"search"}
    assert {one["operation"] for one in left} == {"redact"}
