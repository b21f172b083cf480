"""Packs: the rules of one law, contract or promise, with facts about them.

`NAME.toml` holds the facts and what is left to choose, `NAME.cedar` the rules. Dates are data: a
rule is in force from its `@effective` until its `@expires`, days that begin at 00:00 UTC.

Rules say of themselves in annotations, checked against their text: `@id`, `@source` and
`@effective` are required; `@expires`, `@jurisdiction` and `@status` are the pack's where a rule
has none. `@obligation` and `@amount` stand on a forbid that withholds until its duty is met; that
is its last `unless`, word for word, so that text and duty cannot differ.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from likeness.errors import InvalidRequest
from likeness.policy.cedar import ParsedRule, parse
from likeness.policy.pack_facts import (
    Kind,
    PackFacts,
    Status,
    check_name,
    check_names,
    read_facts,
    read_standing,
)
from likeness.policy.words import UNKNOWN, vocabulary
from likeness.terms import Duty, Footage, Role, Rule

_REQUIRED = ("@id", "@source", "@effective")
_OPTIONAL = ("@expires", "@jurisdiction", "@status", "@obligation", "@amount")

_MET = {
    Duty.SIMILARITY: 'context.similarity.greaterThanOrEqual(decimal("{amount}"))',
    Duty.REVIEW: "context.reviews >= {amount}",
    Duty.SEPARATE_REVIEW: "context.separateReviews >= {amount}",
    Duty.AUTHORISATION: "context.authorised",
    Duty.QUOTA: "context.usesToday < {amount}",
    Duty.NOTICE: "context.noticeShown",
}
_COUNT = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
_PERCENT = re.compile(r"[0-9]{1,2}\.[0-9]{1,4}", re.ASCII)
_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_IDS_OF = {"Caller": re.compile(f"key:{_UUID}|local:.+"), "Collection": re.compile(_UUID)}


@dataclass(frozen=True, slots=True)
class PackRule:
    """A rule of a pack; without a duty it permits or refuses, with one it withholds."""

    rule: Rule
    parsed: ParsedRule
    jurisdiction: str
    status: Status
    effective: date | str
    expires: date | str | None
    duty: Duty | None
    amount: float


@dataclass(frozen=True, slots=True)
class Pack:
    """The rules of one law, contract or promise, as written."""

    facts: PackFacts
    rules: tuple[PackRule, ...]
    facts_text: str
    rules_text: str

    @property
    def name(self) -> str:
        """What it is called."""
        return self.facts.name


def read_pack(name: str, facts_text: str, rules_text: str) -> Pack:
    """Read a pack and check all of it.

    Raises:
        InvalidRequest: something is not as it must be; the message names the pack and the rule.
    """
    facts = read_facts(name, facts_text)
    pack = Pack(facts, _read_rules(rules_text, facts), facts_text, rules_text)
    ChosenPack.of(pack, {})
    return pack


@cache
def shipped() -> dict[str, Pack]:
    """Read the packs that come with Likeness, by name."""
    folder = files(__package__) / "packs"
    names = sorted(
        file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")
    )
    return {
        name: read_pack(
            name,
            (folder / f"{name}.toml").read_text(encoding="utf-8"),
            (folder / f"{name}.cedar").read_text(encoding="utf-8"),
        )
        for name in names
    }


@dataclass(frozen=True, slots=True)
class ChosenPack:
    """A pack with everything chosen that it leaves open; `choices` are complete."""

    pack: Pack
    choices: dict[str, str]

    @classmethod
    def of(cls, pack: Pack, chosen: Mapping[str, str]) -> "ChosenPack":
        """Choose; what is not chosen is as the pack has it.

        Raises:
            InvalidRequest: a choice is none, cannot be this, or ends a rule before it begins.
        """
        known = pack.facts.choices
        for name, text in chosen.items():
            if name not in known:
                raise InvalidRequest(
                    f"No such choice {name!r}: {pack.facts.where} leaves"
                    f" {', '.join(known) or 'nothing'} to choose."
                )
            known[name].check(text, pack.facts.where)
        made = cls(pack, {name: chosen.get(name, one.default) for name, one in known.items()})
        made.days(pack.facts.effective, pack.facts.expires, pack.facts.where)
        for rule in pack.rules:
            made.days_of(rule)
        return made

    def days_of(self, rule: PackRule) -> tuple[date, date | None]:
        """Say since when a rule is in force, and until when."""
        return self.days(
            rule.effective, rule.expires, f"rule {rule.rule.id!r} of {self.pack.facts.where}"
        )

    def days(
        self, effective: date | str, expires: date | str | None, where: str
    ) -> tuple[date, date | None]:
        """Say what days are meant.

        Raises:
            InvalidRequest: there is no first day, or the last comes before it.
        """
        first, end = self._day(effective), self._day(expires)
        if first is None:
            raise InvalidRequest(f"No first day is chosen for {where}. Choose {effective!r}.")
        if end is not None and end <= first:
            raise InvalidRequest(
                f"The end of {where} on {end} is not after its beginning on {first}. Correct"
                " either."
            )
        return first, end

    def dated(self, rule: PackRule) -> ParsedRule:
        """Give a rule as it is asked: in force on its days alone."""
        first, end = self.days_of(rule)
        condition = f'context.now >= datetime("{first}")'
        if end is not None:
            condition += f' && context.now < datetime("{end}")'
        return rule.parsed.during(rule.rule.id, condition)

    def entities(self) -> list[dict[str, Any]]:
        """Give what was chosen, as rules see it."""
        return [
            {
                "uid": {"type": "Chosen", "id": f"{self.pack.name}.{choice.name}"},
                "attrs": {"values": list(choice.values(self.choices[choice.name]))},
                "parents": [],
            }
            for choice in self.pack.facts.choices.values()
            if choice.kind is not Kind.DATE
        ]

    def _day(self, day: date | str | None) -> date | None:
        if not isinstance(day, str):
            return day
        return self.pack.facts.choices[day].day(self.choices[day])


def _read_rules(text: str, facts: PackFacts) -> tuple[PackRule, ...]:
    """Read the rules of a pack.

    Raises:
        InvalidRequest: one is not as it must be; the message names it.
    """
    rules = tuple(_read_rule(parsed, facts) for parsed in parse(text, facts.where))
    if not rules:
        raise InvalidRequest(f"There is no rule in {facts.where}. Write one.")
    refuse_twins(rules)
    return rules


def refuse_twins(rules: Iterable[PackRule]) -> None:
    """See that every rule has an id of its own.

    Raises:
        InvalidRequest: two have the same.
    """
    packs_by_id: dict[str, list[str]] = {}
    for one in rules:
        packs_by_id.setdefault(one.rule.id, []).append(one.rule.pack)
    for rule_id, packs in packs_by_id.items():
        if len(packs) > 1:
            raise InvalidRequest(
                f"{len(packs)} rules have the @id {rule_id!r} (in {', '.join(sorted(set(packs)))})."
                " Rename one."
            )


def _read_rule(parsed: ParsedRule, facts: PackFacts) -> PackRule:
    said = parsed.annotations
    where = f"rule {parsed.named} of {facts.where}"
    check_names({f"@{name}": text for name, text in said.items()}, _REQUIRED, _OPTIONAL, where)
    check_name(said["id"], where)
    _refuse_unknown_names(parsed, facts, where)
    duty, amount = _duty(parsed, where)
    of_pack = {
        "jurisdiction": facts.jurisdiction,
        "status": facts.status,
        "expires": facts.expires,
    }
    return PackRule(
        rule=Rule(said["id"], facts.name, said["source"]),
        parsed=parsed,
        duty=duty,
        amount=amount,
        **read_standing({**of_pack, **said}, facts.choices, where),
    )


def _duty(parsed: ParsedRule, where: str) -> tuple[Duty | None, float]:
    said = parsed.annotations
    if "obligation" not in said:
        if "amount" in said:
            raise InvalidRequest(f"@amount of {where} is without @obligation. Add that.")
        return None, 0.0
    if not parsed.forbids:
        raise InvalidRequest(f"@obligation of {where}, which permits. Only a forbid withholds.")
    if said["obligation"] not in set(Duty):
        raise InvalidRequest(
            f"No such @obligation {said['obligation']!r} of {where}. Choose one of"
            f" {', '.join(Duty)}."
        )
    duty, amount = Duty(said["obligation"]), said.get("amount", "")
    shape = _PERCENT if duty is Duty.SIMILARITY else _COUNT
    if not shape.fullmatch(amount):
        wanted = "such as 99.0" if duty is Duty.SIMILARITY else "a whole number from 1"
        raise InvalidRequest(f"The @amount of {where} cannot be {amount!r}. Write {wanted}.")
    met = _MET[duty].format(amount=amount)
    if not parsed.ends_unless(met):
        raise InvalidRequest(
            f"No `unless {{ {met} }}` ends {where}, as its obligation says. Correct either."
        )
    return duty, float(amount)


def _refuse_unknown_names(parsed: ParsedRule, facts: PackFacts, where: str) -> None:
    words = vocabulary()
    known: dict[str, set[str]] = {
        "Role": set(Role),
        "Sector": {*words.sectors, UNKNOWN},
        "Jurisdiction": {*words.jurisdictions, UNKNOWN},
        "Purpose": {*words.purposes, UNKNOWN},
        "Footage": set(Footage),
        "Chosen": {
            f"{facts.name}.{choice.name}"
            for choice in facts.choices.values()
            if choice.kind is not Kind.DATE
        },
    }
    for kind, name in sorted(parsed.names):
        if kind in _IDS_OF and not _IDS_OF[kind].fullmatch(name):
            raise InvalidRequest(
                f'{where} names {kind}::"{name}", which would never apply. A caller is `key:` and'
                " the key's id, or `local:` and a user; a collection is its id."
            )
        if name not in known.get(kind, {name}):
            raise InvalidRequest(
                f'{where} names {kind}::"{name}", which there is none of: it would never apply.'
                " Correct it."
            )
