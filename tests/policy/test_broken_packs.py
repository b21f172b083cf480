"""A pack that is not as it must be is refused as a whole, with its name and its rule's."""

import pytest

from likeness.errors import InvalidRequest
from likeness.policy import ChosenPack, PolicyEngine, read_pack

FACTS = """
title = "A test"
jurisdiction = "US"
status = "ours"
effective = 2020-01-01
expires = 2030-01-01
source = "here"
version = "1"
reading = "None."

[choices.begins]
kind = "date"
says = "When it begins."
default = "2021-01-01"

[choices.listed]
kind = "list"
says = "Who is listed."
default = ""
"""
HEAD = '@id("r") @source("here") @effective("2020-01-01") '
ANYBODY = "(principal, action, resource)"
RULE = f"{HEAD}permit{ANYBODY};"


def test_a_sound_pack_is_read() -> None:
    pack = read_pack("test", FACTS, RULE)
    assert [rule.rule.id for rule in pack.rules] == ["r"]


def test_what_is_refused_may_be_said_in_texts_and_comments() -> None:
    rule = f'{HEAD}forbid{ANYBODY} when {{ principal.organisation like "*has*" }}; // it has'
    assert read_pack("test", FACTS, rule).rules


BROKEN_RULES = {
    "a syntax error": (f"{HEAD}permit(principal,", "not Cedar"),
    "no rule": ("// nothing", "There is no rule"),
    "a duplicate id": (RULE + RULE, "2 rules have the @id 'r'"),
    "an unknown attribute": (
        f"{HEAD}forbid{ANYBODY} when {{ context.warant }};",
        "r of pack 'test' does not .*`warant`",
    ),
    "an unknown action": (
        f'{HEAD}forbid(principal, action == Action::"fly", resource);',
        "r of pack .* does not .*fly",
    ),
    "a slot": (f"{HEAD}permit(principal == ?principal, action, resource);", "has a slot"),
    "no id": (
        f'@source("here") @effective("2020-01-01") permit{ANYBODY};',
        "no @id in rule number 1 of pack 'test'",
    ),
    "an empty id": (
        f'@id @source("x") @effective("2020-01-01") permit{ANYBODY};',
        "no @id in rule number 1",
    ),
    "an id in capitals": (RULE.replace('"r"', '"R"'), "lower-case"),
    "no source": (f'@id("r") @effective("2020-01-01") permit{ANYBODY};', "@source in rule 'r'"),
    "no date": (
        f'@id("r") @source("here") permit{ANYBODY};',
        "@effective in rule 'r' of pack 'test'",
    ),
    "a date that is none": (RULE.replace("2020-01-01", "2020-02-30"), "Not a day: '2020-02-30'"),
    "an end before the beginning": (
        f'@expires("2020-01-01") {RULE}',
        "'r' of pack 'test' .* is not after",
    ),
    "a beginning after the pack's end": (
        RULE.replace("2020-01-01", "2030-01-01"),
        "'r' of pack 'test' .* is not after",
    ),
    "an unknown annotation": (f'@obligatoin("review") {RULE}', "'@obligatoin' in rule 'r'"),
    "an unknown status": (f'@status("rumoured") {RULE}', "No such status 'rumoured'"),
    "an unknown jurisdiction": (f'@jurisdiction("US-XX") {RULE}', "No such jurisdiction 'US-XX'"),
    "a misspelt sector": (
        f'{HEAD}forbid(principal in Sector::"polic", action, resource);',
        'Sector::"polic", which there is none of',
    ),
    "a misspelt purpose": (
        f'{HEAD}forbid{ANYBODY} when {{ context.purpose in Purpose::"fishing" }};',
        'Purpose::"fishing"',
    ),
    "another pack's choice": (
        f'{HEAD}forbid{ANYBODY} when {{ Chosen::"other.listed".values.contains("x") }};',
        'Chosen::"other.listed"',
    ),
    "a choice of a date as a name": (
        f'{HEAD}forbid{ANYBODY} when {{ Chosen::"test.begins".values.contains("x") }};',
        'Chosen::"test.begins"',
    ),
    "a collection by its name": (
        f'{HEAD}forbid(principal, action, resource == Collection::"staff");',
        'Collection::"staff", which would never apply',
    ),
    "a caller by a key's name": (
        f'{HEAD}forbid(principal == Caller::"desk", action, resource);',
        'Caller::"desk", which would never apply',
    ),
    "a misspelt attribute behind has": (
        f"{HEAD}forbid{ANYBODY} when"
        " { context has warrnatStated && context.warrnatStated == false };",
        "Rule 'r' of pack 'test' asks by `has warrnatStated` .* Read the attribute by itself",
    ),
    "has of what there is": (
        f"{HEAD}forbid{ANYBODY} unless {{ context has live && context.live }};",
        "Rule 'r' of pack 'test' asks by `has live`",
    ),
    "has of an attribute's attribute": (
        f"{HEAD}forbid{ANYBODY} when {{ if context has live.since then true else false }};",
        "asks by `has live`",
    ),
    "a tag": (
        f'{HEAD}forbid{ANYBODY} when {{ resource.hasTag("live") }};',
        "asks by `hasTag`",
    ),
    "a rule that refuses never": (
        f'{HEAD}forbid(principal, action == Action::"search", resource)'
        ' when { action == Action::"detect" };',
        r"""`forbid\(principal, action == Action::"search", resource\) when .*`""",
    ),
    "an exception that always holds": (
        f"{HEAD}forbid{ANYBODY} unless {{ principal is Caller }};",
        "never true: .*unless { principal is Caller }`",
    ),
    "a caller who would be a purpose": (
        f'{HEAD}forbid{ANYBODY} when {{ context.live || principal in Purpose::"research" }};',
        r"""`{ principal in Purpose::"research" }`""",
    ),
    "a caller who would be a collection": (
        f"{HEAD}forbid{ANYBODY} when {{ principal is Collection && context.live }};",
        "never true: `{ principal is Collection }`",
    ),
    "a group of actions that would be an action": (
        f'{HEAD}permit{ANYBODY} unless {{ action == Action::"identification" }};',
        r"""`{ action == Action::"identification" }`""",
    ),
    "an obligation that permits": (
        f'@obligation("review") @amount("1") {RULE}',
        "Only a forbid withholds",
    ),
    "an unknown obligation": (
        f'@obligation("prayer") @amount("1") {HEAD}forbid{ANYBODY};',
        "No such @obligation 'prayer'",
    ),
    "an amount without an obligation": (f'@amount("1") {RULE}', "without @obligation"),
    "an obligation without an amount": (
        f'@obligation("review") {HEAD}forbid{ANYBODY} unless {{ context.reviews >= 1 }};',
        "a whole number from 1",
    ),
    "an amount that its text does not say": (
        f'@obligation("review") @amount("2") {HEAD}forbid{ANYBODY}'
        " unless { context.reviews >= 1 };",
        "No `unless .*reviews >= 2",
    ),
    "an obligation that nothing meets": (
        f'@obligation("review") @amount("2") {HEAD}forbid{ANYBODY};',
        "No `unless",
    ),
}


@pytest.mark.parametrize(("rules", "message"), BROKEN_RULES.values(), ids=list(BROKEN_RULES))
def test_a_broken_rule_is_named(rules: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as caught:
        read_pack("test", FACTS, rules)
    assert "\n" not in str(caught.value)


BROKEN_FACTS = {
    "no date": (FACTS.replace("effective = 2020-01-01\n", ""), "There is no effective"),
    "no source": (FACTS.replace('source = "here"\n', ""), "There is no source"),
    "an unknown fact": ("colour = 3" + FACTS, "'colour' in pack"),
    "no TOML": ("title = ", "not TOML"),
    "an end before the beginning": (
        FACTS.replace("2030-01-01", "2019-01-01"),
        "pack 'test' .* is not after",
    ),
    "a date that is a moment": (
        FACTS.replace("effective = 2020-01-01", "effective = 2020-01-01T12:00:00"),
        "Not a day",
    ),
    "an unknown jurisdiction": (FACTS.replace('"US"', '"Mars"'), "No such jurisdiction 'Mars'"),
    "an unknown status": (FACTS.replace('"ours"', '"true"'), "No such status 'true'"),
    "a choice of no kind": (FACTS.replace('kind = "list"', 'kind = "any"'), "'listed'"),
    "a default that cannot be": (FACTS.replace("2021-01-01", "soon"), "cannot be 'soon'"),
    "choices that are no tables": (
        FACTS.partition("[choices")[0] + "choices = 1",
        "choices of pack 'test' are not tables",
    ),
    "a choice that is no table": (
        FACTS.partition("[choices")[0] + "choices = { x = 1 }",
        "choice 'x' of pack 'test'",
    ),
    "a fact with a dot": (
        FACTS.replace("effective = 2020-01-01", 'effective = 2020-01-01\n"choices.x" = 1'),
        "'choices.x' in pack",
    ),
}


@pytest.mark.parametrize(("facts", "message"), BROKEN_FACTS.values(), ids=list(BROKEN_FACTS))
def test_broken_facts_are_named(facts: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        read_pack("test", facts, RULE)


@pytest.mark.parametrize("name", ["", "Test", "../test", "te st", "a" * 65])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match=r"Not a name|are the most"):
        read_pack(name, FACTS, RULE)


def test_an_id_is_unique_among_packs() -> None:
    packs = [ChosenPack.of(read_pack(name, FACTS, RULE), {}) for name in ("one", "two")]
    with pytest.raises(InvalidRequest, match=r"2 rules have the @id 'r' \(in one, two\)"):
        PolicyEngine(packs)
