import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.errors import InvalidRequest
from likeness.evaluation import (
    carries,
    caution,
    clopper_pearson,
    rule_of_three,
    trials_needed,
    wilson,
)

TRIALS = st.integers(1, 10**6).flatmap(
    lambda trials: st.tuples(st.integers(0, trials), st.just(trials))
)


@pytest.mark.parametrize(
    ("errors", "trials", "low", "high"),
    [
        (10, 100, 0.0552291, 0.1743657),
        (0, 10, 0.0, 0.2775328),
        # The ACLU's test of 2018: members of Congress who were named as somebody arrested.
        (28, 535, 0.0364551, 0.0746006),
        # Gender Shades, Amazon 2018: darker women whose sex was told wrongly.
        (85, 271, 0.2613425, 0.3711729),
    ],
)
def test_wilsons_interval(errors: int, trials: int, low: float, high: float) -> None:
    assert wilson(errors, trials) == pytest.approx((low, high), abs=5e-8)


@pytest.mark.parametrize(
    ("errors", "trials", "low", "high"),
    [
        (1, 2, 0.01257912, 0.98742088),
        (10, 10, 0.69150289, 1.0),
        (0, 10, 0.0, 0.30849711),
    ],
)
def test_clopper_and_pearsons_interval(errors: int, trials: int, low: float, high: float) -> None:
    assert clopper_pearson(errors, trials) == pytest.approx((low, high), abs=5e-9)


@settings(max_examples=25)
@given(TRIALS)
def test_intervals_hold_the_rate_and_the_exact_one_is_wider(drawn: tuple[int, int]) -> None:
    errors, trials = drawn
    for interval in (wilson, clopper_pearson):
        low, high = interval(errors, trials)
        assert 0 <= low <= errors / trials <= high <= 1
        surer = interval(errors, trials, 0.99)
        assert surer.low <= low
        assert surer.high >= high


@settings(max_examples=25)
@given(TRIALS)
def test_intervals_of_errors_and_of_what_is_right_mirror_each_other(
    drawn: tuple[int, int],
) -> None:
    errors, trials = drawn
    for interval in (wilson, clopper_pearson):
        low, high = interval(errors, trials)
        assert interval(trials - errors, trials) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@pytest.mark.parametrize("interval", [wilson, clopper_pearson])
def test_interval_of_no_or_senseless_trials_is_refused(interval: object) -> None:
    assert callable(interval)
    for errors, trials in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(InvalidRequest):
            interval(errors, trials)


def test_no_error_in_n_bounds_the_rate_by_three_over_n() -> None:
    assert rule_of_three(535) == pytest.approx(0.0056, abs=1e-5)
    assert rule_of_three(0) == rule_of_three(1) == 1
    # What it stands for: the exact one-sided bound.
    assert rule_of_three(1000) == pytest.approx(clopper_pearson(0, 1000, 0.90).high, rel=4e-3)


def test_a_rate_needs_the_trials_for_thirty_errors() -> None:
    assert trials_needed(1e-4) == 300_000
    assert trials_needed(3e-5) == 1_000_000
    assert trials_needed(0.07) == 429
    assert carries(1e-4, 300_000)
    assert not carries(1e-4, 299_999)
    assert not carries(0.0, 10**9)
    with pytest.raises(InvalidRequest, match="above 0"):
        trials_needed(0.0)


def test_words_say_why_a_rate_needs_care() -> None:
    assert "rule of 3)" in caution(0, 535)
    assert "0.0056" in caution(0, 535)
    assert "rule of 30" in caution(29, 535)
    assert caution(30, 535) == ""
    assert "no rate" in caution(0, 0)


def test_words_say_what_trials_that_share_people_are_worth() -> None:
    assert caution(0, 4950, 50.0) == (
        "No error in 4,950 trials, worth 50 independent ones: at 95% confidence the rate is at most"
        " 0.06 (rule of 3)."
    )
    assert "worth" not in caution(0, 4950, 4950.0)
