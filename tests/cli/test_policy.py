"""`likeness policy`, through the real command."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from likeness.app import Installation
from likeness.app.home import database_url, open_rows
from likeness.config import read_settings
from likeness.errors import Denied
from likeness.policy import enable_pack, read_pack, vocabulary
from likeness.policy.cedar import schema_text
from likeness.policy.changes import count_change
from likeness.service.uses.collection_facts import known_values
from likeness.service.uses.record import Outcome
from likeness.storage import open_database
from likeness.terms import Action, Principal, Role, Use
from tests.copied_schema import OF_0_1_0, migrate_to
from tests.gallery.galleries import at

from .staff import Command, home

DOCUMENTED = (Path(__file__).parents[2] / "docs" / "policy.md").read_text()
POLICE = ["--sector=police", "--jurisdiction=US-WA", "--purpose=criminal-investigation"]
FACTS = """
title = "Nobody on Sundays"
jurisdiction = "everywhere"
status = "ours"
effective = 2020-01-01
source = "the house"
version = "1"
reading = "A test."
"""
RULES = """
@id("quiet")
@source("the house")
@effective("2020-01-01")
@obligation("quota")
@amount("10")
forbid(principal, action, resource) unless { context.usesToday < 10 };
"""


def answer(likeness: Command, *arguments: object, code: int = 0) -> Any:
    outcome = likeness("policy", *arguments, "--json")
    assert (outcome.code, outcome.err) == (code, "")
    return json.loads(outcome.out)


def packs(likeness: Command) -> dict[str, Any]:
    return {one["pack"]: one for one in answer(likeness, "list")["packs"]}


def tag_staff(tagged: dict[str, str]) -> None:
    with home() as opened:
        seal = opened.gallery.seal(opened.gallery.collection("staff"))
        opened.database.write(lambda connection: at(connection, seal).tags.put(tagged))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A pack of the operator's own."""
    (tmp_path / "house.toml").write_text(FACTS)
    (tmp_path / "house.cedar").write_text(RULES)
    return tmp_path / "house.cedar"


def test_the_default_packs_are_in_force_in_a_new_home(likeness: Command) -> None:
    in_force = {name for name, one in packs(likeness).items() if one["in_force"]}
    assert in_force == {
        "safeguards",
        "authenticated-use",
        "amazon-2020",
        "real-time",
        "live-search",
    }
    outcome = likeness("policy", "list")
    assert (outcome.code, outcome.err) == (0, "")
    assert "No pack is legal advice" in outcome.out
    enabled, _, others = outcome.out.partition("Not enabled:")
    assert "\namazon-2020: " in enabled
    assert "\neu-ai-act: " in others


def test_a_pack_is_shown_with_its_reading_its_choices_and_its_rules(likeness: Command) -> None:
    outcome = likeness("policy", "show", "amazon-2020")
    assert outcome.code == 0
    for part in (
        "voluntary",
        "--choice ends=",
        "covered, not-covered",
        '@id("amazon-2020-police")',
    ):
        assert part in outcome.out
    shown = answer(likeness, "show", "eu-ai-act")
    assert {rule["rule"]: rule["amount"] for rule in shown["rules"]}[
        "eu-ai-act-separate-review"
    ] == 2


def test_the_moratorium_ends_when_the_operator_says_so(likeness: Command) -> None:
    refused = likeness("policy", "explain", *POLICE)
    assert refused.code == 1
    assert "refused by amazon-2020-police (pack amazon-2020: Amazon, statement of" in refused.out
    answer(likeness, "enable", "amazon-2020", "--choice", "ends=2021-06-10")
    before, after = (
        answer(likeness, "explain", *POLICE, f"--date={day}", code=code)
        for day, code in [("2021-06-09", 1), ("2021-06-10", 0)]
    )
    assert [one["rule"] for one in before["refused_by"]] == ["amazon-2020-police"]
    assert [(one["duty"], one["amount"]) for one in after["obligations"]] == [("similarity", 99)]


def test_a_pack_is_disabled_and_enabled(likeness: Command) -> None:
    assert answer(likeness, "explain", "--live", code=1)["allowed"] is False
    assert likeness("policy", "disable", "real-time").out == "real-time is not in force any more.\n"
    assert answer(likeness, "explain", "--live")["allowed"] is True
    assert likeness("policy", "enable", "real-time").code == 0
    assert answer(likeness, "explain", "--live", code=1)["allowed"] is False
    by = packs(likeness)["real-time"]["changed_by"]
    assert by.startswith("local:")


def test_a_table_says_it_of_each_value(likeness: Command) -> None:
    table = answer(likeness, "explain", *POLICE, "--each", "action")
    said = {one["action"]: one["allowed"] for one in table["decisions"]}
    assert said["search"] is False
    assert said["erase"] is True
    lines = likeness("policy", "explain", "--each", "sector").out.splitlines()
    assert [line.split()[0] for line in lines] == list(vocabulary().sectors)


def test_a_use_is_explained_by_its_key(likeness: Command) -> None:
    likeness(
        "keys", "create", "desk", "--organisation=Thorn", "--sector=police", "--jurisdiction=US",
        "--purpose=missing-persons",
    )  # fmt: skip
    explained = answer(likeness, "explain", "--key", "desk")
    assert (explained["organisation"], explained["purpose"]) == ("Thorn", "missing-persons")
    other = answer(likeness, "explain", "--key", "desk", "--purpose=research", code=1)
    assert [one["rule"] for one in other["refused_by"]] == ["amazon-2020-police"]
    both = likeness("policy", "explain", "--key", "desk", "--sector=commerce")
    assert (both.code, both.out) == (2, "")


def test_what_tags_declare_of_a_collection_counts(likeness: Command, own: Path) -> None:
    own.write_text(
        RULES.replace('"quota"', '"notice"')
        .replace('"10"', '"1"')
        .replace(
            "unless { context.usesToday < 10 }",
            'when { context.footage == Footage::"upload" } unless { context.noticeShown }',
        )
    )
    likeness("collections", "create", "staff")
    likeness("policy", "enable", own)
    of_staff = ("explain", "--sector=charity", "--collection=staff")
    tag_staff({"likeness:footage": "upload"})
    (owed,) = answer(likeness, *of_staff)["obligations"]
    assert owed["duty"] == "notice"
    assert answer(likeness, *of_staff, "--tagged-footage=body-camera")["obligations"] == []
    # What a caller states takes nothing back.
    assert answer(likeness, *of_staff, "--footage=body-camera")["obligations"] == [owed]
    tag_staff({"likeness:notice": "shown"})
    assert answer(likeness, *of_staff)["obligations"] == []


def test_a_clock_that_is_set_back_is_seen_while_now_is_asked_about(likeness: Command) -> None:
    assert answer(likeness, "explain", "--sector=charity")["allowed"] is True
    now = datetime.now(UTC)
    with open_rows(Installation(read_settings())) as rows:
        rows.database.write(lambda one: count_change(one, now + timedelta(days=1)))
    refused = answer(likeness, "explain", "--sector=charity", code=1)
    assert [one["rule"] for one in refused["refused_by"]] == ["clock-set-back"]
    assert answer(likeness, "explain", "--sector=charity", f"--date={now.date()}")["allowed"]
    assert answer(likeness, "explain", "--role=admin", "--action=govern")["allowed"] is True
    likeness("policy", "enable", "real-time")
    assert answer(likeness, "explain", "--sector=charity")["allowed"] is True


def test_a_pack_of_ones_own_is_checked_and_enabled(likeness: Command, own: Path) -> None:
    assert likeness("policy", "check", own).out == "house: 1 rule, all as they must be.\n"
    assert "house" not in packs(likeness)
    assert answer(likeness, "enable", own)["in_force"] is True
    own.unlink()
    assert packs(likeness)["house"]["in_force"] is True
    assert answer(likeness, "explain", "--uses-today=9")["obligations"] == []
    (owed,) = answer(likeness, "explain", "--uses-today=10")["obligations"]
    assert (owed["duty"], owed["amount"], owed["pack"]) == ("quota", 10, "house")
    assert 'quota"' in likeness("policy", "show", "house").out
    assert likeness("policy", "disable", "house").code == 0
    assert "house" not in packs(likeness)


def test_a_broken_pack_is_named_on_one_line(likeness: Command, own: Path) -> None:
    own.write_text(RULES.replace("usesToday", "usesTodey"))
    for verb in ("check", "enable"):
        outcome = likeness("policy", verb, own)
        assert (outcome.code, outcome.out) == (2, "")
        assert "Rule quiet of pack 'house' does not" in outcome.err
        assert outcome.err.count("\n") == 1


def test_what_enabling_would_refuse_a_check_finds(likeness: Command, own: Path) -> None:
    taken = own.with_name("real-time.cedar")
    taken.write_text(RULES)
    taken.with_suffix(".toml").write_text(FACTS)
    always = own.with_name("eternal.cedar")
    always.write_text(RULES)
    always.with_suffix(".toml").write_text(FACTS + "always = true\n")
    own.write_text(RULES.replace('"quiet"', '"boston-2020-officials"'))
    assert "boston-2020-officials" in likeness("policy", "show", "boston-2020").out
    likeness("policy", "enable", "boston-2020")
    for file, said in (
        (own, "'boston-2020-officials' (in boston-2020, house). Rename one."),
        (taken, "has the name of one of Likeness's. Rename its files."),
        (always, "Leave out `always`"),
    ):
        checked, enabled = likeness("policy", "check", file), likeness("policy", "enable", file)
        assert (checked.code, checked.out, checked.err) == (2, "", enabled.err)
        assert said in checked.err
    likeness("policy", "disable", "boston-2020")
    assert likeness("policy", "check", own).code == likeness("policy", "enable", own).code == 0
    # Beside itself, as it is enabled already.
    assert likeness("policy", "check", own).code == 0


def test_where_there_is_no_home_a_pack_is_checked_beside_all_that_are_shipped(
    likeness: Command, own: Path, tmp_path: Path
) -> None:
    own.write_text(RULES.replace('"quiet"', '"boston-2020-officials"'))
    checked = likeness("policy", "check", own)
    assert (checked.code, checked.out) == (2, "")
    assert "in boston-2020, house" in checked.err
    own.write_text(RULES)
    assert likeness("policy", "check", own).code == 0
    assert not (tmp_path / "home").exists()


def test_a_pack_is_checked_beside_what_is_enabled_in_a_home_of_an_older_likeness(
    likeness: Command, own: Path
) -> None:
    twin = own.with_name("twin.cedar")
    twin.write_text(RULES)
    twin.with_suffix(".toml").write_text(FACTS)
    pack = read_pack("house", FACTS, RULES)
    with open_database(database_url(read_settings())) as database:
        migrate_to(database, OF_0_1_0)
        now = datetime.now(UTC)
        database.write(lambda c: enable_pack(c, pack, {}, by="local:somebody", now=now))
    checked = likeness("policy", "check", twin)
    assert (checked.code, checked.out) == (2, "")
    assert "2 rules have the @id 'quiet' (in house, twin)" in checked.err


WRONG = {
    "no such pack": (["enable", "fish"], "`likeness policy list`"),
    "no such file": (["check", "fish.toml"], "cannot be read"),
    "no such choice": (["enable", "amazon-2020", "--choice=fish=1"], "leaves ends"),
    "no value": (["enable", "amazon-2020", "--choice=ends"], "NAME=VALUE"),
    "a wrong value": (["enable", "amazon-2020", "--choice=ends=soon"], "a day such as"),
    "a choice twice": (
        ["enable", "amazon-2020", "--choice=ends=", "--choice=ends="],
        "each name once",
    ),
    "what cannot be disabled": (["disable", "safeguards"], "always in force"),
    "what is not enabled": (["disable", "eu-ai-act"], "is not enabled"),
    "no date": (["explain", "--date=soon"], "Not a date: 'soon'"),
    "a date beyond time": (["explain", "--date=9999-12-31T23:59-05:00"], "Not a date"),
    "no key": (["explain", "--key=fish"], "likeness keys list"),
    "no collection": (["explain", "--collection=fish"], "likeness collections list"),
    "no pack to simulate without": (["simulate", "--disable=fish"], "'fish' is not enabled"),
    "no choice to simulate": (["simulate", "--choice=eu-ai-act.x=1"], "give --enable too"),
    "nothing to suspend": (["suspend", "--reason=x"], "but 0 of"),
    "two to suspend": (["suspend", "--reason=x", "--all", "--purpose=research"], "but 2 of"),
    "no such purpose": (
        ["suspend", "--reason=x", "--purpose=fishing"],
        "No such purpose 'fishing'",
    ),
    "nothing to resume": (["resume", "--all"], "Not suspended"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=list(WRONG))
def test_what_is_wrong_is_said_on_one_line(
    likeness: Command, arguments: list[str], message: str
) -> None:
    outcome = likeness("policy", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


def test_other_rules_are_tried_on_what_the_ledger_has(likeness: Command, own: Path) -> None:
    quota = RULES.replace("10", "1").replace("action, r", 'action == Action::"search", r')
    own.write_text(quota)
    search = Use(Principal("key:1", Role.CLIENT), Action.SEARCH, "SearchFacesByImage")
    with open_rows(Installation(read_settings())) as rows:
        for use in (search, replace(search, id=uuid4())):
            with rows.desk.record(use) as record:
                record.answered(Outcome())
        with pytest.raises(Denied), rows.desk.record(replace(search, live=True, id=uuid4())):
            pass
    simulated = answer(likeness, "simulate")
    assert (simulated["uses"], simulated["differences"]) == (3, [])
    simulated = answer(likeness, "simulate", "--choice=authenticated-use.undeclared-sector=refused")
    refused = [one["after"]["refused_by"] for one in simulated["differences"]]
    assert refused == [["nothing-permits"], ["nothing-permits"]]
    (live,) = answer(likeness, "simulate", "--disable=real-time")["differences"]
    assert live["before"]["refused_by"] == ["real-time-identification"]
    assert live["after"]["allowed"] is True
    (second,) = answer(likeness, "simulate", "--enable", own)["differences"]
    assert second["before"] == {"allowed": True, "refused_by": [], "owed": []}
    assert second["after"]["owed"] == [{"duty": "quota", "amount": 1}]
    said = likeness("policy", "simulate", "--disable=authenticated-use").out
    assert said.startswith("2 of 3 uses would differ.\n  2  allowed; would be refused by noth")
    assert said.count("allowed; would be refused by nothing-permits") == 1 + 2
    assert packs(likeness)["authenticated-use"]["in_force"] is True


def test_a_live_search_is_explained_by_what_it_states(likeness: Command) -> None:
    likeness("policy", "disable", "real-time")

    def refused(*stated: str, code: int = 1) -> list[str]:
        said = answer(likeness, "explain", "--sector=commerce", *stated, code=code)
        return sorted(one["rule"] for one in said["refused_by"])

    assert refused("--place", "--authority", "--criteria", "--end", code=0) == []
    assert refused("--place", "--end") == [
        "live-search-without-authority",
        "live-search-without-criteria",
    ]
    assert len(refused("--live-search")) == 4
    likeness("policy", "enable", "real-time")
    assert refused("--place", "--authority", "--criteria", "--end") == ["real-time-identification"]


def test_of_many_uses_that_would_differ_the_first_are_listed(likeness: Command) -> None:
    search = Use(Principal("key:1", Role.CLIENT), Action.SEARCH, "SearchFacesByImage")
    with open_rows(Installation(read_settings())) as rows:
        for _ in range(23):
            with rows.desk.record(replace(search, id=uuid4())) as record:
                record.answered(Outcome())
    simulate = ("policy", "simulate", "--disable=authenticated-use")
    said = likeness(*simulate).out.splitlines()
    assert said[0] == "23 of 23 uses would differ."
    assert said[1].startswith("  23  allowed; ")
    assert (len(said), said[-1]) == (2 + 20 + 1, "3 more: --all lists them.")
    assert len(likeness(*simulate, "--all").out.splitlines()) == 2 + 23


def test_where_everything_is_disabled_an_admin_can_enable_again(likeness: Command) -> None:
    for name in ("amazon-2020", "authenticated-use", "live-search", "real-time"):
        assert likeness("policy", "disable", name).code == 0
    (nothing,) = answer(likeness, "explain", "--sector=commerce", code=1)["refused_by"]
    assert nothing["rule"] == "nothing-permits"
    assert likeness("policy", "enable", "authenticated-use").code == 0
    assert answer(likeness, "explain", "--sector=commerce")["allowed"] is True


def test_every_word_that_rules_know_is_documented() -> None:
    for word in (*vocabulary().sectors, *vocabulary().purposes):
        assert f"`{word}`" in DOCUMENTED


def test_every_tag_that_rules_go_by_is_documented_with_its_values() -> None:
    table = DOCUMENTED.partition("| tag | values | says |")[2].partition("\n\n")[0]
    told = {row.split("|")[1].strip(" `"): row.split("|")[2] for row in table.splitlines()[2:]}
    assert told.keys() == known_values().keys()
    for tag, values in known_values().items():
        said = re.findall(r"`(.+?)`", told[tag])
        assert tuple(said) == tuple(values) or (not said and len(values) > 8)


def test_every_fact_that_rules_may_read_is_documented() -> None:
    facts = re.search(r"type Facts = \{(.*?)\n\};", schema_text(), re.DOTALL)
    assert facts is not None
    known = set(re.findall(r"^  (\w+): (\w+),", facts[1], re.MULTILINE))
    table = DOCUMENTED.partition("| attribute | type | is |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines()[2:]]
    told = {(name, kind.strip()) for names, kind in rows for name in re.findall(r"`(\w+)`", names)}
    assert told == known


def test_the_pack_that_the_documentation_prints_does_what_it_says(
    likeness: Command, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_CROPS", "on")
    section = DOCUMENTED.partition("## A pack of your own")[2]
    facts, rules, of_sources = re.findall(
        r"```(?:toml)?\n(title .*?|@id.*?)```", section, re.DOTALL
    )
    own.with_suffix(".toml").write_text(facts)
    own.with_suffix(".cedar").write_text(rules)
    assert likeness("policy", "enable", own.with_suffix(".toml")).code == 0

    def explained(*facts: str, code: int = 0) -> Any:
        return answer(
            likeness, "explain", "--action=search", "--sector=commerce", *facts, code=code
        )

    owed = explained("--purpose=visitor-recognition")["obligations"]
    assert {one["duty"]: one["amount"] for one in owed} == {
        "review": 1
    }  # the day has had no use yet
    refused = explained("--purpose=research", code=1)["refused_by"]
    assert [one["rule"] for one in refused] == ["house-no-research"]

    own.with_suffix(".cedar").write_text(rules + of_sources)
    assert likeness("policy", "enable", own.with_suffix(".toml")).code == 0
    of_drones = explained("--tagged-footage=drone", code=1)["refused_by"]
    assert [one["rule"] for one in of_drones] == ["house-no-drones"]
    assert explained("--tagged-footage=upload", "--reviews=1")["obligations"] == []
    stated = explained("--tagged-footage=upload", "--footage=drone", code=1)["refused_by"]
    assert stated == of_drones
