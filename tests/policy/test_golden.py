"""Each pack says what its golden table says, on both sides of every boundary."""

from dataclasses import replace

import pytest

from likeness.errors import InvalidRequest
from likeness.policy import ChosenPack, PolicyEngine, shipped
from likeness.terms import Decision, Duty, Footage, LiveStatement

from .golden_rows import Row, in_words, rows

ROWS = list(rows())
FEWER_IS_STRICTER = {Duty.AUTHORISATION, Duty.QUOTA}
BENEATH = ("safeguards", "authenticated-use")


def engine_of(row: Row) -> PolicyEngine:
    packs = [ChosenPack.of(shipped()[name], {}) for name in BENEATH if name != row.pack]
    return PolicyEngine([*packs, ChosenPack.of(shipped()[row.pack], row.choices)])


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.pack}: {row.line}" for row in ROWS])
def test_the_pack_says_what_its_table_says(row: Row) -> None:
    if row.expected.startswith("error "):
        with pytest.raises(InvalidRequest, match=row.expected.removeprefix("error ")):
            engine_of(row)
    else:
        decision = engine_of(row).decide(row.use, row.circumstances, row.now)
        assert in_words(decision) == row.expected


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if not row.use.live and not row.expected.startswith("error ")],
    ids=lambda row: f"{row.pack}: {row.line}",
)
def test_to_say_that_it_is_live_never_lets_more_be_done(row: Row) -> None:
    engine = engine_of(row)
    after, live = (
        engine.decide(replace(row.use, live=is_live), row.circumstances, row.now)
        for is_live in (False, True)
    )
    assert_no_looser(live, after)


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if not row.expected.startswith("error ")],
    ids=lambda row: f"{row.pack}: {row.line}",
)
def test_to_state_a_source_of_pictures_never_lets_more_be_done(row: Row) -> None:
    engine, use = engine_of(row), replace(row.use, footage="undeclared")
    silent = engine.decide(use, row.circumstances, row.now)
    for source in Footage:
        stated = engine.decide(replace(use, footage=source), row.circumstances, row.now)
        assert_no_looser(stated, silent)


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row.live_search is None and not row.expected.startswith("error ")],
    ids=lambda row: f"{row.pack}: {row.line}",
)
def test_a_search_that_goes_on_and_states_nothing_is_never_let_do_more(row: Row) -> None:
    engine = engine_of(row)
    for live in (False, True):
        use = replace(row.use, live=live)
        at_once = engine.decide(use, row.circumstances, row.now)
        going_on = replace(use, live_search=LiveStatement())
        assert_no_looser(engine.decide(going_on, row.circumstances, row.now), at_once)


def assert_no_looser(decision: Decision, than: Decision) -> None:
    """Check that whatever one decision refuses or owes, another refuses or owes, or more."""
    if decision.refused_by:
        return
    assert not than.refused_by
    for owed in than.obligations:
        amount = decision.amount_of(owed.duty)
        assert amount is not None
        # Of what is owed within hours, fewer are stricter; of all else, more.
        assert amount <= owed.amount if owed.duty in FEWER_IS_STRICTER else amount >= owed.amount


def test_every_forbid_of_every_pack_decides_some_row_and_not_others() -> None:
    for pack in shipped().values():
        lines = [row.expected for row in ROWS if row.pack == pack.name]
        for rule in pack.rules:
            if rule.parsed.forbids:
                deciding = [line for line in lines if rule.rule.id in line.replace(",", "").split()]
                assert deciding, f"no row of {pack.name} is decided by {rule.rule.id}"
                assert len(deciding) < len(lines), f"all of {pack.name} are by {rule.rule.id}"
        assert any(line == "allowed" for line in lines), f"no row of {pack.name} is allowed"


def test_every_first_and_last_day_has_rows_on_both_sides() -> None:
    for pack in shipped().values():
        chosen = [ChosenPack.of(pack, {})]
        pack_rows = [row for row in ROWS if row.pack == pack.name]
        chosen += [
            ChosenPack.of(pack, row.choices)
            for row in pack_rows
            if not row.expected.startswith("error")
        ]
        moments = {row.now for row in pack_rows}
        days = {day for one in chosen for rule in pack.rules for day in one.days_of(rule) if day}
        for day in days:
            dates = {moment.date() for moment in moments}
            assert day in dates, f"no row of {pack.name} is of {day}"
            assert any((day - date).days == 1 for date in dates), (
                f"{pack.name}: the day before {day}"
            )
