"""Likelihood ratios: what is known of simulated people is found again, and nothing beyond."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation import (
    FAILED,
    Comparisons,
    LikelihoodFit,
    Samples,
    cllr,
    fit_likelihood_ratios,
    least_cllr,
    verbal,
)

Floats = NDArray[np.float64]


def population(
    subjects: int = 60, shift: float = 3.0, effect: float = 0.0, seed: int = 0
) -> tuple[Comparisons, Samples]:
    """All pairs of three samples each; mated scores are normal around `shift`, others around 0.

    Their natural log LR is then `shift` x (score - `shift` / 2). `effect` is how much subjects
    differ.
    """
    random = np.random.default_rng(seed)
    whose = np.repeat(np.arange(subjects, dtype=np.int32), 3)
    one, other = (part.astype(np.int32) for part in np.triu_indices(len(whose), 1))
    mated = whose[one] == whose[other]
    of = random.normal(0, effect, subjects)
    scores = random.normal(0, 1, len(one)) + shift * mated + of[whose[one]] + of[whose[other]]
    return Comparisons(scores, one, other, mated), Samples(whose, np.zeros(len(whose), bool))


def test_ratios_that_say_nothing_cost_one() -> None:
    assert cllr(np.zeros(3), np.zeros(9)) == 1.0


def test_cost_is_as_bruemmer_and_du_preez_define_it() -> None:
    mated, nonmated = np.array([0.0, 1.0, 2.0]), np.array([-2.0, 1.0])
    expected = (np.log2([2.0, 1.1, 1.01]).mean() + np.log2([1.01, 11.0]).mean()) / 2
    assert cllr(mated, nonmated) == pytest.approx(expected)


def test_scores_that_tell_wholly_apart_cost_nothing_at_least() -> None:
    assert least_cllr(np.array([3.0, 4.0]), np.array([1.0, 2.0, 2.5])) == 0.0


def test_scores_that_tell_nothing_apart_cost_one_at_least() -> None:
    assert least_cllr(np.ones(5), np.ones(70)) == pytest.approx(1.0)


@given(
    st.lists(st.integers(-6, 6), min_size=1, max_size=30),
    st.lists(st.integers(-6, 6), min_size=1, max_size=30),
)
def test_no_scale_costs_less_than_the_least(mated: list[int], nonmated: list[int]) -> None:
    least = least_cllr(np.array(mated, float), np.array(nonmated, float))
    for scale in (0.3, 1.0, 2.0):
        of = cllr(scale * np.array(mated, float), scale * np.array(nonmated, float))
        assert least <= of + 1e-9
    assert least <= 1.0 + 1e-9


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=40), st.integers(0, 2**30))
def test_least_cost_heeds_only_the_order(values: list[float], bits: int) -> None:
    scores = np.round(values, 3)
    mated = np.array([bits >> place & 1 for place in range(len(scores))], bool)
    mated[0], mated[-1] = True, False
    assert least_cllr(scores[mated], scores[~mated]) == pytest.approx(
        least_cllr(np.exp(scores[mated]), np.exp(scores[~mated]))
    )


@pytest.mark.slow
def test_pooling_agrees_with_scikit_learn() -> None:
    isotonic = pytest.importorskip("sklearn.isotonic")
    random = np.random.default_rng(3)
    mated, nonmated = random.normal(1, 1, 80), random.normal(0, 1, 400)
    truth = np.concatenate([np.ones(80), np.zeros(400)])
    scores = np.concatenate([mated, nonmated])
    shares = isotonic.IsotonicRegression(y_min=0, y_max=1).fit(scores, truth).predict(scores)
    with np.errstate(divide="ignore"):
        logs = np.log10(shares) - np.log10(1 - shares) - np.log10(80 / 400)
    assert least_cllr(mated, nonmated) == pytest.approx(cllr(logs[:80], logs[80:]))


def test_the_slope_that_was_planted_is_found() -> None:
    fit = fit_likelihood_ratios(*population(subjects=120))
    scores = np.array([0.5, 1.5, 2.5])
    planted = 3.0 * (scores - 1.5) / np.log(10)
    assert fit.method == "logistic regression"
    assert fit.log10_at(scores) == pytest.approx(planted, abs=0.15)
    # Of normal scores so far apart the cost is known by integration.
    grid = np.linspace(-9, 12, 20_001)
    density = np.exp(-((grid - 3) ** 2) / 2) / np.sqrt(2 * np.pi)
    cost = float((density * np.log2(1 + np.exp(-3 * (grid - 1.5)))).sum() * (grid[1] - grid[0]))
    assert fit.cllr.low <= cost <= fit.cllr.high
    assert fit.cllr_min.value <= fit.cllr.value + 1e-6


@pytest.mark.slow
def test_scores_that_no_straight_line_fits_are_pooled() -> None:
    comparisons, samples = population(subjects=40)
    # Squeezed where it matters: the line is lost, the order is not.
    squeezed = np.cbrt(comparisons.scores - 1.5)
    bent = Comparisons(squeezed, comparisons.references, comparisons.probes, comparisons.mated)
    fit, straight = (fit_likelihood_ratios(each, samples) for each in (bent, comparisons))
    assert fit.method == "PAV"
    assert fit.cllr_min.value == pytest.approx(straight.cllr_min.value)


@pytest.mark.slow
def test_no_more_is_said_than_so_many_people_can_carry() -> None:
    fit = fit_likelihood_ratios(*population(subjects=40, shift=30.0))
    # 780 pairs of people, one more assumed to mislead; 40 people with pictures of their own.
    assert 2.5 < fit.most_log10 <= np.log10(781)
    assert -np.log10(41) <= fit.least_log10 < -1.3
    assert fit.log10_at(np.array([1e6])) == fit.most_log10


@pytest.mark.slow
def test_backward_scores_are_no_evidence() -> None:
    fit = fit_likelihood_ratios(*population(shift=-3.0))
    assert fit.cllr.value == pytest.approx(1.0, abs=0.02)
    assert fit.most_log10 == pytest.approx(0.0, abs=0.5)


@pytest.mark.slow
def test_order_and_failures_change_nothing() -> None:
    comparisons, samples = population(subjects=30)
    shuffled = comparisons.only(np.random.default_rng(1).permutation(len(comparisons)))
    failed = Comparisons(
        np.append(shuffled.scores, FAILED),
        np.append(shuffled.references, np.int32(0)),
        np.append(shuffled.probes, np.int32(1)),
        np.append(shuffled.mated, True),
    )
    assert fit_likelihood_ratios(failed, samples) == fit_likelihood_ratios(comparisons, samples)


@pytest.mark.parametrize(
    ("comparisons", "says"),
    [
        (population()[0].only(np.arange(40)), "Too few comparisons of one person"),
        (population(subjects=15)[0], "Too few people with two pictures"),
    ],
)
def test_too_little_is_refused(comparisons: Comparisons, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        fit_likelihood_ratios(comparisons, population()[1])


def test_one_stranger_compared_with_all_is_refused() -> None:
    comparisons, samples = population()
    hub = (samples.subjects[comparisons.references] == 0) | comparisons.mated
    with pytest.raises(InvalidRequest, match="nearly all comparisons are with the same ones"):
        fit_likelihood_ratios(comparisons.only(hub), samples)


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (1.0, "supports neither one person nor two"),
        (1.9, "supports neither one person nor two"),
        (2.0, "weak support for one person"),
        (10.0, "moderate support for one person"),
        (999.0, "moderately strong support for one person"),
        (1e4, "very strong support for one person"),
        (1e6, "extremely strong support for one person"),
        (1e-3, "strong support for two people"),
    ],
)
def test_ratios_are_worded_as_enfsi_does(ratio: float, words: str) -> None:
    assert verbal(float(np.log10(ratio))) == words


@pytest.mark.slow
def test_intervals_cover_what_is_unknown() -> None:
    """Of 60 populations whose subjects differ, most intervals of Cllr hold its mean over all."""
    fits: list[LikelihoodFit] = [
        fit_likelihood_ratios(*population(effect=0.3, shift=2.5, seed=seed)) for seed in range(60)
    ]
    mean = np.mean([fit.cllr.value for fit in fits])
    covered = np.mean([fit.cllr.low <= mean <= fit.cllr.high for fit in fits])
    assert covered >= 0.88


@pytest.mark.slow
def test_ten_million_comparisons_take_seconds() -> None:
    random = np.random.default_rng(0)
    whose = np.repeat(np.arange(1500, dtype=np.int32), 3)
    one, other = (part.astype(np.int32) for part in np.triu_indices(len(whose), 1))
    mated = whose[one] == whose[other]
    scores = random.normal(0, 1, len(one)) + 3 * mated
    fit = fit_likelihood_ratios(
        Comparisons(scores, one, other, mated), Samples(whose, np.zeros(len(whose), bool))
    )
    assert fit.log10_at(np.array([1.5]))[0] == pytest.approx(0.0, abs=0.1)
