"""Resampling who is searched for: rates are those of searches that are really repeated."""

from dataclasses import replace

import numpy as np
import pytest

from likeness.evaluation import (
    Samples,
    Searches,
    fnir,
    fpir,
    hit_rates,
    resample_searches,
    threshold_at_fpir,
)
from likeness.evaluation.draws import FIRST_DRAW, Draws


def searched(count: int = 120, seed: int = 0) -> tuple[Searches, Samples]:
    """Searches, three for each person; half of the people are enrolled, some searches failed."""
    random = np.random.default_rng(seed)
    samples = Samples(np.repeat(np.arange(count // 3, dtype=np.int32), 3), np.zeros(count, bool))
    mated = samples.subjects % 2 == 0
    mates = np.round(random.normal(2.0, 1.0, count), 1)
    others = np.round(random.normal(0.0, 1.0, count), 1)
    ranks = np.where(mates > others, 1, random.integers(2, 6, count))
    lost = random.random(count) < 0.1
    ranks = np.where(mated & ~lost, ranks, 0).astype(np.int32)
    return (
        Searches(
            np.arange(count, dtype=np.int32),
            mated,
            np.where(ranks > 0, mates, -np.inf),
            ranks,
            np.where(lost, -np.inf, others),
            100,
            100,
            5,
        ),
        samples,
    )


@pytest.mark.parametrize("rank", [None, 2])
@pytest.mark.parametrize("target", [0.0, 0.02, 0.3])
def test_a_resample_has_the_rates_of_searches_that_are_really_repeated(
    target: float, rank: int | None
) -> None:
    searches, samples = searched()
    found = resample_searches(searches, samples, rank=rank, resamples=5, seed=3, workers=1)
    weights = np.concatenate(Draws.of(samples.subjects, 5, 3).blocks, axis=1).astype(int)
    for row in (0, 1, *range(FIRST_DRAW, FIRST_DRAW + 5)):
        times = np.repeat(np.arange(len(searches)), weights[samples.subjects, row])
        repeated = Searches(
            searches.probes[times],
            searches.mated[times],
            searches.mate_scores[times],
            searches.mate_ranks[times],
            searches.other_scores[times],
            100,
            100,
            5,
        )
        threshold = threshold_at_fpir(repeated, target)
        assert found.threshold(target)[row] == threshold
        assert found.fpir_at(target)[row] == fpir(repeated, threshold).value
        assert found.fnir_at(target)[row] == pytest.approx(fnir(repeated, threshold, rank).value)
        assert found.fpir_at_threshold(1.0)[row] == fpir(repeated, 1.0).value
        assert found.fnir_at_threshold(1.0)[row] == pytest.approx(fnir(repeated, 1.0, rank).value)
        hits = [share.value for share in hit_rates(repeated)]
        assert found.hit_rates[row].tolist() == pytest.approx(hits)


def test_intervals_hold_the_rates_of_the_data_and_end_above_zero() -> None:
    searches, samples = searched()
    found = resample_searches(searches, samples, resamples=100)
    low, high = found.fnir_interval_at(0.02)
    assert low < found.fnir_at(0.02)[0] < high
    # Of 20 people who are not enrolled nobody reaches so high a score.
    assert found.fpir_interval_at_threshold(9.0) == (0.0, pytest.approx(3 / 20, rel=0.01))
    assert found.fnir_interval_at_threshold(-9.0)[1] > found.fnir_at_threshold(-9.0)[0] > 0
    lows, highs = found.tradeoff([0.02, 0.3])
    assert (lows <= highs).all() and (low, high) == (lows[0], highs[0])
    assert found.hit_rate_interval(1)[1] < 1
    found = resample_searches(replace(searches, mate_ranks=np.where(searches.mated, 1, 0)), samples)
    # Of 20 people nobody was missed, but of others one of seven may be.
    assert found.hit_rate_interval(1) == (pytest.approx(1 - 3 / 20, rel=0.01), 1.0)
