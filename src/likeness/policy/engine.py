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

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from hashlib import sha256
from json import dumps
from typing import Any
from uuid import UUID

from likeness.errors import required
from likeness.policy.cedar import CedarFailed, Facts, Rules, schema_text
from likeness.policy.pack import ChosenPack, refuse_twins
from likeness.policy.words import (
    Notice,
    Values,
    known,
    known_footage,
    vocabulary,
    within,
)
from likeness.terms import (
    UNDECLARED,
    Action,
    Decision,
    Duty,
    Footage,
    LiveStatement,
    Obligation,
    Rule,
    Use,
)

_DAY = timedelta(days=1)
_MILLISECOND = timedelta(milliseconds=1)
_NONE, _SMALLEST = Decimal("0.0"), Decimal("0.0001")

# Facts are read by `context.NAME`, as written: by an index, as a whole or with an escape they could
# be read unseen.
_UNSEEN = re.compile(r"\bcontext\b(?!\.\w)|\\")
_MOMENT_READ = re.compile(r"\.\s*now\b")
_SIMILARITY_READ = re.compile(r"\.\s*similarity\b")
_SIMILARITY_COMPARED = re.compile(
    r"context\.similarity\.(?:lessThan|greaterThan)(?:OrEqual)?\(decimal\(\"([0-9.]+)\"\)\)"
)
_AGE_READ = re.compile(r"\.\s*sinceUse\b")
_AGE_COMPARED = re.compile(r"context\.sinceUse (?:[<>]=?|==) duration\(\"([0-9]+)(ms|s|m|h|d)\"\)")
_UNITS = {
    "ms": _MILLISECOND,
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": _DAY,
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a use at the moment of asking; the defaults are those of one just begun.

    `similarity` is the percent of the candidate least alike among those to be answered: 0 while
    there are no scores, 100 where there is no candidate. `separate_reviews` are those of `reviews`
    whose reviewers knew of no other's verdict. `uses_today` are the organisation's before this
    one. `footage` is what the collection declares; what the caller states is of the use.
    `authorised` is an authority's consent to this use, on record. `least_true_positives` is
    the percent of true positives in the group with the fewest, by NIST's test of the model in use,
    on an accepted report card: 0 without one.

    Raises:
        ValueError: a number is out of range.
    """

    similarity: float = 0.0
    reviews: int = 0
    separate_reviews: int = 0
    least_true_positives: Decimal = _NONE
    authorised: bool = False
    since_use: timedelta = timedelta(0)
    notice_shown: bool = False
    uses_today: int = 0
    footage: Footage = Footage.UNDECLARED
    suspended: bool = False
    clock_set_back: bool = False

    def __post_init__(self) -> None:
        """Refuse what nobody can have counted."""
        if not 0 <= self.similarity <= 100:  # refuses NaN too
            raise ValueError(f"Not a similarity: {self.similarity}. Give 0 to 100 percent.")
        if not 0 <= self.least_true_positives <= 100:
            raise ValueError(
                f"Not true positives: {self.least_true_positives}. Give 0 to 100 percent."
            )
        if not 0 <= self.separate_reviews <= self.reviews or self.uses_today < 0:
            raise ValueError(
                f"No such counts: {self.separate_reviews} separate reviews of {self.reviews},"
                f" {self.uses_today} uses. Give counts from 0, separate reviews among reviews."
            )

    @classmethod
    def at_admission(cls, use: Use, uses_today: int) -> "Circumstances":
        """Give those of a use before anything of it is done, as its collection declares them."""
        return cls(
            notice_shown=use.collection.notice == Notice.SHOWN,
            uses_today=uses_today,
            footage=known_footage(use.collection.footage),
        )


@dataclass(frozen=True, slots=True)
class Steps:
    """The moments, similarities and ages that rules name, in order: all between two are one.

    Hence a use that differs from an earlier one in these alone is decided as that was. Where a rule
    does anything else with a fact than compare it with a value that it names, every value stands by
    itself: None.
    """

    moments: Sequence[datetime] | None
    similarities: Sequence[Decimal] | None
    ages: Sequence[timedelta] | None

    @classmethod
    def of(cls, texts: Sequence[str], days: Iterable[date]) -> "Steps":
        """Find them in the texts of rules and the first and last days that these have."""
        whole = "\n".join(texts)
        if _UNSEEN.search(whole):
            return cls(None, None, None)
        compared = _SIMILARITY_COMPARED.findall(whole)
        ages = _AGE_COMPARED.findall(whole)
        return cls(
            None
            if _MOMENT_READ.search(whole)
            else sorted({datetime.combine(day, time(), UTC) for day in days}),
            None
            if len(_SIMILARITY_READ.findall(whole)) > len(compared)
            else sorted({Decimal(one) for one in compared}),
            None
            if len(_AGE_READ.findall(whole)) > len(ages)
            else sorted({int(count) * _UNITS[unit] for count, unit in ages}),
        )

    def moment(self, now: datetime) -> datetime:
        """Give the moment that stands for all that rules hold to be the same as this."""
        if not self.moments:
            return now
        place = bisect_right(self.moments, now)
        return self.moments[place - 1] if place else self.moments[0] - _DAY

    def similarity(self, percent: Decimal) -> Decimal:
        """Give the similarity that stands for all that rules hold to be the same as this.

        It has four decimals, as Cedar's have.
        """
        if self.similarities is None:
            return percent
        place = bisect_right(self.similarities, percent)
        if not place:
            return _NONE
        named = self.similarities[place - 1]
        return named if named == percent else named + _SMALLEST

    def age(self, since: timedelta) -> timedelta:
        """Give the time since a use began that stands for all that rules hold to be the same.

        It has whole milliseconds, as Cedar's have.
        """
        whole = since // _MILLISECOND * _MILLISECOND
        if self.ages is None:
            return whole
        place = bisect_right(self.ages, whole)
        if not place:
            return self.ages[0] - _MILLISECOND if self.ages else timedelta(0)
        named = self.ages[place - 1]
        return named if named == whole else named + _MILLISECOND


NOTHING_PERMITS = Rule("nothing-permits", "likeness", "no rule in force permits this use")
POLICY_ERROR = Rule("policy-error", "likeness", "the rules in force could not be asked")

_LESS_IS_STRICTER = {Duty.AUTHORISATION, Duty.QUOTA}
_ANY_USE = UUID(int=0)
_ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
_NO_STATEMENT = LiveStatement()
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
            [*_purposes(), *(one for chosen in packs for one in chosen.entities())]
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
        # Rounded down: what is nearly alike enough is not.
        similarity = Decimal(circumstances.similarity).quantize(_SMALLEST, ROUND_FLOOR)
        since_use = self._steps.age(circumstances.since_use)
        sources = dict.fromkeys((circumstances.footage, _stated(use) or circumstances.footage))
        try:
            decisions = [
                self._asked(
                    _as_rules_see_it(use),
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
        entities = self._facts.having([_caller(use), _collection(use)])
        request = _request(use, circumstances, similarity, moment)
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


def _as_rules_see_it(use: Use) -> Use:
    """Leave out what differs between uses that no rule tells apart."""
    live_search = use.live_search
    if live_search is not None:
        live_search = LiveStatement(
            _whether(live_search.place),
            _whether(live_search.authority),
            _whether(live_search.criteria),
            None if live_search.ends_at is None else _ANY_MOMENT,
        )
    return replace(
        use,
        operation="",
        case=_whether(use.case),
        warrant=_whether(use.warrant),
        live_search=live_search,
        footage=UNDECLARED,
        granted=True,
        replayed=False,
        model=None,
        id=_ANY_USE,
    )


def _whether(said: str | None) -> str | None:
    return "stated" if said else None


def _request(
    use: Use, circumstances: Circumstances, similarity: Decimal, now: datetime
) -> dict[str, Any]:
    purpose = known(vocabulary().purposes, use.purpose)
    stated = use.live_search or _NO_STATEMENT
    moment = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "principal": {"type": "Caller", "id": use.principal.id},
        "action": {"type": "Action", "id": use.action.value},
        "resource": {"type": "Collection", "id": str(use.collection_id)},
        "context": {
            "now": _extended("datetime", moment),
            "purpose": {"__entity": {"type": "Purpose", "id": purpose}},
            "live": use.live,
            "liveSearch": use.live_search is not None,
            "placeStated": bool(stated.place),
            "authorityStated": bool(stated.authority),
            "criteriaStated": bool(stated.criteria),
            "endStated": stated.ends_at is not None,
            "footage": {"__entity": {"type": "Footage", "id": circumstances.footage.value}},
            "caseStated": bool(use.case),
            "warrantStated": bool(use.warrant),
            "noticeShown": circumstances.notice_shown,
            "usesToday": circumstances.uses_today,
            "similarity": _extended("decimal", str(similarity)),
            "leastTruePositives": _extended(
                "decimal", _decimal(circumstances.least_true_positives)
            ),
            "reviews": circumstances.reviews,
            "separateReviews": circumstances.separate_reviews,
            "authorised": circumstances.authorised,
            "sinceUse": _extended("duration", f"{circumstances.since_use // _MILLISECOND}ms"),
            "suspended": circumstances.suspended,
            "clockSetBack": circumstances.clock_set_back,
        },
    }


def _decimal(percent: Decimal) -> str:
    # Rounded down, to the four decimals that Cedar's have.
    return str(percent.quantize(_SMALLEST, ROUND_FLOOR))


def _extended(function: str, argument: str) -> dict[str, Any]:
    return {"__extn": {"fn": function, "arg": argument}}


def _caller(use: Use) -> dict[str, Any]:
    words, principal, declared = vocabulary(), use.principal, use.collection
    sectors = _whole(words.sectors, (principal.sector, declared.sector))
    jurisdictions = _whole(words.jurisdictions, (principal.jurisdiction, declared.jurisdiction))
    return {
        "uid": {"type": "Caller", "id": principal.id},
        "attrs": {"organisation": principal.organisation},
        "parents": [
            {"type": "Role", "id": principal.role.value},
            *({"type": "Sector", "id": one} for one in sectors),
            *({"type": "Jurisdiction", "id": one} for one in jurisdictions),
        ],
    }


def _whole(values: Values, declared: tuple[str, str]) -> list[str]:
    """Give what is declared and all that it is part of; `undeclared` where nothing is."""
    said = {known(values, one) for one in declared}
    return sorted(set().union(*(within(values, one) for one in said - {UNDECLARED} or said)))


def _collection(use: Use) -> dict[str, Any]:
    purpose = known(vocabulary().purposes, use.collection.purpose)
    return {
        "uid": {"type": "Collection", "id": str(use.collection_id)},
        "attrs": {"purpose": {"__entity": {"type": "Purpose", "id": purpose}}},
        "parents": [],
    }


def _purposes() -> list[dict[str, Any]]:
    return [
        {
            "uid": {"type": "Purpose", "id": name},
            "attrs": {},
            "parents": [{"type": "Purpose", "id": parent} for parent in parents],
        }
        for name, parents in vocabulary().purposes.items()
    ]


def _digest(packs: Sequence[ChosenPack]) -> str:
    chosen = [
        [one.pack.name, one.pack.facts_text, one.pack.rules_text, one.choices] for one in packs
    ]
    document = [schema_text(), vocabulary().text, sorted(chosen, key=lambda one: str(one[0]))]
    return sha256(dumps(document, sort_keys=True).encode()).hexdigest()
