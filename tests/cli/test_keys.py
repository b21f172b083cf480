"""`likeness keys`, through the real command."""

import io
import json
import re
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
import typer
from sqlalchemy import update

from likeness.access import KnownKeys
from likeness.access.access_keys import KEYS
from likeness.service.govern.sign_in import Attempt, sign_in
from likeness.terms import Role

from .staff import Command, home, make_home

DECLARED = ["--organisation=Thorn", "--sector=charity", "--jurisdiction=US-WA"]


def answer(likeness: Command, *arguments: object) -> Any:
    outcome = likeness("keys", *arguments, "--json")
    assert outcome.code == 0
    return json.loads(outcome.out)


def listed(likeness: Command) -> dict[str, Any]:
    return {one["name"]: one for one in answer(likeness, "list")["keys"]}


def test_a_key_is_made_and_its_secret_shown_once(likeness: Command) -> None:
    outcome = likeness("keys", "create", "desk", *DECLARED)
    assert (outcome.code, outcome.err) == (0, "")
    shown = dict(re.findall(r"^(access key id|secret access key) +(\S+)$", outcome.out, re.M))
    assert "shown this once" in outcome.out
    again = likeness("keys", "list")
    assert shown["access key id"] in again.out
    assert shown["secret access key"] not in again.out + likeness("keys", "list", "--json").out
    assert "organisation Thorn, sector charity, jurisdiction US-WA, purpose undeclared" in again.out


def test_json_has_the_two_words_that_programs_look_for(likeness: Command) -> None:
    made = answer(
        likeness, "create", "desk", *DECLARED, "--purpose", "missing-persons", "--purpose=research"
    )
    assert re.fullmatch("LKIA[A-Z2-7]{16}", made["access_key_id"])
    assert len(made["secret_access_key"]) == 40
    assert (made["role"], made["purposes"]) == ("client", ["missing-persons", "research"])


def test_a_key_without_a_sector_is_warned_of(likeness: Command) -> None:
    outcome = likeness("keys", "create", "desk", "--json")
    assert outcome.code == 0
    assert outcome.err.count("\n") == 1
    assert "no --sector" in outcome.err
    assert json.loads(outcome.out)["sector"] == "undeclared"


def test_a_fact_of_another_shape_makes_no_key(likeness: Command) -> None:
    make_home()
    outcome = likeness("keys", "create", "desk", "--sector", "Police")
    assert (outcome.code, outcome.out) == (2, "")
    assert "lower-case words" in outcome.err
    assert listed(likeness) == {}
    assert "There is no access key yet" in likeness("keys", "list").out


@pytest.mark.parametrize(
    ("option", "value", "nearest"),
    [
        ("sector", "polizei", "'police'"),
        ("jurisdiction", "US-WAX", "'US-WA'"),
        ("jurisdiction", "ZZ", ""),
        ("purpose", "missing-person", "'missing-persons'"),
    ],
)
def test_a_value_that_no_rule_knows_makes_no_key_and_the_nearest_is_named(
    likeness: Command, option: str, value: str, nearest: str
) -> None:
    outcome = likeness("keys", "create", "desk", f"--{option}", value)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    assert f"No such {option} {value!r}" in outcome.err
    assert f"the nearest is {nearest}" in outcome.err or not nearest
    assert f"`likeness policy explain --each {option}` lists them all" in outcome.err
    assert listed(likeness) == {}


@pytest.mark.parametrize(
    "arguments",
    [
        "policy explain --sector polizei",
        "policy explain --jurisdiction ZZ",
        "policy explain --purpose fun",
        "policy suspend --purpose fun --reason why",
        "watch add a.png --collection c --purpose fun --authority a --criteria b"
        " --expires 2026-12-01",
    ],
)
def test_no_command_takes_a_value_that_no_rule_knows(likeness: Command, arguments: str) -> None:
    outcome = likeness(*arguments.split())
    assert (outcome.code, outcome.out) == (2, "")
    assert "No such" in outcome.err


@pytest.mark.parametrize("fact", ["SECTOR", "JURISDICTION", "PURPOSE"])
def test_somebody_at_the_command_line_is_nothing_that_no_rule_knows(
    likeness: Command, monkeypatch: pytest.MonkeyPatch, fact: str
) -> None:
    monkeypatch.setenv(f"LIKENESS_{fact}", "polizei")
    outcome = likeness("keys", "list")
    assert (outcome.code, outcome.out) == (2, "")
    assert f"LIKENESS_{fact}" in outcome.err


def test_a_name_is_no_command_to_a_terminal(likeness: Command) -> None:
    answer(likeness, "create", "[bold]Ärger", "--sector=charity")
    assert "[bold]Ärger (client)" in likeness("keys", "list").out
    assert likeness("keys", "create", "a\x1b[2J").code == 2


def test_a_disabled_key_is_enabled_again(likeness: Command) -> None:
    answer(likeness, "create", "desk", *DECLARED)
    assert "desk is disabled" in likeness("keys", "disable", "desk").out
    assert listed(likeness)["desk"]["disabled_at"] is not None
    assert "disabled since" in likeness("keys", "list").out
    assert answer(likeness, "enable", "desk")["disabled_at"] is None


def test_the_last_admins_key_takes_a_yes(likeness: Command) -> None:
    answer(likeness, "create", "root", "--role", "admin", *DECLARED)
    outcome = likeness("keys", "disable", "root")
    assert (outcome.code, outcome.out) == (2, "")
    assert "give --yes" in outcome.err
    assert answer(likeness, "disable", "root", "--yes")["disabled_at"] is not None


def test_a_rotated_key_has_a_new_secret_and_a_while_the_old_one(likeness: Command) -> None:
    old = answer(likeness, "create", "desk", *DECLARED)
    new = answer(likeness, "rotate", "desk", "--grace", 2)
    assert new["id"] == old["id"]
    first, second = listed(likeness)["desk"]["ids"]
    assert first == {"access_key_id": new["access_key_id"], "ends_at": None}
    assert second["access_key_id"] == old["access_key_id"]
    assert f"{old['access_key_id']} until" in likeness("keys", "list").out
    last = answer(likeness, "rotate", "desk")
    assert [one["access_key_id"] for one in listed(likeness)["desk"]["ids"]] == [
        last["access_key_id"]
    ]


def test_a_key_that_is_none_is_said_to_be(likeness: Command) -> None:
    make_home()
    for verb in ("disable", "enable", "rotate"):
        outcome = likeness("keys", verb, "nobody")
        assert (outcome.code, outcome.out) == (2, "")
        assert "likeness keys list" in outcome.err


def test_keys_are_made_while_a_server_has_the_home_and_it_knows_them(likeness: Command) -> None:
    with home() as opened:
        made = answer(likeness, "create", "desk", *DECLARED)
        known = KnownKeys(opened.freshness, opened.keyring, lambda: datetime.now(UTC))
        found = known.find(made["access_key_id"])
    assert found is not None
    assert found.secret == made["secret_access_key"]
    assert found.principal.role is Role.CLIENT


def test_a_broken_key_is_said_to_be_and_can_be_disabled(likeness: Command) -> None:
    answer(likeness, "create", "desk", *DECLARED)
    answer(likeness, "create", "door", *DECLARED)
    with home() as opened:
        opened.database.write(
            lambda c: c.execute(update(KEYS).where(KEYS.c.name == "desk").values(role="root"))
        )
    shown = likeness("keys", "list").out
    assert "desk (broken)\n  its row says what no key can" in shown
    assert "door (client)" in shown
    assert (listed(likeness)["desk"]["broken"], listed(likeness)["desk"]["role"]) == (True, None)
    assert (listed(likeness)["door"]["broken"], listed(likeness)["door"]["role"]) == (
        False,
        "client",
    )
    outcome = likeness("keys", "rotate", "desk")
    assert (outcome.code, outcome.out) == (3, "")
    assert "says what no key can" in outcome.err
    assert answer(likeness, "disable", "desk")["disabled_at"] is not None
    assert answer(likeness, "create", "third", *DECLARED)["name"] == "third"


GOOD = "four words that nobody guesses"


class Terminal(io.StringIO):
    """Somebody who sits at a terminal."""

    def isatty(self) -> bool:
        return True


def signs_in(name: str, password: str) -> bool:
    with home() as opened:
        return sign_in(opened, Attempt(name, password)).token is not None


def test_a_password_comes_on_standard_input_and_is_never_shown(
    likeness: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    likeness("keys", "create", "desk", *DECLARED)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{GOOD}\nanother line\n"))
    outcome = likeness("keys", "password", "desk")
    assert outcome.code == 0
    assert "signs in with the new password" in outcome.out
    assert GOOD not in outcome.out + outcome.err
    assert signs_in("desk", GOOD)
    assert answer(likeness, "password", "desk", "--remove")["has_password"] is False
    assert not signs_in("desk", GOOD)


def test_at_a_terminal_a_password_is_asked_for_twice_and_not_shown(
    likeness: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    likeness("keys", "create", "desk", *DECLARED)
    asked: list[dict[str, Any]] = []

    def prompt(question: str, **how: Any) -> str:
        asked.append(how)
        return GOOD

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(typer, "prompt", prompt)
    assert likeness("keys", "password", "desk").code == 0
    assert asked == [{"hide_input": True, "confirmation_prompt": True, "err": True}]
    assert signs_in("desk", GOOD)


@pytest.mark.parametrize(
    ("typed", "why"),
    [("", "No password"), ("\n", "No password"), ("short\n", "5 characters"), ("x" * 300, "300")],
)
def test_what_is_no_password_changes_nothing(
    likeness: Command, monkeypatch: pytest.MonkeyPatch, typed: str, why: str
) -> None:
    likeness("keys", "create", "desk", *DECLARED)
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    outcome = likeness("keys", "password", "desk")
    assert (outcome.code, outcome.out) == (2, "")
    assert why in outcome.err


def test_nobody_gets_no_password(likeness: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    likeness("keys", "create", "desk", *DECLARED)
    monkeypatch.setattr(sys, "stdin", io.StringIO(GOOD))
    outcome = likeness("keys", "password", "absent")
    assert outcome.code == 2
    assert "No such access key 'absent'" in outcome.err
