"""Reads rules in Cedar and asks them; only this file knows of Cedar.

A forbid that errs is skipped by Cedar, and one that is never satisfied is as good as none: either
would allow what it forbids. Hence:

1. A text is checked against the schema, which makes every fact required, before it is used.
2. No rule asks by `has` or `hasTag` whether there is a fact: there always is, and one that is
   misspelt never is, which Cedar takes for an answer.
3. What a text names (sectors, purposes, choices) has to exist, and no condition, nor a part of one,
   may be such that it is never true, as what compares a caller with a purpose is.
4. Every request is checked against the schema, and an answer with any error is none.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from cedarpy import (
    Decision,
    Entities,
    PolicySet,
    Schema,
    is_authorized,
    pst,
    validate_policies,
)

from likeness.errors import InvalidRequest

SMALLEST = Decimal("0.0001")
"""The last of the four decimals that Cedar's decimals have."""

_KEPT = 64

_NO_CONDITION = pst.When(pst.LongLit(1))
_ANYTHING = pst.Template(
    "", "forbid", pst.ScopeAny(), pst.ScopeAny(), pst.ScopeAny(), (), pst.FrozenMap()
)
_OF_ANYTHING = "forbid(principal, action, resource) when "


class CedarFailed(Exception):
    """Cedar could not say what the rules say."""


def rounded_down(percent: Decimal) -> Decimal:
    """Give a percentage with Cedar's four decimals: what is nearly enough is not."""
    return percent.quantize(SMALLEST, ROUND_FLOOR)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What Cedar says: whether it allows, and the ids of the rules that it says so by."""

    allows: bool
    rule_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParsedRule:
    """A rule of a text; `names` are all entities in it, by type and id."""

    place: int
    forbids: bool
    annotations: dict[str, str]
    names: frozenset[tuple[str, str]]
    template: pst.Template

    @property
    def named(self) -> str:
        """How messages call it."""
        said = self.annotations.get("id")
        return repr(said) if said else f"number {self.place + 1}"

    def ends_unless(self, condition: str) -> bool:
        """Whether its last clause is `unless { condition }`."""
        return self.template.clauses[-1:] == _clauses(f"unless {{ {condition} }}")

    def during(self, rule_id: str, condition: str) -> "ParsedRule":
        """Give it under an id, in force only when a condition holds as well."""
        clauses = (*self.template.clauses, *_clauses(f"when {{ {condition} }}"))
        return replace(self, template=replace(self.template, id=rule_id, clauses=clauses))


def parse(text: str, where: str) -> list[ParsedRule]:
    """Read the rules of a text and check them against the schema.

    Raises:
        InvalidRequest: the text is not Cedar, asks for what the schema does not have, or has a
            condition that is never true.
    """
    try:
        parsed = PolicySet.from_str(text).to_pst()
    except ValueError as error:
        raise InvalidRequest(
            f"The rules of {where} are not Cedar ({_line(error)}). Correct them."
        ) from error
    if parsed.templates:
        raise InvalidRequest(
            f"A rule of {where} has a slot, ?principal or ?resource. Write it out."
        )
    rules = [
        ParsedRule(
            int(key.removeprefix("policy")),
            template.effect == "forbid",
            dict(template.annotations),
            frozenset((str(uid.type), uid.id) for uid in pst.entity_uids(template)),
            template,
        )
        for key, template in parsed.static_policies.items()
    ]
    for rule in rules:
        _refuse_asking_whether(rule, where)
    result = validate_policies(text, _schema())
    for problem in result.errors:
        named = result.id_annotations_by_policy_id.get(problem.policy_id, problem.policy_id)
        raise InvalidRequest(
            f"Rule {named or 'without an id'} of {where} does not fit the schema"
            f" ({_line(problem.error)}). Correct it."
        )
    if not result.validation_passed:
        raise InvalidRequest(f"The rules of {where} do not fit the schema. Correct them.")
    rules.sort(key=lambda rule: rule.place)
    _refuse_never_true(rules, where)
    return rules


class Rules:
    """Rules that are asked together."""

    def __init__(self, rules: Iterable[ParsedRule]) -> None:
        templates = {rule.template.id: rule.template for rule in rules}
        self._policies = PolicySet.from_pst(
            pst.PolicySet(pst.FrozenMap(), pst.FrozenMap(templates), ())
        )

    def ask(self, request: dict[str, Any], entities: "Facts") -> Verdict:
        """Ask about one request.

        Raises:
            CedarFailed: a rule or the request is in error.
        """
        answer = is_authorized(request, self._policies, entities.parsed, _schema())
        if answer.decision is Decision.NoDecision or answer.diagnostics.errors:
            raise CedarFailed(_line("; ".join(answer.diagnostics.errors) or "no decision"))
        return Verdict(answer.allowed, tuple(sorted(answer.diagnostics.reasons)))


class Facts:
    """Entities that rules are asked about, parsed once."""

    def __init__(self, parsed: Entities) -> None:
        self.parsed = parsed
        # The same callers come again and again.
        self._having = lru_cache(_KEPT)(self._parsed_having)

    @classmethod
    def of(cls, entities: Sequence[dict[str, Any]]) -> "Facts":
        """Parse entities; they have to fit the schema."""
        return cls(Entities.from_json_str(json.dumps(entities), _schema()))

    def having(self, entities: Sequence[dict[str, Any]]) -> "Facts":
        """Give these and others.

        Raises:
            CedarFailed: they do not fit the schema.
        """
        return self._having(json.dumps(entities))

    def _parsed_having(self, entities: str) -> "Facts":
        try:
            return Facts(self.parsed.with_added_json_str(entities, _schema()))
        except ValueError as error:
            raise CedarFailed(_line(error)) from error


@cache
def schema_text() -> str:
    """Give the schema."""
    return (files(__package__) / "schema.cedarschema").read_text(encoding="utf-8")


@cache
def _schema() -> Schema:
    return Schema.from_str(schema_text())


@cache
def _clauses(text: str) -> tuple[pst.Clause, ...]:
    parsed = PolicySet.from_str(f"permit(principal, action, resource) {text};").to_pst()
    (template,) = parsed.static_policies.values()
    return template.clauses


def _refuse_asking_whether(rule: ParsedRule, where: str) -> None:
    for node in _within(rule.template.clauses):
        match node:
            case pst.HasAttr():
                asked = f"has {'.'.join(node.attrs)}"
            case pst.BinaryOp("has_tag" | "get_tag"):
                asked = "hasTag" if node.op == "has_tag" else "getTag"
            case _:
                continue
        raise InvalidRequest(
            f"Rule {rule.named} of {where} asks by `{asked}` for what might be absent, and nothing"
            " that docs/policy.md lists ever is. Read the attribute by itself."
        )


def _refuse_never_true(rules: Sequence[ParsedRule], where: str) -> None:
    """See that Cedar can tell of no rule, nor of a part of its conditions, that it is never true.

    Cedar reads no further than to what is never true. So what is no condition at all is put behind
    each, and has to be complained of.
    """
    tried: dict[pst.Template, ParsedRule] = {}
    for rule in rules:
        for part in _conditions(rule.template):
            tried.setdefault(replace(_ANYTHING, clauses=(pst.When(part),)), rule)
        tried[rule.template] = rule
    numbered = {str(number): one for number, one in enumerate(tried)}
    followed = [
        replace(
            one,
            id=number,
            annotations=pst.FrozenMap({"id": number}),
            clauses=(*one.clauses, _NO_CONDITION),
        )
        for number, one in numbered.items()
    ]
    result = validate_policies(_written(followed), _schema())
    for problem in result.errors:
        numbered.pop(result.id_annotations_by_policy_id[problem.policy_id], None)
    for one in numbered.values():
        condition = _line(_written([replace(one, annotations=pst.FrozenMap())]))
        raise InvalidRequest(
            f"Rule {tried[one].named} of {where} has a condition that is never true:"
            f" `{condition.removeprefix(_OF_ANYTHING).removesuffix(';')}`. Correct it."
        )


def _conditions(template: pst.Template) -> Iterator[pst.Expr]:
    """Give the conditions of a rule, and those that they are put together of, innermost first."""
    for node in reversed(list(_within(template.clauses))):
        match node:
            case pst.When(expr) | pst.Unless(expr) | pst.UnaryOp("not", expr):
                yield expr
            case pst.IfThenElse(condition):
                yield condition
            case pst.BinaryOp("and" | "or", left, right):
                yield from (left, right)


def _within(node: object) -> Iterator[object]:
    """Give a node of a rule and all in it, outermost first."""
    yield node
    inner: Iterable[object]
    if isinstance(node, Mapping | tuple):
        inner = node.values() if isinstance(node, Mapping) else node
    else:
        inner = (getattr(node, name) for name in getattr(node, "__dataclass_fields__", ()))
    for each in inner:
        yield from _within(each)


def _written(templates: Iterable[pst.Template]) -> str:
    by_id = {template.id: template for template in templates}
    return str(PolicySet.from_pst(pst.PolicySet(pst.FrozenMap(), pst.FrozenMap(by_id), ())))


def _line(message: object) -> str:
    return " ".join(str(message).split())
