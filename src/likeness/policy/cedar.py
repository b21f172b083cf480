"""How are rules read and asked? In Cedar, of which only this file knows.

A forbid that errs is skipped by Cedar, so that it would allow what it forbids. Hence:

1. A text is checked against the schema, which makes every fact required, before it is used.
2. What a text names (sectors, purposes, choices) has to exist: a rule about a misspelt sector would
   never be satisfied.
3. Every request is checked against the schema, and an answer with any error is none.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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

_KEPT = 64


class CedarFailed(Exception):
    """Cedar could not say what the rules say."""


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
        InvalidRequest: the text is not Cedar, or asks for what the schema does not have.
    """
    try:
        parsed = PolicySet.from_str(text).to_pst()
    except ValueError as error:
        raise InvalidRequest(
            f"rules in Cedar were expected in {where}, which cannot be read ({_line(error)}):"
            " correct them"
        ) from error
    if parsed.templates:
        raise InvalidRequest(
            f"rules without slots were expected in {where}, one has ?principal or ?resource: write"
            " it out"
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
    result = validate_policies(text, _schema())
    for problem in result.errors:
        named = result.id_annotations_by_policy_id.get(problem.policy_id, problem.policy_id)
        raise InvalidRequest(
            f"rules that fit the schema were expected in {where}, {named or 'one'} does not"
            f" ({_line(problem.error)}): correct it"
        )
    if not result.validation_passed:
        raise InvalidRequest(f"rules that fit the schema were expected in {where}: correct them")
    return sorted(rules, key=lambda rule: rule.place)


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


def _line(message: object) -> str:
    return " ".join(str(message).split())
