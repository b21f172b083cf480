"""`likeness policy suspend|resume`: what is stopped, and how whoever meets that gets on."""

import json
import shlex
from typing import Any

import pytest

from .staff import Command


def answer(likeness: Command, *arguments: object, code: int = 0) -> Any:
    outcome = likeness("policy", *arguments, "--json")
    assert (outcome.code, outcome.err) == (code, "")
    return json.loads(outcome.out)


@pytest.mark.parametrize("what", [["--all"], ["--organisation=PD"], ["--purpose=victim-search"]])
def test_what_is_suspended_is_resumed_with_the_same_option(
    likeness: Command, what: list[str]
) -> None:
    likeness("keys", "create", "desk", "--organisation=PD")
    use = ["explain", "--organisation=PD", "--purpose=missing-persons"]
    assert answer(likeness, "suspend", *what, "--reason=an audit")["suspended"] is True
    assert answer(likeness, *use, code=1)["allowed"] is False
    assert answer(likeness, "resume", *what)["suspended"] is False
    assert answer(likeness, *use)["allowed"] is True


def test_a_use_is_explained_of_a_collection_that_is_stopped(likeness: Command) -> None:
    likeness("collections", "create", "staff")
    likeness("collections", "create", "guests")
    reason = "--reason=an audit"
    assert likeness("policy", "suspend", "--collection", "staff", reason).code == 0
    stopped = answer(likeness, "explain", "--collection", "staff", code=1)
    assert [one["rule"] for one in stopped["refused_by"]] == ["stop-switch"]
    assert answer(likeness, "explain", "--collection", "guests")["allowed"] is True
    (listed,) = answer(likeness, "list")["suspensions"]
    assert (listed["scope"], listed["subject"]) == ("collection", stopped["collection"])
    assert "an audit" in likeness("policy", "list").out
    assert likeness("policy", "resume", "--collection", listed["subject"]).code == 0
    assert answer(likeness, "explain", "--collection", "staff")["allowed"] is True


@pytest.mark.parametrize(
    "what", [["--all"], ["--organisation", "A Desk"], ["--collection", "staff"]], ids=" ".join
)
def test_whoever_stops_something_is_told_the_command_that_lifts_it(
    likeness: Command, what: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_ORGANISATION", "A Desk")
    likeness("collections", "create", "staff")
    stopped = likeness("policy", "suspend", *what, "--reason=an audit")
    assert (stopped.code, stopped.err) == (0, "")
    command = stopped.out.splitlines()[-1].strip().removeprefix("until ")
    assert command in likeness("policy", "list").out
    refused = likeness("collections", "subjects", "staff")
    assert (refused.code, refused.out) == (1, "")
    assert "`likeness policy list`" in refused.err
    assert "`likeness policy resume` lifts it" in refused.err
    assert likeness(*shlex.split(command)[1:]).code == 0
    assert likeness("collections", "subjects", "staff").code == 0


def test_a_stop_of_an_organisation_that_nobody_is_of_warns_and_names_the_nearest(
    likeness: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    likeness("keys", "create", "desk", "--organisation", "A Department")
    likeness("keys", "create", "gone", "--organisation", "Old Desk")
    likeness("keys", "disable", "gone")

    def stop(organisation: str) -> str:
        outcome = likeness("policy", "suspend", "--organisation", organisation, "--reason=why")
        assert (outcome.code, outcome.out.count("\n")) == (0, 2)
        return str(outcome.err)

    assert stop("a  DEPARTMENT") == ""
    misspelt = stop("A Departement")
    assert misspelt.count("\n") == 1
    assert "the nearest is 'A Department'" in misspelt
    assert "`likeness policy resume --organisation 'A Departement'`" in misspelt
    assert "nobody is stopped yet" in stop("Old Desk")
    monkeypatch.setenv("LIKENESS_ORGANISATION", "Here")
    assert stop("Here") == ""
