"""Two cards are compared figure by figure, and what only one has is said."""

from dataclasses import replace

import pytest

from likeness.errors import InvalidRequest
from likeness.evaluation import Estimate
from likeness.service.evaluate.cards.card import card_of_report
from likeness.service.evaluate.cards.changes import changes_of
from likeness.service.evaluate.findings import Findings

from .report_of_a_test import findings, report


def card(*found: Findings):
    return card_of_report(report(*found), b"{}")


def test_a_card_is_as_it_was() -> None:
    (change,) = changes_of(card(), card())
    assert (change.facts, change.changed, change.same_data) == ((), (), True)


def test_a_figure_is_apart_where_intervals_have_nothing_in_common() -> None:
    (change,) = changes_of(card(findings(30)), card(findings(45)))
    by_name = {one.figure: one for one in change.changed}
    near = by_name["1:1 FNMR at FMR 0.0001"]
    assert near.difference == pytest.approx(0.015)
    assert not near.apart  # 0.021 to 0.039, and 0.0315 to 0.0585
    (change,) = changes_of(card(findings(30)), card(findings(60)))
    by_name = {one.figure: one for one in change.changed}
    assert by_name["1:1 FNMR at FMR 0.0001"].apart


@pytest.mark.parametrize(("low", "apart"), [(3.0, False), (5.0, True)])
def test_an_interval_with_one_end_is_apart_from_what_lies_beyond_it(
    low: float, apart: bool
) -> None:
    ratios = []
    for ratio in (Estimate(2.0, 1.0, 4.0), Estimate(9.0, low)):
        (axis,) = findings().axes
        axis = replace(axis, inequity=(replace(axis.inequity[0], max_over_min=ratio),))
        ratios.append(card(replace(findings(), axes=(axis,))))
    (change,) = changes_of(*ratios)
    by_name = {one.figure: one.apart for one in change.figures}
    assert by_name["sex: FMR max/min at FMR 0.0001"] is apart


def test_what_only_one_card_has_is_listed() -> None:
    without = replace(findings(), axes=())
    (change,) = changes_of(card(), card(without))
    gone = [one for one in change.changed if one.new is None]
    assert "sex female: FMR at FMR 0.0001" in {one.figure for one in gone}
    assert all(one.difference is None and not one.apart for one in gone)
    (back,) = changes_of(card(without), card())
    assert [one.figure for one in back.changed] == [one.figure for one in gone]


def test_other_data_and_versions_are_facts_that_changed() -> None:
    found = findings()
    other = replace(
        found,
        system=replace(found.system, version="0.3.0"),
        data=replace(found.data, digest="cd" * 32),
        seconds=Estimate(None),
    )
    (change,) = changes_of(card(), card(other))
    assert not change.same_data
    assert ("version", "0.2.0", "0.3.0") in change.facts


def test_warnings_come_and_go() -> None:
    found = findings()
    warned = replace(found, axes=(replace(found.axes[0], warnings=("female is at 3 times",)),))
    (change,) = changes_of(card(), card(warned))
    assert change.new_warnings == ("groups by sex: female is at 3 times",)
    (change,) = changes_of(card(warned), card())
    assert change.warnings_gone == ("groups by sex: female is at 3 times",)


def test_one_system_is_not_compared_with_two() -> None:
    with pytest.raises(InvalidRequest, match="of 1 and the other of 2 systems"):
        changes_of(card(), card(findings(), findings()))
