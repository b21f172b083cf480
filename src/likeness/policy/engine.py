"""What the rules in force say of a use in its circumstances: pure, and asked with a moment.

1. Nothing is allowed that no rule permits.
2. A forbid without an obligation refuses, whatever permits.
3. A forbid with one withholds until the duty is met; it never permits. All that are satisfied
   count, and of each duty the strictest is owed.
4. Where the rules cannot be asked, the use is refused.
5. Where a caller states another sort of source than the collection declares, the rules are asked
   about both: whatever either is refused or owes is refused or owed. So no statement loosens
   what an admin declared, nor what nobody did.
6. Whether rules may be changed is asked of the packs that are always in force alone: no rule locks
   out who could take it back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from json import dumps

from likeness.errors import required
from likeness.policy.cedar import CedarFailed, Facts, Rules, rounded_down, schema_text
from likeness.policy.circumstances import Circumstances
from likeness.policy.pack import ChosenPack, refuse_twins
from likeness.policy.question import as_rules_see_it, entities_of, every_purpose, request_of
from likeness.policy.steps import Steps
from likeness.policy.words import known_footage, vocabulary
from likeness.terms import Action, Decision, Duty, Footage, Obligation, Rule, Use

NOTHING_PERMITS = Rule("nothing-permits", "likeness", "no rule in force permits this use")
POLICY_ERROR = Rule("policy-error", "likeness", "the rules in force could not be asked")

_LESS_IS_STRICTER = {Duty.AUTHORISATION, Duty.QUOTA}
_KEPT = 1024


class PolicyEngine:
    """The rules in force, ready to be asked by many threads."""

    def __init__(self, packs: Sequence[ChosenPack]) -> None:
        """Put packs together; without any, nothing is allowed.

        Raises:
            InvalidRequest: two rules have the same id.
        """
        dated = [(rule, chosen.dated(rule)) for chosen in packs for rule in chosen.pack.rules]
        rules = [rule for rule, _ in dated]
        refuse_twins(rules)
        self._by_id = {rule.rule.id: rule for rule in rules}
        self._all = Rules(asked for _, asked in dated)
        self._gates = Rules(asked for rule, asked in dated if rule.duty is None)
        self._governing = Rules(
            chosen.dated(rule)
            for chosen in packs
            for rule in chosen.pack.rules
            if chosen.pack.facts.always
        )
        self._facts = Facts.of(
            [*every_purpose(), *(one for chosen in packs for one in chosen.entities())]
        )
        self._steps = Steps.of(
            [chosen.pack.rules_text for chosen in packs],
            [
                day
                for chosen in packs
                for rule in chosen.pack.rules
                for day in chosen.days_of(rule)
                if day is not None
            ],
        )
        # The same callers do the same again and again: what was asked once need not be asked anew.
        self._asked = lru_cache(_KEPT)(self._ask)
        self.duties = frozenset(rule.duty for rule in rules if rule.duty)
        self.digest = _digest(packs)

    def decide(self, use: Use, circumstances: Circumstances, now: datetime) -> Decision:
        """Say what the rules say: before anything is done, and again when scores are known."""
        similarity = rounded_down(Decimal(circumstances.similarity))
        since_use = self._steps.age(circumstances.since_use)
        sources = dict.fromkeys((circumstances.footage, _stated(use) or circumstances.footage))
        try:
            decisions = [
                self._asked(
                    as_rules_see_it(use),
                    replace(circumstances, similarity=0.0, footage=source, since_use=since_use),
                    self._steps.similarity(similarity),
                    self._steps.moment(now),
                )
                for source in sources
            ]
        except CedarFailed:
            decisions = [self._refused((POLICY_ERROR,))]
        decision = decisions[0] if len(decisions) == 1 else self._all_of(decisions)
        return replace(decision, true_positives=circumstances.least_true_positives)

    def _ask(
        self, use: Use, circumstances: Circumstances, similarity: Decimal, moment: datetime
    ) -> Decision:
        entities = self._facts.having(entities_of(use))
        request = request_of(use, circumstances, similarity, moment)
        governs = use.action is Action.GOVERN
        verdict = (self._governing if governs else self._all).ask(request, entities)
        if verdict.allows:
            return Decision(self._rules(verdict.rule_ids), (), (), self.digest)
        forbids = [self._by_id[rule_id] for rule_id in verdict.rule_ids]
        refusing = tuple(one.rule for one in forbids if governs or one.duty is None)
        if refusing or not forbids:
            return self._refused(refusing or (NOTHING_PERMITS,))
        # Nothing but duties: of what permits, Cedar speaks once these are left out.
        gate = self._gates.ask(request, entities)
        if not gate.allows:
            return self._refused((NOTHING_PERMITS,))
        owed = [
            Obligation(
                required(one.duty, "the duty of a rule that withholds"), one.amount, one.rule
            )
            for one in forbids
        ]
        return Decision(self._rules(gate.rule_ids), (), _strictest(owed), self.digest)

    def _all_of(self, decisions: Sequence[Decision]) -> Decision:
        """Make one decision of several: what any refuses is refused, what any owes is owed."""
        refused_by = dict.fromkeys(rule for one in decisions for rule in one.refused_by)
        if refused_by:
            return self._refused(tuple(refused_by))
        allowed_by = dict.fromkeys(rule for one in decisions for rule in one.allowed_by)
        owed = _strictest(each for one in decisions for each in one.obligations)
        return Decision(tuple(allowed_by), (), owed, self.digest)

    def _refused(self, rules: tuple[Rule, ...]) -> Decision:
        return Decision((), rules, (), self.digest)

    def _rules(self, rule_ids: Iterable[str]) -> tuple[Rule, ...]:
        return tuple(self._by_id[rule_id].rule for rule_id in rule_ids)


def _strictest(owed: Iterable[Obligation]) -> tuple[Obligation, ...]:
    by_duty: dict[Duty, Obligation] = {}
    for one in owed:
        sign = -1 if one.duty in _LESS_IS_STRICTER else 1
        known = by_duty.get(one.duty)
        if known is None or sign * one.amount > sign * known.amount:
            by_duty[one.duty] = one
    return tuple(by_duty.values())


def _stated(use: Use) -> Footage | None:
    """Say what sort of source a caller states, if it is one that rules know."""
    stated = known_footage(use.footage)
    return None if stated is Footage.UNDECLARED else stated


def _digest(packs: Sequence[ChosenPack]) -> str:
    chosen = [
        [one.pack.name, one.pack.facts_text, one.pack.rules_text, one.choices] for one in packs
    ]
    document = [schema_text(), vocabulary().text, sorted(chosen, key=lambda one: str(one[0]))]
    return sha256(dumps(document, sort_keys=True).encode()).hexdigest()
