import numpy as np
import pytest

from likeness.evaluation.groups import (
    GroupRate,
    max_over_geometric_mean,
    most_over_geometric_mean,
    same_group_rates,
)


def test_only_pairs_of_one_group_count_for_it() -> None:
    scores = np.zeros((5, 5))
    scores[0, 1] = scores[1, 0] = 0.9  # both of a
    scores[0, 3] = scores[3, 0] = 0.9  # of a and b
    rates = same_group_rates(scores, ["a", "a", "a", "b", "b"], 0.5)
    assert rates == [GroupRate("a", 1, 3), GroupRate("b", 0, 1)]


def test_even_groups_have_a_ratio_of_one() -> None:
    assert max_over_geometric_mean([GroupRate("a", 2, 10), GroupRate("b", 4, 20)]) == pytest.approx(
        1
    )


def test_ratio_is_the_highest_rate_over_the_geometric_mean() -> None:
    rates = [GroupRate("a", 1, 100), GroupRate("b", 4, 100), GroupRate("c", 16, 100)]
    assert max_over_geometric_mean(rates) == pytest.approx(4)


def test_group_without_errors_makes_the_ratio_undefined_and_bounded() -> None:
    rates = [GroupRate("a", 0, 100), GroupRate("b", 4, 100)]
    assert max_over_geometric_mean(rates) is None
    assert most_over_geometric_mean(rates) == pytest.approx(2)
