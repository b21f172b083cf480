"""What obligations mean, and that whatever is wrong refuses."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from likeness.policy import ChosenPack, Circumstances, PolicyEngine, read_pack, shipped
from likeness.policy.cedar import CedarFailed, Rules
from likeness.policy.engine import NOTHING_PERMITS, POLICY_ERROR
from likeness.terms import Action, Decision, Duty, Footage, LiveStatement, Principal, Role, Use

from .test_broken_packs import FACTS

NOW = datetime(2026, 1, 1, tzinfo=UTC)
USE = Use(Principal("key:1", Role.CLIENT, sector="commerce"), Action.SEARCH, "SearchFaces")
PERMIT = "permit(principal, action, resource);"


def rule(rule_id: str, text: str, *annotations: str) -> str:
    head = f'@id("{rule_id}") @source("here") @effective("2020-01-01")'
    return f"{head} {' '.join(annotations)} {text}\n"


def withholding(rule_id: str, duty: str, amount: str, met: str, when: str = "true") -> str:
    text = f"forbid(principal, action, resource) when {{ {when} }} unless {{ {met} }};"
    return rule(rule_id, text, f'@obligation("{duty}")', f'@amount("{amount}")')


def engine(*rules: str) -> PolicyEngine:
    return PolicyEngine([ChosenPack.of(read_pack("test", FACTS, "".join(rules)), {})])


def decide(*rules: str, circumstances: Circumstances | None = None, use: Use = USE) -> Decision:
    return engine(*rules).decide(use, circumstances or Circumstances(), NOW)


def test_no_pack_allows_nothing() -> None:
    decision = PolicyEngine([]).decide(USE, Circumstances(), NOW)
    assert not decision.allowed
    assert decision.refused_by == (NOTHING_PERMITS,)


def test_a_forbid_without_an_obligation_refuses_whatever_permits() -> None:
    decision = decide(rule("yes", PERMIT), rule("no", "forbid(principal, action, resource);"))
    assert [one.id for one in decision.refused_by] == ["no"]
    assert decision.allowed_by == ()


def test_an_obligation_withholds_until_it_is_met() -> None:
    rules = (rule("yes", PERMIT), withholding("look", "review", "2", "context.reviews >= 2"))
    owed = decide(*rules, circumstances=Circumstances(reviews=1))
    assert owed.allowed
    assert owed.amount_of(Duty.REVIEW) == 2
    met = decide(*rules, circumstances=Circumstances(reviews=2))
    assert met.allowed
    assert met.obligations == ()


def test_an_obligation_never_permits() -> None:
    rules = withholding("look", "review", "1", "context.reviews >= 1")
    for reviews in (0, 1, 2):
        decision = decide(rules, circumstances=Circumstances(reviews=reviews))
        assert not decision.allowed
        assert decision.obligations == ()


def test_a_refused_use_owes_nothing() -> None:
    decision = decide(
        rule("yes", PERMIT),
        rule("no", "forbid(principal, action, resource);"),
        withholding("look", "review", "1", "context.reviews >= 1"),
    )
    assert (decision.allowed, decision.obligations) == (False, ())


def test_the_strictest_of_each_duty_is_owed() -> None:
    decision = decide(
        rule("yes", PERMIT),
        withholding("one", "review", "1", "context.reviews >= 1"),
        withholding("three", "review", "3", "context.reviews >= 3"),
        withholding("two", "review", "2", "context.reviews >= 2"),
        withholding("late", "authorisation", "48", "context.authorised"),
        withholding("soon", "authorisation", "24", "context.authorised"),
        withholding("many", "quota", "10", "context.usesToday < 10"),
        withholding("few", "quota", "5", "context.usesToday < 5"),
        withholding("notice", "notice", "1", "context.noticeShown"),
        withholding("apart", "separate-review", "2", "context.separateReviews >= 2"),
        withholding(
            "floor",
            "similarity",
            "99.0",
            'context.similarity.greaterThanOrEqual(decimal("99.0"))',
        ),
        withholding("never", "review", "9", "context.reviews >= 9", when="context.live"),
        circumstances=Circumstances(uses_today=10),
    )
    owed = {one.duty.value: (one.amount, one.rule.id) for one in decision.obligations}
    assert owed == {
        "review": (3, "three"),
        "separate-review": (2, "apart"),
        "authorisation": (24, "soon"),
        "quota": (5, "few"),
        "notice": (1, "notice"),
        "similarity": (99, "floor"),
    }


def test_a_quota_is_owed_from_the_first_use_too_many() -> None:
    rules = (rule("yes", PERMIT), withholding("few", "quota", "5", "context.usesToday < 5"))
    assert decide(*rules, circumstances=Circumstances(uses_today=4)).obligations == ()
    assert decide(*rules, circumstances=Circumstances(uses_today=5)).amount_of(Duty.QUOTA) == 5


def test_a_rule_that_errs_refuses_rather_than_being_skipped() -> None:
    # Arithmetic that overflows passes every check that comes before.
    text = (
        "forbid(principal, action, resource) when { context.usesToday * 9223372036854775807 > 1 };"
    )
    rules = (rule("yes", PERMIT), rule("sum", text))
    assert decide(*rules).allowed
    failed = decide(*rules, circumstances=Circumstances(uses_today=2))
    assert failed.refused_by == (POLICY_ERROR,)


def test_an_obligation_that_errs_refuses_too() -> None:
    when = "context.usesToday * 9223372036854775807 > 1"
    rules = (
        rule("yes", PERMIT),
        withholding("look", "review", "1", "context.reviews >= 1", when),
    )
    failed = decide(*rules, circumstances=Circumstances(uses_today=2))
    assert failed.refused_by == (POLICY_ERROR,)


def test_a_request_that_does_not_fit_the_schema_is_an_error() -> None:
    chosen = ChosenPack.of(read_pack("test", FACTS, rule("yes", PERMIT)), {})
    made = engine(rule("yes", PERMIT))
    request = {
        "principal": {"type": "Caller", "id": "x"},
        "action": {"type": "Action", "id": "search"},
        "resource": {"type": "Collection", "id": "x"},
        "context": {"live": True},
    }
    with pytest.raises(CedarFailed):
        Rules([chosen.dated(chosen.pack.rules[0])]).ask(request, made._facts)


@pytest.mark.parametrize("hostile", ['"', "\\", "\n", "x" * 10_000, "Ünïcode", 'a"); permit('])
def test_what_callers_say_of_themselves_cannot_break_out(hostile: str) -> None:
    principal = Principal(hostile, Role.CLIENT, hostile, hostile, hostile, (hostile,))
    use = replace(USE, principal=principal, purpose=hostile, case=hostile, warrant=hostile)
    default = PolicyEngine([ChosenPack.of(pack, {}) for pack in shipped().values()])
    refused = {one.id for one in default.decide(use, Circumstances(), NOW).refused_by}
    assert {"unknown-sector", "unknown-jurisdiction", "unknown-purpose"} <= refused


def test_what_cedar_cannot_hold_refuses() -> None:
    rules = (rule("yes", PERMIT),)
    assert decide(*rules, circumstances=Circumstances(uses_today=2**63 - 1)).allowed
    too_many = decide(*rules, circumstances=Circumstances(uses_today=2**63))
    assert too_many.refused_by == (POLICY_ERROR,)
    for broken in (Principal("\ud800", Role.CLIENT), Principal("key:1", Role.CLIENT, "\ud800")):
        assert decide(*rules, use=replace(USE, principal=broken)).refused_by == (POLICY_ERROR,)


@pytest.mark.parametrize("similarity", [-1.0, 100.1, float("nan"), float("inf")])
def test_a_similarity_that_is_none_is_refused(similarity: float) -> None:
    with pytest.raises(ValueError, match="0 to 100"):
        Circumstances(similarity=similarity)


def test_separate_reviews_are_among_the_reviews() -> None:
    with pytest.raises(ValueError, match="2 separate reviews of 1"):
        Circumstances(reviews=1, separate_reviews=2)


@pytest.mark.parametrize(
    "text",
    [
        "forbid(principal, action, resource);",
        "forbid(principal, action, resource) when { context.usesToday * 9223372036854775807 > 1 };",
    ],
)
def test_no_rule_locks_out_who_could_take_it_back(text: str) -> None:
    always = [ChosenPack.of(pack, {}) for pack in shipped().values() if pack.facts.always]
    own = read_pack("test", FACTS, rule("yes", PERMIT) + rule("no", text))
    locked = PolicyEngine([*always, ChosenPack.of(own, {})])
    known = Circumstances(uses_today=2)
    admin = replace(USE, principal=Principal("local:root", Role.ADMIN))
    assert not locked.decide(admin, known, NOW).allowed
    assert locked.decide(replace(admin, action=Action.GOVERN), known, NOW).allowed
    client = replace(USE, action=Action.GOVERN)
    assert not locked.decide(client, known, NOW).allowed


def test_the_digest_names_texts_facts_and_choices() -> None:
    pack = shipped()["amazon-2020"]
    digests = {
        PolicyEngine([]).digest,
        PolicyEngine([ChosenPack.of(pack, {})]).digest,
        PolicyEngine([ChosenPack.of(pack, {"ends": "2021-06-10"})]).digest,
        engine(rule("yes", PERMIT)).digest,
        engine(rule("yes", PERMIT) + "// a remark").digest,
    }
    assert len(digests) == 5
    assert PolicyEngine([ChosenPack.of(pack, {"ends": ""})]).digest in digests


def test_the_digest_does_not_depend_on_an_order() -> None:
    packs = [ChosenPack.of(pack, {}) for pack in shipped().values()]
    assert PolicyEngine(packs).digest == PolicyEngine(packs[::-1]).digest


FOOTAGE = (
    rule("yes", PERMIT),
    rule(
        "no-drones",
        'forbid(principal, action, resource) when { context.footage == Footage::"drone" };',
    ),
    rule(
        "unknown-source",
        'forbid(principal, action, resource) when { context.footage == Footage::"undeclared" };',
    ),
    withholding(
        "fixed", "review", "1", "context.reviews >= 1", 'context.footage == Footage::"fixed-camera"'
    ),
    withholding(
        "upload", "review", "2", "context.reviews >= 2", 'context.footage == Footage::"upload"'
    ),
)


@pytest.mark.parametrize(
    ("declared", "stated", "refused_by", "reviews"),
    [
        ("upload", "undeclared", [], 2),
        ("upload", "upload", [], 2),
        ("upload", "fixed-camera", [], 2),
        ("fixed-camera", "upload", [], 2),
        ("upload", "drone", ["no-drones"], None),
        ("drone", "upload", ["no-drones"], None),
        ("undeclared", "upload", ["unknown-source"], None),
        ("undeclared", "drone", ["no-drones", "unknown-source"], None),
        ("body-camera", "upload", [], 2),
        ("body-camera", "undeclared", [], None),
    ],
)
def test_what_a_caller_states_of_footage_only_makes_rules_stricter(
    declared: str, stated: str, refused_by: list[str], reviews: int | None
) -> None:
    decision = decide(
        *FOOTAGE,
        circumstances=Circumstances(footage=Footage(declared)),
        use=replace(USE, footage=stated),
    )
    assert sorted(one.id for one in decision.refused_by) == refused_by
    assert decision.amount_of(Duty.REVIEW) == reviews
    assert decision.allowed == (not refused_by)


def test_of_hours_and_uses_the_fewer_count_whichever_source_owes_them() -> None:
    def within(rule_id: str, hours: str, source: str) -> str:
        of_source = f'context.footage == Footage::"{source}"'
        return withholding(rule_id, "authorisation", hours, "context.authorised", of_source)

    for declared, stated in (("drone", "upload"), ("upload", "drone")):
        decision = decide(
            rule("yes", PERMIT),
            within("soon", "24", "drone"),
            within("later", "48", "upload"),
            circumstances=Circumstances(footage=Footage(declared)),
            use=replace(USE, footage=stated),
        )
        assert [(one.amount, one.rule.id) for one in decision.obligations] == [(24, "soon")]


STATED = LiveStatement("the station", "District court", "wanted by warrant", NOW)


@pytest.mark.parametrize(
    ("fact", "without"),
    [
        ("placeStated", replace(STATED, place=None)),
        ("authorityStated", replace(STATED, authority=None)),
        ("criteriaStated", replace(STATED, criteria=None)),
        ("endStated", replace(STATED, ends_at=None)),
    ],
)
def test_rules_see_what_was_stated_of_a_live_search(fact: str, without: LiveStatement) -> None:
    asked = engine(
        rule("yes", PERMIT),
        rule(
            "no",
            "forbid(principal, action, resource)"
            f" when {{ context.liveSearch && !context.{fact} }};",
        ),
    )

    def refused(stated: LiveStatement | None) -> bool:
        use = replace(USE, live_search=stated)
        return bool(asked.decide(use, Circumstances(), NOW).refused_by)

    assert not refused(STATED)
    assert refused(without)
    assert refused(LiveStatement())
    # A search that is over once it is answered states nothing, and owes no statement.
    assert not refused(None)


def test_live_searches_that_state_the_same_things_are_one_to_rules() -> None:
    asked = engine(rule("yes", PERMIT))
    others = LiveStatement("the port", "Another court", "missing", NOW.replace(year=2030))
    for stated in (STATED, others):
        asked.decide(replace(USE, live_search=stated), Circumstances(), NOW)
    assert asked._asked.cache_info().currsize == 1
