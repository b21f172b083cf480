"""What other rules would have said of uses that were."""

from datetime import UTC, datetime

from likeness.policy import ChosenPack, Circumstances, PolicyEngine, shipped
from likeness.service.govern.simulation import RecordedUse, Said, Simulation, simulate
from likeness.terms import Action, Principal, Role, Use

AGENCY = Principal("key:1", Role.CLIENT, "PD", "police", "US-WA")


def engine(*names: str, **choices: dict[str, str]) -> PolicyEngine:
    return PolicyEngine(
        [
            ChosenPack.of(shipped()[name], choices.get(name.replace("-", "_"), {}))
            for name in ("safeguards", "authenticated-use", *names)
        ]
    )


def recorded(index: int, at: datetime, rules: PolicyEngine, purpose: str) -> RecordedUse:
    use = Use(AGENCY, Action.SEARCH, "SearchFacesByImage", purpose=purpose)
    decision = rules.decide(use, Circumstances(), at)
    return RecordedUse(index, at, use, Circumstances(), Said.by(decision))


def history(rules: PolicyEngine) -> list[RecordedUse]:
    days = [(2020, 6, 9), (2020, 6, 10), (2021, 6, 9), (2021, 6, 10)]
    return [
        recorded(index, datetime(*day, tzinfo=UTC), rules, "criminal-investigation")
        for index, day in enumerate(days)
    ]


def test_the_same_rules_say_the_same() -> None:
    rules = engine("amazon-2020")
    assert simulate(history(rules), rules) == Simulation(4, ())


def test_each_use_is_asked_about_at_its_own_moment() -> None:
    before = history(engine())
    until = engine("amazon-2020", amazon_2020={"ends": "2021-06-10"})
    differing = simulate(before, until).differences
    assert [one.recorded.index for one in differing] == [1, 2]
    assert [one.said.refused_by for one in differing] == [{"amazon-2020-police"}] * 2


def test_an_obligation_that_is_new_is_a_difference() -> None:
    before = history(engine())
    on_file = "notice-of-intent,accountability-report,operational-test,independent-testing"
    after = engine("washington-2021", washington_2021={"on-file": on_file})
    assert simulate(before, after).differences == ()  # in force from 2021-07-01
    later = [recorded(9, datetime(2022, 1, 1, tzinfo=UTC), engine(), "criminal-investigation")]
    (difference,) = simulate(later, after).differences
    assert difference.said.allowed
    assert {duty.value for duty, _ in difference.said.owed} == {"similarity", "review"}
