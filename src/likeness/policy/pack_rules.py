"""What does a rule of a pack say of itself? Its annotations, checked against its text.

`@id`, `@source` and `@effective` are required; `@expires`, `@jurisdiction` and `@status` are the
pack's where a rule has none. `@obligation` and `@amount` stand on a forbid that withholds until
its duty is met; that is its last `unless`, word for word, so that text and duty cannot differ.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from likeness.errors import InvalidRequest
from likeness.policy.cedar import ParsedRule, parse
from likeness.policy.circumstances import Footage
from likeness.policy.pack_facts import (
    Kind,
    PackFacts,
    Status,
    checked_day,
    checked_jurisdiction,
    checked_status,
)
from likeness.policy.vocabulary import UNKNOWN, vocabulary
from likeness.terms import Duty, Role, Rule

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_REQUIRED = ("id", "source", "effective")
_OPTIONAL = ("expires", "jurisdiction", "status", "obligation", "amount")

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


def read_rules(text: str, facts: PackFacts) -> tuple[PackRule, ...]:
    """Read the rules of a pack.

    Raises:
        InvalidRequest: one is not as it must be; the message names it.
    """
    rules = tuple(_read_rule(parsed, facts) for parsed in parse(text, facts.where))
    if not rules:
        raise InvalidRequest(f"rules were expected in {facts.where} and there is none: write one")
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
                f"every rule was expected to have an @id of its own, {rule_id!r} came"
                f" {len(packs)} times (in {', '.join(sorted(set(packs)))}): rename one"
            )


def _read_rule(parsed: ParsedRule, facts: PackFacts) -> PackRule:
    said = parsed.annotations
    where = f"rule {parsed.named} of {facts.where}"
    for missing in (name for name in _REQUIRED if not said.get(name)):
        raise InvalidRequest(f"{where} was expected to have @{missing} and has none: add it")
    for excess in (name for name in said if name not in (*_REQUIRED, *_OPTIONAL)):
        raise InvalidRequest(f"@{excess} came at {where}, which means nothing: remove it")
    if not _ID.fullmatch(said["id"]):
        raise InvalidRequest(f"{where}: its @id is lower-case words with hyphens: rename it")
    _refuse_unknown_names(parsed, facts, where)
    duty, amount = _duty(parsed, where)
    return PackRule(
        rule=Rule(said["id"], facts.name, said["source"]),
        parsed=parsed,
        jurisdiction=checked_jurisdiction(said.get("jurisdiction", facts.jurisdiction), where),
        status=checked_status(said.get("status", facts.status), where),
        effective=checked_day(said["effective"], facts.choices, where),
        expires=checked_day(said["expires"], facts.choices, where)
        if "expires" in said
        else facts.expires,
        duty=duty,
        amount=amount,
    )


def _duty(parsed: ParsedRule, where: str) -> tuple[Duty | None, float]:
    said = parsed.annotations
    if "obligation" not in said:
        if "amount" in said:
            raise InvalidRequest(f"@amount came at {where} without @obligation: add that")
        return None, 0.0
    if not parsed.forbids:
        raise InvalidRequest(f"@obligation came at {where}, which permits: only a forbid withholds")
    if said["obligation"] not in set(Duty):
        raise InvalidRequest(
            f"the @obligation of {where} is one of {', '.join(Duty)}; {said['obligation']!r} came:"
            " correct it"
        )
    duty, amount = Duty(said["obligation"]), said.get("amount", "")
    shape = _PERCENT if duty is Duty.SIMILARITY else _COUNT
    if not shape.fullmatch(amount):
        wanted = "such as 99.0" if duty is Duty.SIMILARITY else "a whole number from 1"
        raise InvalidRequest(f"the @amount of {where} is {wanted}; {amount!r} came: correct it")
    met = _MET[duty].format(amount=amount)
    if not parsed.ends_unless(met):
        raise InvalidRequest(
            f"{where} was expected to end in `unless {{ {met} }}`, as its obligation says, and does"
            " not: correct either"
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
                f'{where} names {kind}::"{name}", which would never apply: a caller is `key:` and'
                " the key's id, or `local:` and a user, a collection its id; correct it"
            )
        if name not in known.get(kind, {name}):
            raise InvalidRequest(
                f'{where} names {kind}::"{name}", which there is none of: it would never apply;'
                " correct it"
            )
