"""Packs: the rules of one law, contract or promise, with facts about them.

`NAME.toml` holds the facts and what is left to choose, `NAME.cedar` the rules. Dates are data: a
rule is in force from its `@effective` until its `@expires`, days that begin at 00:00 UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from likeness.errors import InvalidRequest
from likeness.policy.cedar import ParsedRule
from likeness.policy.pack_facts import Kind, PackFacts, read_facts
from likeness.policy.pack_rules import PackRule, read_rules


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
    pack = Pack(facts, read_rules(rules_text, facts), facts_text, rules_text)
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
