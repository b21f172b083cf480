"""Few digits, each figure with its interval."""

import pytest

from likeness.evaluation import Estimate
from likeness.reports import (
    estimate_cell,
    interval,
    number,
    percent,
    rate_cell,
    score,
    seconds,
    signed,
    small,
)
from likeness.service.evaluate.findings import Rate
from likeness.terms import one_in


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0%"),
        (0.3137, "31.4%"),
        (0.0235, "2.4%"),
        (0.003, "0.3%"),
        (0.00042, "0.042%"),
        (0.998, "99.8%"),
        (0.99996, "99.996%"),
        (1.0, "100%"),
    ],
)
def test_percent(share: float, said: str) -> None:
    assert percent(share) == said


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (0.0, "0"),
        (0.00999, "0.01"),
        (0.31, "0.31"),
        (0.0123, "0.012"),
        (1e-6, "1e-6"),
        (9.94e-4, "9.9e-4"),
    ],
)
def test_small_rates(rate: float, said: str) -> None:
    assert small(rate) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(63.0957, "63.1"), (0.792058, "0.792"), (1234.5, "1,234"), (0.0, "0"), (10.0, "10")],
)
def test_numbers(value: float, said: str) -> None:
    assert number(value) == said


def test_other_forms() -> None:
    assert (one_in(1 / 48_123), one_in(0.9), one_in(0)) == ("1 in 48,000", "90 in 100", "none")
    assert (seconds(0.0844), seconds(1.23)) == ("84 ms", "1.2 s")
    assert (score(0.47812), score(99.1234)) == ("0.4781", "99.12")
    assert percent(-1e308) == "-inf%"
    assert [signed(percent)(value) for value in (0.01, -0.01, 0.0)] == ["+1%", "-1%", "0%"]


def test_intervals_have_the_ends_that_are_known() -> None:
    assert interval(0.01, 0.02, percent) == "1% to 2%"
    assert interval(None, 0.02, percent) == "at most 2%"
    assert interval(0.01, None, percent) == "at least 1%"
    assert interval(None, None, percent) == ""
    assert interval(0.082, 0.088, seconds) == "82 to 88 ms"
    assert interval(0.82, 1.2, seconds) == "820 ms to 1.2 s"


def test_a_rate_of_few_errors_is_marked() -> None:
    cell = rate_cell(Rate(12, 1000, 0.012, 0.007, 0.021, "Rule of 30."))
    assert (cell.text, cell.detail, cell.tone) == ("1.2%", "0.7% to 2.1%; 12 of 1,000", "unsure")
    assert cell.note == "Rule of 30."


@pytest.mark.parametrize(
    ("rate", "note"),
    [
        (
            Rate(3, 99, 0.03, note="Only 3 of the 30 errors that a rate needs (rule of 30)."),
            "Fewer than 30 errors (rule of 30): look at the interval, not at the rate.",
        ),
        (
            Rate(0, 99, 0.0, note="No error in 99 trials: at most 0.03 (rule of 3)."),
            "No error was seen: at 95% confidence the rate is at most so high.",
        ),
        (Rate(3, 99, 0.03, note="Something else (rule of 30)."), "Something else (rule of 30)."),
    ],
)
def test_a_table_does_not_repeat_a_rule_for_each_count(rate: Rate, note: str) -> None:
    assert rate_cell(rate).note == note


def test_the_end_of_an_interval_is_zero_only_where_errors_were_seen() -> None:
    assert rate_cell(Rate(2, 64, 0.03, 0.0, 0.095)).detail == "0% to 9.5%; 2 of 64"
    assert rate_cell(Rate(0, 64, 0.0, 0.0, 0.046)).detail == "at most 4.6%; 0 of 64"


def test_a_missing_value_says_why() -> None:
    cell = estimate_cell(Estimate(None, None, 12.0, "Undefined, upper bound 12."))
    assert (cell.text, cell.detail) == ("not known", "at most 12")
    assert cell.note == "Undefined, upper bound 12."
    assert rate_cell(Rate(0, 0, None)).note
