"""Resampling subjects: counts are those of comparisons that are really repeated."""

import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.evaluation import Axis, Comparisons, Samples, resample
from likeness.evaluation.draws import FIRST_DRAW, Draws


def population(
    subjects: int, images: int, seed: int = 0, decimals: int = 2
) -> tuple[Comparisons, Samples]:
    """All pairs of some images each of some subjects; people are alike in their own degree."""
    random = np.random.default_rng(seed)
    owners = np.repeat(np.arange(subjects, dtype=np.int32), images)
    references, probes = np.triu_indices(len(owners), 1)
    mated = owners[references] == owners[probes]
    effect = random.normal(size=subjects)
    scores = (effect[owners[references]] + effect[owners[probes]]) / 2 + random.normal(
        size=len(mated)
    )
    scores = np.round(scores + 3.0 * mated, decimals).astype(np.float32)
    scores[random.random(len(mated)) < 0.02] = -np.inf
    axis = Axis.of("sex", random.choice(["", "f", "m"], len(owners)).tolist())
    samples = Samples(owners, np.zeros(len(owners), bool), (axis,))
    return (
        Comparisons(scores, references.astype(np.int32), probes.astype(np.int32), mated),
        samples,
    )


def threshold_of(nonmated: NDArray[np.floating], target: float) -> float:
    """The rule in words: the lowest score whose own rate is at most the target, else above all."""
    for score in np.unique(nonmated):
        if np.count_nonzero(nonmated >= score) <= np.floor(target * len(nonmated)):
            return float(score)
    return float(np.nextafter(nonmated.max(), np.float32(np.inf)))


@pytest.mark.parametrize("target", [0.0, 0.001, 0.01, 0.2])
def test_a_resample_has_the_rates_of_comparisons_that_are_really_repeated(target: float) -> None:
    comparisons, samples = population(12, 3)
    axis = samples.axes[0]
    found = resample(
        comparisons, samples, [axis], targets=[target], thresholds=[1.5], resamples=5, seed=3
    )
    weights = np.concatenate(Draws.of(samples.subjects, 5, 3).blocks, axis=1).astype(int)
    ones = samples.subjects[comparisons.references]
    others = samples.subjects[comparisons.probes]
    for number in range(5):
        row = FIRST_DRAW + number
        drawn = weights[:, row]
        assert drawn.sum() == 12
        times = np.where(comparisons.mated, drawn[ones], drawn[ones] * drawn[others])
        repeated = comparisons.only(np.repeat(np.arange(len(comparisons)), times))
        strangers, mates = repeated.nonmated_scores, repeated.mated_scores
        threshold = threshold_of(strangers, target)
        assert found.threshold(target)[row] == threshold
        assert found.fmr_at(target)[row] == np.mean(strangers >= threshold)
        assert found.fnmr_at(target)[row] == pytest.approx(np.mean(mates < threshold))
        assert found.fmr_at_threshold(1.5)[row] == np.mean(strangers >= 1.5)
        assert found.fnmr_at_threshold(1.5)[row] == pytest.approx(np.mean(mates < 1.5))
        for cells, limit in (
            (found.cells(target), np.float32(threshold)),
            (found.cells_at_threshold(1.5), 1.5),
        ):
            for one in range(2):
                in_one = axis.codes[repeated.references] == one
                for other in range(2):
                    chosen = in_one & (axis.codes[repeated.probes] == other)
                    scores = repeated.scores[chosen & ~repeated.mated]
                    expected = np.mean(scores >= limit)
                    assert cells.cross_fmrs[row, one, other] == expected
                chosen = in_one & (axis.codes[repeated.probes] == one) & repeated.mated
                missed = np.count_nonzero(repeated.scores[chosen] < limit)
                assert cells.mated_trials[row, one] == np.count_nonzero(chosen)
                assert cells.mated_errors[row, one] == missed
