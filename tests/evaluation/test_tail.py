"""Rates too rare to be counted: what is known of simulated people is found again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from likeness.evaluation.tail import (
    GROUPS,
    LIGHTEST_SHAPE,
    Tail,
    TopScores,
    extrapolate,
    fit_tail,
)

tails = st.builds(
    Tail,
    start=st.floats(-1.0, -0.1),
    share=st.floats(1e-4, 0.1),
    shape=st.sampled_from([-0.1, -0.05, 0.0, 0.1, 0.4]),
    scale=st.floats(0.01, 0.2),
)


def pareto(count: int, shape: float, scale: float, seed: int) -> NDArray[np.float64]:
    """Excesses of a generalised Pareto distribution."""
    exponential = np.random.default_rng(seed).exponential(1.0, count)
    return scale * (np.expm1(shape * exponential) / shape if shape else exponential)


def top(excess: NDArray[np.float64], share: float, seed: int = 0) -> TopScores:
    """The highest of so many scores of pairs of people who depend on nobody."""
    groups = np.random.default_rng(seed).integers(0, GROUPS, (len(excess), 2))
    total = round(len(excess) / share)
    pairs = np.triu(np.full((GROUPS, GROUPS), 2.0))
    np.fill_diagonal(pairs, 1.0)
    pairs = np.round(pairs * total / pairs.sum()).astype(np.int64)
    return TopScores(-0.5 + excess, -0.5, np.sort(groups, axis=1).astype(np.int8), pairs)


@pytest.mark.parametrize("shape", [-0.08, 0.0, 0.2, 0.4])
def test_shape_and_scale_of_simulated_excesses_are_found_again(shape: float) -> None:
    tail = fit_tail(-0.5 + pareto(50_000, shape, 0.05, 1), -0.5, 5_000_000)
    assert tail.shape == pytest.approx(shape, abs=0.03)
    assert tail.scale == pytest.approx(0.05, rel=0.05)
    assert (tail.start, tail.share) == (-0.5, 0.01)


def test_a_tail_that_would_end_soon_is_not_believed() -> None:
    # All of them lie below an end: no stranger would ever be as alike.
    tail = fit_tail(-0.5 + np.linspace(0.001, 0.1, 1000), -0.5, 100_000)
    assert tail.shape == LIGHTEST_SHAPE
    assert np.isfinite(tail.log_rates(np.array([0.0]))).all()


def test_excesses_that_are_all_the_same_still_have_a_finite_tail() -> None:
    tail = fit_tail(np.full(100, -0.4), -0.5, 10_000)
    assert np.isfinite([tail.shape, tail.scale]).all()


@given(tails, st.floats(0.0, 4.0))
def test_score_of_a_rate_has_that_rate(tail: Tail, decades: float) -> None:
    rate = tail.share / 10**decades
    score = np.array([tail.score(rate)])
    assert np.exp(tail.log_rates(score))[0] == pytest.approx(rate, rel=1e-4)


@given(tails)
def test_higher_scores_are_never_less_rare(tail: Tail) -> None:
    rates = tail.log_rates(np.linspace(tail.start, 0.0, 50))
    assert (np.diff(rates) <= 0).all()
    assert rates[0] == pytest.approx(np.log(tail.share))


def test_bounds_lie_around_the_estimate_and_spread_with_the_distance() -> None:
    scores = np.linspace(-0.5, -0.1, 30)
    found = extrapolate(top(pareto(5_000, 0.1, 0.03, 2), 0.01), scores)
    assert (found.lows < found.estimates).all()
    assert (found.estimates < found.highs).all()
    assert (np.diff(found.estimates) < 0).all()
    assert found.bound(0.0) == pytest.approx(found.estimates)
    bounds = np.stack([found.bound(errors) for errors in (-2.0, -0.5, 0.0, 0.5, 2.0)])
    assert (np.diff(bounds, axis=0) > 0).all()
    assert found.errors[-1] > found.errors[0]


def test_interval_covers_the_true_rate_about_as_often_as_it_says() -> None:
    shape, scale, share = 0.1, 0.03, 0.01
    score = np.array([-0.2])
    true = float(np.exp(Tail(-0.5, share, shape, scale).log_rates(score))[0])
    covered = above = 0
    for seed in range(100):
        found = extrapolate(top(pareto(2_000, shape, scale, seed), share, seed), score)
        covered += bool(found.lows[0] <= true <= found.highs[0])
        above += bool(true <= found.highs[0])
    assert covered >= 88
    assert above >= 92


def test_pairs_of_the_same_people_make_the_interval_wider() -> None:
    excess, score = pareto(2_000, 0.1, 0.03, 3), np.array([-0.2])
    spread = top(excess, 0.01)
    # As if the most alike were all of one group of people.
    order = np.argsort(-excess)
    groups = spread.groups.copy()
    groups[order[:200], 1] = GROUPS - 1
    clustered = TopScores(spread.scores, spread.start, groups, spread.pairs)
    assert extrapolate(clustered, score).errors[0] > 2 * extrapolate(spread, score).errors[0]
