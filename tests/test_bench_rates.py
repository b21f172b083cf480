import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from bench.rates import (
    GroupRate,
    fmr_at,
    fnmr_at,
    most_over_geometric_mean,
    same_group_rates,
    threshold_at_fmr,
)

SCORES = npst.arrays(
    np.float64, st.integers(1, 60), elements=st.integers(-9, 9).map(lambda value: value / 4)
)


def test_rates_count_scores_that_reach_the_threshold() -> None:
    scores = np.array([0.1, 0.2, 0.5, 0.5, 0.9])
    assert fmr_at(0.5, scores) == pytest.approx(3 / 5)
    assert fnmr_at(0.5, scores) == pytest.approx(2 / 5)


def test_failures_are_false_non_matches() -> None:
    assert fnmr_at(0.5, np.array([0.4, 0.6, 0.7]), failures=1) == pytest.approx(2 / 4)


@given(SCORES, st.floats(0, 1))
def test_threshold_is_the_lowest_score_whose_rate_is_not_above_the_target(
    nonmated: np.ndarray, target: float
) -> None:
    threshold = threshold_at_fmr(nonmated, target)
    assert fmr_at(threshold, nonmated) <= target
    lower = nonmated[nonmated < threshold]
    if len(lower):
        assert fmr_at(lower.max(), nonmated) > target


def test_threshold_that_no_score_allows_is_just_above_the_highest() -> None:
    nonmated = np.array([0.1, 0.7, 0.7], np.float32)
    threshold = threshold_at_fmr(nonmated, 0.5)
    assert 0.7 < threshold < 0.7000002


def test_only_pairs_of_one_group_count_for_it() -> None:
    scores = np.zeros((5, 5))
    scores[0, 1] = scores[1, 0] = 0.9  # both of a
    scores[0, 3] = scores[3, 0] = 0.9  # of a and b
    rates = same_group_rates(scores, ["a", "a", "a", "b", "b"], 0.5)
    assert rates == [GroupRate("a", 1, 3), GroupRate("b", 0, 1)]


def test_even_groups_have_a_ratio_of_one() -> None:
    even = [GroupRate("a", 2, 10), GroupRate("b", 4, 20)]
    assert most_over_geometric_mean(even) == pytest.approx(1)


def test_ratio_is_the_highest_rate_over_the_geometric_mean() -> None:
    rates = [GroupRate("a", 1, 100), GroupRate("b", 4, 100), GroupRate("c", 16, 100)]
    assert most_over_geometric_mean(rates) == pytest.approx(4)


def test_group_without_errors_is_bounded_by_one_error() -> None:
    assert most_over_geometric_mean([GroupRate("a", 0, 100), GroupRate("b", 4, 100)]) == (
        pytest.approx(2)
    )
