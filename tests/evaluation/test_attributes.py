"""Errors of answers about attributes: published figures, and populations of known rates."""

import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.evaluation import (
    Axis,
    ClusteredRate,
    Estimate,
    chance_of_groups,
    clustered_mean,
    clustered_rate,
    difference,
    paired_difference_of,
    ratio,
    years_between,
)


def numbers(one: Estimate) -> tuple[float | None, float | None, float | None]:
    return one.value, one.low, one.high


def one_each(errors: int, trials: int) -> ClusteredRate:
    return clustered_rate(np.arange(trials) < errors, np.arange(trials))


@pytest.mark.parametrize(
    ("errors", "trials", "value", "low", "high"),
    [
        # Raji and Buolamwini (Actionable Auditing, 2019): darker women, one vendor, 2018.
        (85, 271, 0.3137, 0.2613, 0.3712),
        (28, 535, 0.0523, 0.036, 0.075),
        (10, 100, 0.1, 0.0552291, 0.1743657),
        (0, 10, 0.0, 0.0, 0.2775328),
    ],
)
def test_published_figures_come_out(
    errors: int, trials: int, value: float, low: float, high: float
) -> None:
    rate = one_each(errors, trials)
    assert (rate.errors, rate.trials, rate.subjects) == (errors, trials, trials)
    assert rate.effective == pytest.approx(trials)
    assert rate.value == pytest.approx(value, abs=5e-5)
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=5e-4)


def test_pictures_of_one_subject_count_once_where_they_err_together() -> None:
    wrong = np.repeat(np.arange(40) < 4, 5)
    rate = clustered_rate(wrong, np.repeat(np.arange(40), 5))
    alone = one_each(4, 40)
    assert (rate.errors, rate.trials, rate.value) == (20, 200, 0.1)
    assert rate.effective == pytest.approx(40)
    assert (rate.low, rate.high) == pytest.approx((alone.low, alone.high))


def test_without_any_error_each_subject_counts_once() -> None:
    rate = clustered_rate(np.zeros(200, bool), np.repeat(np.arange(10), 20))
    assert rate.effective == 10
    assert (rate.low, rate.high) == pytest.approx((0.0, 0.2775328), abs=1e-6)


def test_the_order_of_trials_changes_nothing() -> None:
    random = np.random.default_rng(1)
    wrong, subjects = random.random(500) < 0.2, random.integers(0, 90, 500)
    order = random.permutation(500)
    assert clustered_rate(wrong, subjects) == clustered_rate(wrong[order], subjects[order])


def test_there_is_no_rate_of_no_trials() -> None:
    none = clustered_rate(np.zeros(0, bool), np.zeros(0, int))
    assert (none.value, none.low, none.high) == (None, 0.0, 1.0)
    assert numbers(difference(none, one_each(1, 10))) == (None, None, None)
    assert numbers(ratio(one_each(1, 10), none)) == (None, None, None)


def test_differences_are_newcombes() -> None:
    # Newcombe (1998), table II: 56/70 and 48/80 by method 10.
    assert numbers(difference(one_each(56, 70), one_each(48, 80))) == pytest.approx(
        (0.2, 0.0524, 0.3339), abs=5e-5
    )
    assert numbers(difference(one_each(10, 10), one_each(0, 10))) == pytest.approx(
        (1.0, 0.6075, 1.0), abs=5e-5
    )


def test_a_ratio_over_no_errors_has_only_a_lower_bound() -> None:
    found = ratio(one_each(85, 271), one_each(0, 308))
    assert found.value is None
    assert found.high is None
    assert found.low is not None
    assert 20 < found.low < 0.3137 / 0.0123 + 1


def test_a_ratio_lies_within_its_interval_and_turns_over_with_its_rates() -> None:
    one, other = one_each(30, 200), one_each(10, 300)
    over, under = ratio(one, other), ratio(other, one)
    assert over.value == pytest.approx(4.5)
    assert over.low is not None
    assert over.high is not None
    assert 2 < over.low < 4.5 < over.high < 10
    assert numbers(under) == pytest.approx((1 / 4.5, 1 / over.high, 1 / over.low))


def population(
    random: np.random.Generator, people: int, rate: float, pictures: int, alike: float
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Errors of people of whom each has a rate of their own, beta distributed about the rate."""
    own = random.beta(rate * (1 - alike) / alike, (1 - rate) * (1 - alike) / alike, people)
    subjects = np.repeat(np.arange(people), random.integers(1, 2 * pictures, people))
    return random.random(len(subjects)) < own[subjects], subjects


def covered(draws: int, people: int, rate: float, alike: float) -> tuple[float, float, float]:
    """How often intervals of a rate, of a ratio and of a difference hold what is true."""
    random = np.random.default_rng(5)
    held = np.zeros(3)
    for _ in range(draws):
        one = clustered_rate(*population(random, people, rate, 4, alike))
        other = clustered_rate(*population(random, people, rate / 2, 4, alike))
        divided, apart = ratio(one, other), difference(one, other)
        assert apart.low is not None
        assert apart.high is not None
        held += (
            one.low <= rate <= one.high,
            (divided.low or 0) <= 2 <= (divided.high or np.inf),
            apart.low <= rate / 2 <= apart.high,
        )
    rates = held / draws
    return rates[0], rates[1], rates[2]


def test_intervals_hold_what_is_true_about_as_often_as_they_say() -> None:
    assert min(covered(200, 150, 0.2, 0.3)) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize(("people", "rate"), [(60, 0.3), (150, 0.1), (400, 0.04)])
def test_intervals_hold_what_is_true_95_times_of_100(people: int, rate: float) -> None:
    # Of 4,000 draws the share is known to 0.7 points; where few err it may be three low.
    for held in covered(4000, people, rate, 0.2):
        assert 0.92 <= held <= 0.985


@pytest.mark.parametrize("alike", [0.05, 0.5])
def test_a_planted_difference_is_found_and_none_where_there_is_none(alike: float) -> None:
    random = np.random.default_rng(9)
    chances = []
    for rates in ((0.1, 0.1), (0.05, 0.3)):
        parts = [population(random, 120, rate, 3, alike) for rate in rates]
        wrong = np.concatenate([wrongs for wrongs, _ in parts])
        subjects = np.concatenate([parts[0][1], parts[1][1] + 120])
        axis = Axis.of("sex", ["one" if subject < 120 else "other" for subject in subjects])
        chances.append(chance_of_groups(wrong, subjects, axis))
    assert chances[0] is not None
    assert chances[0] > 0.05
    assert chances[1] is not None
    assert chances[1] < 0.01


@pytest.mark.slow
def test_one_of_twenty_equal_groups_differs_by_chance() -> None:
    random = np.random.default_rng(4)
    rejected = 0
    for _ in range(300):
        wrong, subjects = population(random, 80, 0.15, 3, 0.4)
        axis = Axis("sex", ("a", "b", "c"), (subjects % 3).astype(np.int32))
        chance = chance_of_groups(wrong, subjects, axis)
        rejected += chance is not None and chance <= 0.05
    assert 4 <= rejected <= 27  # 15 are to be expected


def test_two_of_the_same_trials_differ_by_more_than_chance_or_not() -> None:
    random = np.random.default_rng(3)
    subjects = np.repeat(np.arange(150), 3)
    one = random.random(450) < 0.2
    worse = one | (random.random(450) < 0.15)
    swapped = np.where(random.random(450) < 0.5, np.roll(one, 3), one)
    found, chance = paired_difference_of(one, worse, subjects)
    assert found.value == pytest.approx(worse.mean() - one.mean())
    assert found.low is not None
    assert found.low > 0
    assert chance is not None
    assert chance < 0.001
    unlike, often = paired_difference_of(one, swapped, subjects)
    assert unlike.low is not None
    assert unlike.low < 0 < (unlike.high or 0)
    assert often is not None
    assert often > 0.05
    assert paired_difference_of(one, one, subjects)[1] is None


def test_one_group_differs_from_nothing() -> None:
    axis = Axis.of("sex", ["one", "one", ""])
    assert chance_of_groups(np.array([True, False, True]), np.arange(3), axis) is None


def test_ages_are_as_far_off_as_the_ranges_lie_apart() -> None:
    answers = np.array([[20, 28], [20, 28], [20, 28], [30, 30]])
    truths = np.array([[28, 28], [31, 31], [3, 9], [25, 25]])
    assert years_between(answers, truths).tolist() == [0, -3, 11, 5]


def test_a_mean_of_subjects_is_no_surer_for_more_pictures_of_each() -> None:
    values = np.random.default_rng(2).normal(3, 2, 30)
    once = clustered_mean(values, np.arange(30))
    often = clustered_mean(np.repeat(values, 7), np.repeat(np.arange(30), 7))
    assert numbers(often) == pytest.approx(numbers(once))
    assert once.low is not None
    assert once.high is not None
    assert once.low < 3 < once.high
    assert clustered_mean(values[:1], np.zeros(1, int)).low is None
    assert clustered_mean(values[:0], np.zeros(0, int)).value is None
