"""Thresholds for a rate: what is known of simulated people is found again, as far as is told."""

from statistics import NormalDist

import numpy as np
import pytest

from likeness.errors import InvalidRequest
from likeness.evaluation import (
    FAILED,
    Comparisons,
    Resampled,
    Samples,
    rates_by_score,
    resample,
    thresholds_for,
)

RATES = (1e-1, 1e-2, 1e-4, 1e-5, 1e-9)


def strangers(people: int = 250, scale: float = 1.0, seed: int = 0) -> tuple[Comparisons, Samples]:
    """All pairs of people who look like nobody, scores normal; `scale` is the system's."""
    one, other = (part.astype(np.int32) for part in np.triu_indices(people, 1))
    scores = scale * np.random.default_rng(seed).normal(0, 1, len(one))
    whose = np.arange(people, dtype=np.int32)
    return (
        Comparisons(scores, one, other, np.zeros(len(one), bool)),
        Samples(whose, np.zeros(people, bool)),
    )


def resampled(comparisons: Comparisons, samples: Samples) -> Resampled:
    return resample(comparisons, samples, targets=(), resamples=100, workers=1)


@pytest.mark.parametrize("scale", [1.0, 500.0])
def test_thresholds_of_a_known_population_are_found_and_marked(scale: float) -> None:
    comparisons, samples = strangers(scale=scale)
    found = thresholds_for(comparisons, samples, RATES, resampled(comparisons, samples))
    # 30 of 31,125 are 1e-3; two decades further is 1e-5.
    assert [one.extrapolated for one in found] == [False, False, True, True, True]
    for one, rate in zip(found[:4], RATES, strict=False):
        assert one.value is not None and one.low is not None and one.high is not None
        assert one.low <= one.value <= one.high
        planted = scale * NormalDist().inv_cdf(1 - rate)
        assert one.low <= planted <= one.high
    assert found[4].value is None


def test_failed_comparisons_are_trials() -> None:
    comparisons, samples = strangers(people=60)
    failed = Comparisons(
        np.where(np.arange(len(comparisons)) % 2, FAILED, comparisons.scores),
        comparisons.references,
        comparisons.probes,
        comparisons.mated,
    )
    scores, rates = rates_by_score(failed.nonmated_scores)
    assert max(rates) <= 0.5 + 1e-9
    assert np.isfinite(scores).all()
    (half,) = thresholds_for(failed, samples, [0.02], resampled(failed, samples))
    assert half.value == pytest.approx(NormalDist().inv_cdf(0.96), abs=0.15)


def test_the_table_goes_down_to_thirty_strangers() -> None:
    comparisons, _ = strangers()
    scores, rates = rates_by_score(comparisons.nonmated_scores)
    assert list(scores) == sorted(scores)
    assert list(rates) == sorted(rates, reverse=True)
    assert rates[0] == 1.0
    assert rates[-1] * len(comparisons) == pytest.approx(30, abs=1)


def test_identical_scores_have_no_tail() -> None:
    comparisons, samples = strangers(people=60)
    same = Comparisons(
        np.ones(len(comparisons)), comparisons.references, comparisons.probes, comparisons.mated
    )
    found = thresholds_for(same, samples, [0.1, 1e-3], resampled(same, samples))
    assert found[0].value == pytest.approx(1.0)
    assert found[1].value is None


def test_too_few_strangers_are_refused() -> None:
    comparisons, samples = strangers(people=20)
    for act in (
        lambda: rates_by_score(comparisons.nonmated_scores),
        lambda: thresholds_for(comparisons, samples, [0.1], resampled(comparisons, samples)),
    ):
        with pytest.raises(InvalidRequest, match="Too few comparisons of strangers"):
            act()
