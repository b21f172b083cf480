"""`likeness identify --collection` on clips: jobs that rules admit and the ledger records."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from likeness.review import Verdict
from likeness.review.tables import CANDIDATES, CASES

from .conftest import BLUE, RED
from .disc_clips import clip_of
from .staff import Command, Make, employ, enable_rules
from .test_on_record import REVIEWED, decide, entries, rows

pytestmark = pytest.mark.slow


@pytest.fixture
def clip(likeness: Command, picture: Make, tmp_path: Path) -> Path:
    """Rosa of `staff` for three seconds, and somebody unknown from the second one on."""
    employ(likeness, picture)
    return clip_of(tmp_path / "clip.mp4", [(RED, 0, 3, 100), (BLUE, 2, 4, 330)])


def test_people_of_a_collection_are_named_in_a_clip_and_it_is_on_record(
    likeness: Command, clip: Path
) -> None:
    before = len(entries())
    outcome = likeness("identify", "--collection", "staff", clip)
    assert (outcome.code, outcome.err) == (0, "")
    assert "Collection staff: 2 subjects with 3 references." in outcome.out
    assert "1 known person and 1 stranger" in outcome.out
    assert "   1  Rosa, similarity" in outcome.out
    assert "   2  stranger 1\n" in outcome.out
    left = entries()[before:]
    assert {one["action"] for one in left} == {"search"}
    assert left[-1]["kind"] == "done"
    assert not any(word in json.dumps(left) for word in ("Rosa", "staff", "clip.mp4"))


def test_a_clip_that_is_done_is_not_done_again(
    likeness: Command, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = likeness("identify", "--collection", "staff", clip)

    def decode(*arguments: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr("likeness.service.video.run.reading", decode)
    again = likeness("identify", "--collection", "staff", clip)
    assert (again.code, again.out, again.err) == (0, first.out, "")


def test_a_rule_that_refuses_leaves_the_clip_unread(likeness: Command, clip: Path) -> None:
    assert likeness("policy", "suspend", "--all", "--reason", "an audit").code == 0
    outcome = likeness("identify", "--collection", "staff", clip)
    assert (outcome.code, outcome.out) == (1, "")
    assert "is refused by stop-switch" in outcome.err


def test_a_clip_that_people_have_to_look_at_first_names_nobody_until_they_have(
    likeness: Command, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_CROPS", "on")
    enable_rules(likeness, tmp_path, REVIEWED)
    table = tmp_path / "seen.csv"
    command = ("identify", "--collection", "staff", clip, "--csv", table)
    outcome = likeness(*command)
    assert outcome.code == 1
    assert "Rosa" not in outcome.out + outcome.err + table.read_text()
    assert outcome.out.count("  withheld\n") == 2
    assert "stranger 1" not in outcome.out + table.read_text()
    for case in rows(CASES):
        assert f"withheld until people have decided case {case.id}" in outcome.out
    for one in rows(CANDIDATES):
        decide(one.case_id, one.number, Verdict.SAME if one.rank == 1 else Verdict.NOT_SAME)
    decided = likeness(*command)
    assert (decided.code, decided.err) == (0, "")
    # Of the stranger nobody can say that they are none: their case has no candidate to decide.
    assert "   1  Rosa, similarity" in decided.out
    assert "1 known person and 1 person withheld in " in decided.out
    assert decided.out.count("answered as people decided case") == 1
    assert decided.out.count("withheld until people have decided case") == 1


def contrast(path: Path) -> float:
    return float(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).std())


def test_best_shots_are_blurred_where_children_may_be_exploited_unless_asked_for(
    likeness: Command, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_PURPOSE", "exploited-children")
    command = ("identify", "--collection", "staff", clip, "--shots", tmp_path / "shots")
    outcome = likeness(*command)
    assert outcome.code == 0
    assert "stills are blurred, since the purpose is exploited-children" in outcome.err
    shot = tmp_path / "shots" / "clip-stranger-1.jpg"
    blurred = contrast(shot)
    assert likeness(*command, "--unblurred").err == ""
    assert contrast(shot) > 1.5 * blurred
    assert np.isfinite(blurred)


def test_what_is_for_pictures_alone_is_said_so(likeness: Command, clip: Path) -> None:
    outcome = likeness("identify", "--collection", "staff", "--by", "subject", clip)
    assert outcome.code == 2
    assert "--by is for pictures" in outcome.err
