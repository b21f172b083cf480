"""Resampling subjects: counts are those of comparisons that are really repeated."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation import (
    Axis,
    Comparisons,
    Resampled,
    Samples,
    count_by_group,
    equal_error,
    fmr_at,
    fnmr_at,
    interval,
    intervals_of,
    resample,
    resampled_groups,
    threshold_at_fmr,
)
from likeness.evaluation import draws as drawing
from likeness.evaluation.draws import FIRST_DRAW, LEFT_OUT, Draws


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


@pytest.mark.parametrize("decimals", [0, 2])
@pytest.mark.parametrize("target", [0.0, 0.001, 0.01, 0.2])
def test_a_resample_has_the_rates_of_comparisons_that_are_really_repeated(
    target: float, decimals: int
) -> None:
    comparisons, samples = population(12, 3, decimals=decimals)
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


def figures(found: Resampled, target: float) -> list[NDArray[np.float64]]:
    """All that came of resampling."""
    cells = found.cells(target)
    return [
        found.threshold(target),
        found.fmr_at(target),
        found.fnmr_at(target),
        found.fmr_at_threshold(1.2345),
        found.equal_error,
        *found.det([0.001, 0.01, 0.1]),
        cells.cross_fmrs,
        cells.fnmrs,
        cells.same_group,
    ]


def test_the_first_row_is_of_the_data_themselves() -> None:
    comparisons, samples = population(40, 3)
    found = resample(comparisons, samples, samples.axes, targets=[0.01], resamples=1)
    mated, nonmated = comparisons.mated_scores, comparisons.nonmated_scores
    for target in (0.0, 0.01, 0.3, 1.0):
        threshold = threshold_at_fmr(nonmated, target)
        if target in (0.0, 0.01):
            assert found.threshold(target)[0] == threshold
        assert found.fmr_at(target)[0] == pytest.approx(fmr_at(threshold, nonmated), rel=1 / 256)
        assert found.fnmr_at(target)[0] == pytest.approx(fnmr_at(threshold, mated), abs=0.02)
    rate = equal_error(mated, nonmated).rate
    assert found.equal_error[0] == pytest.approx(rate, abs=0.005)
    counts = count_by_group(comparisons, samples, samples.axes[0], threshold_at_fmr(nonmated, 0.01))
    cells = found.cells(0.01)
    for counted, once in (
        (counts, cells),
        (counts.symmetric(), cells.symmetric()),
    ):
        assert (counted.nonmated_errors == once.nonmated_errors[0]).all()
        assert (counted.nonmated_trials == once.nonmated_trials[0]).all()
        assert (counted.mated_errors == once.mated_errors[0]).all()
        assert (counted.mated_trials == once.mated_trials[0]).all()


def test_every_subject_is_left_out_once() -> None:
    left_out = Draws.of(np.arange(120), 1, 0).blocks[0][:, 1:FIRST_DRAW]
    assert left_out.shape == (120, LEFT_OUT)
    assert ((left_out == 0).sum(axis=1) == 1).all()
    assert set((left_out == 0).sum(axis=0)) == {2, 3}


def test_order_chunks_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    comparisons, samples = population(30, 3)

    def found(of: Comparisons, workers: int) -> list[NDArray[np.float64]]:
        once = resample(
            of, samples, samples.axes, targets=[0.01], resamples=300, seed=5, workers=workers
        )
        return figures(once, 0.01)

    expected = found(comparisons, 1)
    shuffled = comparisons.only(np.random.default_rng(0).permutation(len(comparisons)))
    for module in (drawing, resampled_groups):
        monkeypatch.setattr(module, "CHUNK", 1000)
    monkeypatch.setattr(drawing, "_BLOCK", 77)
    for figure, same in zip(found(shuffled, 3), expected, strict=True):
        np.testing.assert_array_equal(figure, same)


@pytest.mark.parametrize("together", [0, 4000])
def test_several_axes_are_counted_as_each_alone(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resampled_groups, "_MOST_TOGETHER", together)
    comparisons, samples = population(20, 3)
    random = np.random.default_rng(1)
    axes = [
        *samples.axes,
        Axis.of("age", random.choice(["", "old", "young", "middle"], len(samples)).tolist()),
        Axis.of("one", ["same"] * len(samples)),
    ]
    axes.append(axes[0].crossed(axes[1]))
    asked = {"targets": [0.01, 0.0], "thresholds": [1.0], "resamples": 20}
    found = resample(comparisons, samples, axes, **asked)  # type: ignore[arg-type]  # of a kind each
    for axis in axes:
        alone = resample(comparisons, samples, [axis], **asked)  # type: ignore[arg-type]
        for one, other in (
            (found.cells(0.01, axis.name), alone.cells(0.01)),
            (found.cells(0.0, axis.name), alone.cells(0.0)),
            (found.cells_at_threshold(1.0, axis.name), alone.cells_at_threshold(1.0)),
        ):
            for figure in ("nonmated_errors", "nonmated_trials", "mated_errors", "mated_trials"):
                np.testing.assert_array_equal(getattr(one, figure), getattr(other, figure))
            np.testing.assert_array_equal(one.subjects, other.subjects)


def test_another_seed_draws_others() -> None:
    comparisons, samples = population(20, 2)
    one, other = (
        resample(comparisons, samples, targets=[], resamples=5, seed=seed).equal_error[FIRST_DRAW:]
        for seed in (1, 2)
    )
    assert (one != other).any()


@pytest.mark.parametrize("kind", ["no mated", "no non-mated", "one subject", "alike", "failed"])
def test_data_that_carry_little_give_nothing_that_they_do_not_carry(kind: str) -> None:
    comparisons, samples = population(10, 2)
    scores = comparisons.scores.copy()
    if kind == "alike":
        scores[:] = 0.5
    if kind == "failed":
        scores[:] = -np.inf
    comparisons = Comparisons(scores, comparisons.references, comparisons.probes, comparisons.mated)
    if kind == "no mated":
        comparisons = comparisons.only(~comparisons.mated)
    if kind == "no non-mated":
        comparisons = comparisons.only(comparisons.mated)
    if kind == "one subject":
        comparisons = comparisons.only(np.flatnonzero(comparisons.mated)[:1])
    found = resample(
        comparisons, samples, samples.axes, targets=[0.01], thresholds=[0.5], resamples=20
    )
    rates = figures(found, 0.01)
    assert all(((each >= 0) & (each <= 1) | np.isnan(each)).all() for each in rates[1:])
    no_mates, no_strangers = kind == "no mated", kind in ("no non-mated", "one subject")
    assert np.isnan(found.fnmr_at_threshold(0.5)).all() == no_mates
    assert np.isnan(found.fmr_at_threshold(0.5)).all() == no_strangers
    assert np.isnan(found.fnmr_at(0.01)).all() == (no_mates or no_strangers)
    if kind == "alike":
        assert found.fmr_at(0.01).max() == 0
        assert found.fnmr_at(0.01).min() == 1
    if kind == "failed":
        assert found.fmr_at_threshold(-np.inf).max() == 0
        assert found.fnmr_at_threshold(-np.inf).min() == 1


def test_a_group_without_an_error_has_an_upper_end() -> None:
    comparisons, samples = population(30, 3)
    found = resample(comparisons, samples, samples.axes, targets=[], thresholds=[9.0], resamples=50)
    cells = found.cells_at_threshold(9.0)
    lows, highs = cells.cross_fmr_intervals()
    assert (cells.nonmated_errors[0] == 0).all() and (lows == 0).all()
    # Not as low as if comparisons were independent, and not as high as one for two people.
    independent = 3 / cells.nonmated_trials[0]
    assert (highs > independent).all() and (highs <= 3 / 15 + 1e-9).all()
    assert cells.same_group_interval()[1] < highs.max()
    low, high = found.fmr_interval_at_threshold(9.0)
    assert low == 0 < high < highs.min()
    low, high = cells.symmetric().cross_fmr_intervals()
    assert high[0, 1] == high[1, 0] < highs[0, 1]
    assert found.fnmr_interval_at_threshold(-9.0) == (
        pytest.approx(0.0, abs=0.05),
        pytest.approx(3 / 30, rel=0.1),
    )


def test_intervals_are_of_draws_that_have_a_value() -> None:
    random = np.random.default_rng(0)
    values = random.normal(5.0, 1.0, (FIRST_DRAW + 1000, 2))
    values[0] = 5.0
    values[1:FIRST_DRAW] = 5.0 + random.normal(0, 0.1, (LEFT_OUT, 2))
    values[FIRST_DRAW : FIRST_DRAW + 500, 1] = np.nan
    for low, high in np.array(intervals_of(values)).T:
        assert low == pytest.approx(3.04, abs=0.3)
        assert high == pytest.approx(6.96, abs=0.3)
    narrow = interval(values[:, 0], 0.5)
    assert narrow == pytest.approx((4.33, 5.67), abs=0.2)
    values[0] = 9.0
    assert interval(values[:, 0])[1] >= 9.0
    nothing = np.full(FIRST_DRAW + 10, np.nan)
    assert np.isnan(interval(nothing)).all()
    nothing[0] = 1.0
    assert np.isnan(interval(nothing)).all()


def test_what_cannot_be_resampled_is_refused() -> None:
    comparisons, samples = population(5, 2)
    with pytest.raises(InvalidRequest, match="Nothing to draw"):
        resample(comparisons, samples, targets=[0.1], resamples=0)
    with pytest.raises(InvalidRequest, match="between 0 and 1"):
        resample(comparisons, samples, targets=[1.5])
    found = resample(comparisons, samples, targets=[0.1], resamples=1)
    with pytest.raises(InvalidRequest, match="Name it"):
        found.cells(0.1)
    with pytest.raises(InvalidRequest, match="at the threshold"):
        found.cells_at_threshold(0.5, "sex")


def test_the_band_of_a_det_without_errors_is_as_wide_as_the_interval() -> None:
    comparisons, samples = population(40, 3)
    apart = replace(comparisons, scores=np.where(comparisons.mated, 100, comparisons.scores))
    found = resample(apart, samples, targets=[0.01], resamples=100)
    lows, highs = found.det([0.01])
    assert (lows[0], highs[0]) == found.fnmr_interval_at(0.01) == (0.0, pytest.approx(3 / 40, 0.01))
