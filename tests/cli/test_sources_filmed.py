"""`likeness sources watch` in its words, of frames that a test gives it."""

import json
from pathlib import Path

import pytest

from tests.service.accounting import FACTS
from tests.video.filmed import AWAY, watching

from .conftest import BLUE, RED
from .disc_clips import frame
from .staff import Command, Make, employ

pytestmark = pytest.mark.usefixtures("gate")

ROSA, BOTH = frame((RED, 100, 120)), frame((RED, 100, 120), (BLUE, 330, 120))
STATED = ("--for", "1h", "--authority", "the head of security", "--criteria", "staff alone")
WATCH = ("sources", "watch", "gate", "--collection", "staff")


@pytest.fixture
def gate(likeness: Command, picture: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that shows Rosa of `staff`, is away for a moment, and shows somebody else, too."""
    script = [*[ROSA] * 5, None, *[BOTH] * 12, *[frame()] * 8]
    monkeypatch.setattr("likeness.service.live.run.LiveStream", watching(script))
    monkeypatch.setattr("likeness.storage.database.LOOK_EVERY_S", 0.0)
    employ(likeness, picture)
    clip = tmp_path / "gate.mp4"
    clip.write_bytes(b"a clip")
    assert likeness("sources", "add", "gate", clip, "--place", "the north gate").code == 0


def test_sightings_are_said_in_a_line_each(likeness: Command) -> None:
    outcome = likeness(*WATCH, *STATED)
    assert (outcome.code, outcome.err) == (0, "")
    first, *lines = outcome.out.splitlines()
    assert first.endswith("begins; Ctrl-C ends it.")
    said = [line.partition("  ")[2] for line in lines]
    assert any(line.startswith("person 1 is Rosa, similarity ") for line in said)
    assert any(line.startswith("person 2 is a stranger (") for line in said)
    assert any(line.startswith("person 1 (Rosa) left, in view since ") for line in said)
    assert AWAY in said


def test_as_json_each_is_a_line_behind_what_signs_webhooks(likeness: Command) -> None:
    # No webhook goes there: the address is not allowed.
    refused = likeness(*WATCH, *STATED, "--json", "--webhook", "http://127.0.0.1:9/")
    assert refused.code == 2
    outcome = likeness(*WATCH, *STATED, "--json")
    told = [json.loads(line) for line in outcome.out.splitlines()]
    assert [one["number"] for one in told] == list(range(1, len(told) + 1))
    # Before the source was away, and after it.
    seen = [one["match"]["subject"] for one in told if one["kind"] == "seen"]
    assert seen == ["Rosa", "Rosa"]


def test_whoever_has_to_be_decided_about_is_not_named(likeness: Command, tmp_path: Path) -> None:
    rules = tmp_path / "of-a-test.cedar"
    rules.write_text(
        '@id("consent") @source("a test") @effective("2000-01-01")'
        ' @obligation("authorisation") @amount("24")'
        ' forbid(principal, action == Action::"search", resource)'
        " when { context.liveSearch } unless { context.authorised };"
    )
    rules.with_suffix(".toml").write_text(FACTS)
    assert likeness("policy", "enable", rules.with_suffix(".toml")).code == 0
    outcome = likeness(*WATCH, "--until", "2999-01-01T00:00")
    assert outcome.code == 2
    outcome = likeness(*WATCH, *STATED)
    assert "likeness review authorise " in outcome.out
    assert "withheld" in outcome.out
    assert "Rosa" not in outcome.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--for", "soon"], "'soon' is no period"),
        (["--for", "1h", "--until", "2027-01-01T00:00"], "Give one of them"),
        (["--for", "400d"], "more than a year"),
        (["--for", "1h", "--looks", "0"], "looks a second are not possible"),
        (["--for", "1h", "--purpose", "fun"], "fun"),
    ],
)
def test_what_cannot_be_done_is_said(likeness: Command, options: list[str], said: str) -> None:
    outcome = likeness(*WATCH, "--authority", "a", "--criteria", "b", *options)
    assert outcome.code == 2
    assert said in outcome.err
