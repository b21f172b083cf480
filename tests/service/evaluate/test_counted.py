"""Counts as rates and medians, with intervals that are wide enough."""

import numpy as np
import pytest

from likeness.service.evaluate.counted import median


@pytest.mark.parametrize("number", [6, 7, 21, 26, 104])
def test_the_interval_of_a_median_holds_it_19_times_of_20(number: int) -> None:
    random = np.random.default_rng(number)
    held = 0
    for _ in range(2000):
        found = median(random.exponential(size=number))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= np.log(2) <= found.high
    assert 0.94 < held / 2000 < 0.99


def test_both_ends_are_as_many_values_from_the_middle() -> None:
    found = median(np.arange(100.0))
    assert (found.low, found.value, found.high) == (39, 49.5, 60)


@pytest.mark.parametrize("number", [1, 5])
def test_a_median_of_too_few_values_has_no_interval(number: int) -> None:
    found = median(np.append(np.arange(float(number)), np.nan))
    assert (found.value, found.low, found.high) == ((number - 1) / 2, None, None)
