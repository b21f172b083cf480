"""`likeness sources watch`: who of a collection a source shows, as it happens, and on record."""

import json
import re
from pathlib import Path

import pytest

from likeness.notify import WebhookSecret
from tests.notify.receiver import receiving
from tests.service.accounting import FACTS

from .conftest import BLUE, RED
from .disc_clips import clip_of
from .staff import Command, Make, employ
from .test_on_record import entries

pytestmark = pytest.mark.slow

STATED = ("--for", "1h", "--authority", "the head of security", "--criteria", "staff alone")


@pytest.fixture
def gate(likeness: Command, picture: Make, tmp_path: Path) -> None:
    """A source that shows Rosa of `staff` for three seconds, and somebody unknown then."""
    employ(likeness, picture)
    clip = clip_of(tmp_path / "clip.mp4", [(RED, 0, 3, 100), (BLUE, 1, 5, 330)])
    assert likeness("sources", "add", "gate", clip, "--place", "the north gate").code == 0
    assert likeness("policy", "disable", "real-time").code == 0


def test_sightings_are_printed_and_on_record(likeness: Command, gate: None) -> None:
    before = len(entries())

    outcome = likeness("sources", "watch", "gate", "--collection", "staff", *STATED)

    assert (outcome.code, outcome.err) == (0, "")
    assert "is Rosa, similarity" in outcome.out
    assert "(Rosa) left, in view since" in outcome.out
    assert "is a stranger" in outcome.out
    assert outcome.out.endswith("Search ended.\n")
    left = entries()[before:]
    assert {one["operation"] for one in left} >= {"WatchSource", "RunLiveSearch", "Sighting"}
    assert not any(word in json.dumps(left) for word in ("Rosa", "staff", "gate", "security"))


def test_whose_consent_is_owed_is_said_at_once(
    likeness: Command, gate: None, tmp_path: Path
) -> None:
    rules = tmp_path / "of-a-test.cedar"
    rules.write_text(
        '@id("consent") @source("a test") @effective("2000-01-01")'
        ' @obligation("authorisation") @amount("24")'
        ' forbid(principal, action == Action::"search", resource)'
        " when { context.liveSearch } unless { context.authorised };"
    )
    rules.with_suffix(".toml").write_text(FACTS)
    assert likeness("policy", "enable", rules.with_suffix(".toml")).code == 0

    outcome = likeness("sources", "watch", "gate", "--collection", "staff", *STATED)

    (listed,) = json.loads(likeness("review", "list", "--json").out)["cases"]
    assert f"another admin: likeness review authorise {listed['id']}\n" in outcome.out
    assert f"until case {listed['id']} is decided" in outcome.out
    assert "Rosa" not in outcome.out


def test_as_json_each_sighting_is_a_line(likeness: Command, gate: None) -> None:
    outcome = likeness("sources", "watch", "gate", "--collection", "staff", *STATED, "--json")
    told = [json.loads(line) for line in outcome.out.splitlines()]
    assert [one["number"] for one in told] == list(range(1, len(told) + 1))
    (seen,) = (one for one in told if one["kind"] == "seen")
    assert (seen["match"]["subject"], seen["withheld"]) == ("Rosa", False)


@pytest.mark.parametrize("as_json", [False, True])
def test_webhooks_are_told_before_the_command_ends(
    likeness: Command, gate: None, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    monkeypatch.setenv("LIKENESS_WEBHOOK_NETWORKS", "127.0.0.1/32")
    more = ("--json",) if as_json else ()
    with receiving() as receiver:
        outcome = likeness(
            *("sources", "watch", "gate", "--collection", "staff", *STATED),
            *("--webhook", receiver.url, *more),
        )
        assert outcome.code == 0
        (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", outcome.out)
        told = [json.loads(body) for body in receiver.verified(WebhookSecret.from_text(secret))]
    assert [one["type"] for one in told] == ["live.sighting"] * (len(told) - 1) + ["live.ended"]
    seen = [one["data"]["match"] for one in told if one["data"].get("kind") == "seen"]
    assert [one["subject"] for one in seen] == ["Rosa"]
    if as_json:
        assert all(json.loads(line) for line in outcome.out.splitlines())


def test_by_default_it_is_refused(likeness: Command, gate: None) -> None:
    assert likeness("policy", "enable", "real-time").code == 0
    assert likeness("sources", "add", "camera", "rtsp://camera.example/main").code == 0
    stated = (*STATED, "--place", "the north gate")
    outcome = likeness("sources", "watch", "camera", "--collection", "staff", *stated)
    assert (outcome.code, outcome.out) == (1, "")
    assert "until an admin disables that pack" in outcome.err


def test_a_refusal_says_what_is_left_to_state(likeness: Command, gate: None) -> None:
    assert likeness("sources", "add", "camera", "rtsp://camera.example/main").code == 0
    begin = ("sources", "watch", "camera", "--collection", "staff")
    assert "; state its place, authority, criteria and end:" in likeness(*begin).err
    stated = ("--place", "the north gate", "--authority", "an order", "--for", "1h")
    assert "; state its criteria:" in likeness(*begin, *stated).err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--for", "soon"), "'soon' is no period"),
        (("--for", "1h", "--until", "2100-01-01T10:00"), "Give one of them"),
        (("--for", "1h", "--purpose", "fun"), "fun"),
        (("--for", "0s"), "past, or in more than a year"),
        (("--for", "1h", "--looks", "0"), "looks a second"),
        (("--for", "1h", "--webhook", "http://127.0.0.1/x"), "LIKENESS_WEBHOOK_NETWORKS"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_line(
    likeness: Command, gate: None, more: tuple[str, ...], said: str
) -> None:
    stated = ("--authority", "somebody", "--criteria", "staff alone")
    outcome = likeness("sources", "watch", "gate", "--collection", "staff", *stated, *more)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    assert outcome.err.count("\n") == 1


def test_no_such_source_is_said(likeness: Command, gate: None) -> None:
    outcome = likeness("sources", "watch", "door", "--collection", "staff", *STATED)
    assert outcome.code == 2
    assert "No such source 'door'" in outcome.err
