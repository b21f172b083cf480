"""What rules hold to be the same is asked about once, and is decided as if it were asked anew."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from likeness.policy import ChosenPack, Circumstances, PolicyEngine, read_pack, shipped
from likeness.policy.steps import Steps

from .golden_rows import in_words
from .test_default_policy import random_use
from .test_engine import FACTS, NOW, PERMIT, USE, rule

FLOOR = 'context.similarity.greaterThanOrEqual(decimal("{}"))'
DAYS = [date(2024, 2, 29), date(2020, 6, 10)]


def test_between_two_values_that_rules_name_all_are_one() -> None:
    steps = Steps.of([FLOOR.format("99.0"), FLOOR.format("80.5")], DAYS)
    shown = [steps.similarity(Decimal(one)) for one in ("0.0", "80.4999", "80.5", "80.5001")]
    assert shown == [Decimal(one) for one in ("0.0", "0.0", "80.5", "80.5001")]
    shown = [steps.similarity(Decimal(one)) for one in ("98.9999", "99.0000", "99.7", "100.0")]
    assert shown == [Decimal(one) for one in ("80.5001", "99.0", "99.0001", "99.0001")]

    first, second = (datetime(2020, 6, 10, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC))
    moment = timedelta(milliseconds=1)
    assert steps.moment(first - moment) == steps.moment(first - 9000 * timedelta(days=1)) < first
    assert steps.moment(first) == steps.moment(second - moment) == first
    assert steps.moment(second) == steps.moment(datetime(9999, 1, 1, tzinfo=UTC)) == second


AGE = 'context.sinceUse {} duration("{}")'


def test_between_two_ages_that_rules_name_all_are_one() -> None:
    steps = Steps.of([AGE.format(">", "24h"), AGE.format("<", "0s")], DAYS)
    day, ms = timedelta(hours=24), timedelta(milliseconds=1)
    assert steps.age(-day) == steps.age(-ms) == steps.age(-ms / 2) == -ms
    assert steps.age(timedelta(0)) == steps.age(ms / 2) == timedelta(0)
    assert steps.age(ms) == steps.age(day - ms) == ms
    assert steps.age(day) == steps.age(day + ms / 2) == day
    assert steps.age(day + ms) == steps.age(900 * day) == day + ms
    assert Steps.of([], DAYS).age(day) == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        'duration("24h") < context.sinceUse',
        "context.sinceUse.toHours() > 3",
        'context.sinceUse > duration("1d2h")',
        'context . sinceUse > duration("1h")',
    ],
)
def test_where_a_rule_does_something_else_with_it_every_age_stands_by_itself(text: str) -> None:
    steps = Steps.of([AGE.format(">", "24h"), text], DAYS)
    assert steps.age(timedelta(milliseconds=17.5)) == timedelta(milliseconds=17)


def test_a_search_that_goes_on_is_asked_about_once_between_two_ages() -> None:
    text = rule("yes", PERMIT) + rule(
        "stops", f"forbid(principal, action, resource) when {{ {AGE.format('>', '24h')} }};"
    )
    engine = PolicyEngine([ChosenPack.of(read_pack("test", FACTS, text), {})])
    ages = [timedelta(hours=24, milliseconds=one) for one in (-5000, -20, -1, 0, 0.5, 1, 60_000)]
    said = [bool(engine.decide(USE, Circumstances(since_use=age), NOW).refused_by) for age in ages]
    assert said == [False] * 5 + [True] * 2
    assert engine._asked.cache_info().currsize == 3


@pytest.mark.parametrize(
    "text",
    [
        'context["similarity"].lessThan(decimal("1.0")) && context.now < datetime("2020-01-01")',
        'context has similarity && context.similarity.lessThan(decimal("1.0"))',
        r'context["simil\u{61}rity"].lessThan(decimal("1.0"))',
        'decimal("9.0").lessThan(context.similarity) && context.now.toTime() > duration("1h")',
        'context.similarity != decimal("9.0") && context . now < datetime("2020-01-01")',
        'context.similarity // why\n.lessThan(decimal("1.0")) && context. now == context.now',
    ],
)
def test_where_a_rule_does_something_else_every_value_stands_by_itself(text: str) -> None:
    steps = Steps.of([FLOOR.format("99.0"), text], DAYS)
    assert steps.similarity(Decimal("98.1234")) == Decimal("98.1234")
    assert steps.moment(NOW) == NOW


def test_a_rule_that_reads_the_clock_is_asked_at_every_moment() -> None:
    text = rule("yes", PERMIT) + rule(
        "by-night",
        'forbid(principal, action, resource) when { context.now.toTime() < duration("6h") };',
    )
    engine = PolicyEngine([ChosenPack.of(read_pack("test", FACTS, text), {})])
    hours = [engine.decide(USE, Circumstances(), NOW.replace(hour=hour)) for hour in (3, 9, 5, 12)]
    assert [bool(one.refused_by) for one in hours] == [True, False, True, False]


@pytest.mark.slow
def test_what_was_asked_before_is_decided_as_if_it_were_asked_anew() -> None:
    chance = random.Random("asked before")
    packs = [ChosenPack.of(pack, {}) for pack in shipped().values()]
    engine, anew = PolicyEngine(packs), PolicyEngine(packs)
    anew._steps = Steps(None, None, None)
    days = sorted(
        {day for one in packs for rule in one.pack.rules for day in one.days_of(rule) if day}
    )
    uses = [random_use(chance) for _ in range(40)]
    said = set()
    for _ in range(5000):
        use, seen, _ = chance.choice(uses)
        day = datetime.combine(chance.choice(days), datetime.min.time(), UTC)
        now = day + timedelta(milliseconds=chance.choice([-1, 0, 1, 7 * 10**9]))
        similarity = chance.choice([98.9999, 99.0, 99.0001, chance.uniform(0, 100)])
        age = timedelta(hours=chance.choice([0, 0, 0, 0, chance.uniform(-1, 72)]))
        circumstances = replace(seen, similarity=similarity, since_use=age)
        asked = replace(use, id=uuid4()), circumstances, now
        decision = engine.decide(*asked)
        assert decision == anew.decide(*asked), asked
        said.add(in_words(decision))
    assert len(said) > 20
    assert engine._asked.cache_info().hits > 1000
