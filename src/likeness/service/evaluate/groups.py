"""What one threshold does to groups of people: rates, matrix, NIST's columns, yield lost."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation import (
    ERRORS_NEEDED,
    Axis,
    CellRates,
    Estimate,
    FailureCounts,
    GroupCounts,
    GroupScores,
    Interval,
    NistColumn,
    NistColumns,
    Shifts,
    columns_of,
    count_by_group,
    count_by_group_at,
    count_failures,
    fdr,
    garbe,
    geomean_variation,
    gini,
    max_minus_min,
    max_over_geomean,
    max_over_mean,
    max_over_min,
    score_quantiles,
    worst_and_best,
    yields,
)
from likeness.service.evaluate.counted import (
    NO_VALUE,
    clustered,
    estimate,
    independent,
    median,
    resampled,
    with_interval,
)
from likeness.service.evaluate.findings import (
    AxisFindings,
    GroupFindings,
    Inequity,
    Matrix,
    OperatingRates,
    Rate,
    YieldPoint,
)
from likeness.service.evaluate.trials import Scored
from likeness.terms import one_in

Rates = NDArray[np.float64]
# Beyond so many groups a matrix can neither be read nor carried by any data.
_MOST_IN_MATRIX = 40


def groups_of_axis(
    scored: Scored,
    axis: Axis,
    cells: CellRates | None,
    point: OperatingRates,
    thresholds: Sequence[float],
    *,
    warn_above: float,
    target: float,
) -> AxisFindings:
    """Say how each group of an axis fares at one threshold for everybody.

    Args:
        scored: what was scored.
        axis: the groups.
        cells: their rates in resamples at the threshold; None where nothing was compared.
        point: what the threshold does to everybody.
        thresholds: those for which yield is set beside evenness.
        warn_above: how many times the target a group's FMR may be.
        target: the target.
    """
    failures = count_failures(scored.samples, axis)
    if scored.comparisons is None or cells is None or point.threshold.value is None:
        return _without_comparisons(scored, axis, failures, point)
    counts = count_by_group(scored.comparisons, scored.samples, axis, point.threshold.value)
    if scored.plan.pairs is None:
        # Every pair once: which of the two is the reference says nothing.
        counts, cells = counts.symmetric(), cells.symmetric()
    scores = score_quantiles(scored.comparisons, scored.samples, axis)
    groups = tuple(
        _group(scored, axis, number, failures, scores, fmr=fmr, fnmr=fnmr)
        for number, (fmr, fnmr) in enumerate(
            zip(
                _rates(counts.within_errors, counts.within_trials, cells.fmr_intervals()),
                _rates(counts.mated_errors, counts.mated_trials, cells.fnmr_intervals()),
                strict=True,
            )
        )
    )
    worst_fmr, best_fmr = _ends(axis, counts.within_errors, counts.within_trials)
    worst_fnmr, best_fnmr = _ends(axis, counts.mated_errors, counts.mated_trials)
    within = cells.fmrs
    return AxisFindings(
        axis=axis.name,
        point=point,
        groups=groups,
        matrix=_matrix(axis, counts, cells) if len(axis.labels) <= _MOST_IN_MATRIX else None,
        inequity=(
            _inequity(
                "FMR",
                axis,
                counts.within_errors,
                counts.within_trials,
                np.diagonal(cells.independent),
                within,
            ),
            _inequity(
                "FNMR",
                axis,
                counts.mated_errors,
                counts.mated_trials,
                cells.mated_subjects.astype(np.float64),
                cells.fnmrs,
            ),
        ),
        garbe=_of_both(garbe, counts, within, cells.fnmrs),
        fdr=_of_both(fdr, counts, within, cells.fnmrs),
        worst_fmr=worst_fmr,
        best_fmr=best_fmr,
        worst_fnmr=worst_fnmr,
        best_fnmr=best_fnmr,
        yields=_yields(count_by_group_at(scored.comparisons, scored.samples, axis, thresholds)),
        warnings=_warnings(groups, target, warn_above),
        unlabelled=int(np.count_nonzero(axis.codes < 0)),
        same_group=resampled(*counts.same_group, cells.same_group_interval()),
    )


def _group(
    scored: Scored,
    axis: Axis,
    number: int,
    failures: FailureCounts,
    scores: GroupScores,
    *,
    fmr: Rate,
    fnmr: Rate,
) -> GroupFindings:
    return GroupFindings(
        group=axis.labels[number],
        subjects=int(failures.subjects[number]),
        images=int(failures.images[number]),
        fta=_failures_to_acquire(scored, axis, number),
        fte=independent(int(failures.failed_subjects[number]), int(failures.subjects[number])),
        fmr=fmr,
        fnmr=fnmr,
        mated_scores=_finite(scores.mated[number]),
        nonmated_scores=_finite(scores.nonmated[number]),
        mated_shift=_shift(scores.mated_shifts, number),
        nonmated_shift=_shift(scores.nonmated_shifts, number),
        seconds=median(scored.seconds[axis.codes == number]),
    )


def _failures_to_acquire(scored: Scored, axis: Axis, number: int) -> Rate:
    of_group = axis.codes == number
    return clustered(scored.samples.failed[of_group], scored.samples.subjects[of_group])


def _without_comparisons(
    scored: Scored, axis: Axis, failures: FailureCounts, point: OperatingRates
) -> AxisFindings:
    nothing = Rate(0, 0, None, note="Nothing was compared at a threshold.")
    groups = tuple(
        GroupFindings(
            group=label,
            subjects=int(failures.subjects[number]),
            images=int(failures.images[number]),
            fta=_failures_to_acquire(scored, axis, number),
            fte=independent(int(failures.failed_subjects[number]), int(failures.subjects[number])),
            fmr=nothing,
            fnmr=nothing,
            seconds=median(scored.seconds[axis.codes == number]),
        )
        for number, label in enumerate(axis.labels)
    )
    return AxisFindings(
        axis=axis.name,
        point=point,
        groups=groups,
        matrix=None,
        inequity=(),
        garbe=NO_VALUE,
        fdr=NO_VALUE,
        worst_fmr="",
        best_fmr="",
        worst_fnmr="",
        best_fnmr="",
        yields=(),
        warnings=(),
        unlabelled=int(np.count_nonzero(axis.codes < 0)),
    )


def _matrix(axis: Axis, counts: GroupCounts, cells: CellRates) -> Matrix:
    lows, highs = cells.cross_fmr_intervals()
    rows = zip(counts.nonmated_errors, counts.nonmated_trials, lows, highs, strict=True)
    return Matrix(
        axis.labels,
        tuple(tuple(_rates(errors, trials, (low, high))) for errors, trials, low, high in rows),
    )


def _yields(counts: Sequence[GroupCounts]) -> tuple[YieldPoint, ...]:
    if not counts:
        return ()
    carried = {
        each.threshold: int(np.count_nonzero(each.within_errors >= ERRORS_NEEDED))
        for each in counts
    }
    return tuple(
        YieldPoint(
            one.threshold,
            one.fmr,
            one.worst_group,
            one.worst_fmr,
            one.max_over_geomean,
            one.true_positives,
            one.yield_lost,
            carried[one.threshold],
        )
        for one in yields(counts)
    )


def _rates(
    errors: NDArray[np.int64], trials: NDArray[np.int64], ends: tuple[Rates, Rates]
) -> Iterator[Rate]:
    """Give the rates of some cells with the ends of their intervals."""
    columns = zip(errors.tolist(), trials.tolist(), *(end.tolist() for end in ends), strict=True)
    for error, trial, low, high in columns:
        yield resampled(error, trial, Interval(low, high))


def _inequity(
    rate: str,
    axis: Axis,
    errors: NDArray[np.int64],
    trials: NDArray[np.int64],
    worth: Rates,
    values: Rates,
) -> Inequity:
    columns = columns_of(axis.labels, errors, trials, worth)
    # Groups without trials are in no column, so neither in their resamples.
    there = np.where(trials > 0, values, np.nan)
    return Inequity(
        rate,
        **{
            name: _column(getattr(columns, name), function(there))
            for name, function in _COLUMNS.items()
        },
    )


_COLUMNS: dict[str, Callable[[Rates], Rates]] = {
    "max_over_min": max_over_min,
    "max_minus_min": max_minus_min,
    "max_over_mean": max_over_mean,
    "max_over_geomean": max_over_geomean,
    "geomean_variation": geomean_variation,
    "gini": gini,
}
if set(_COLUMNS) != set(NistColumns.__dataclass_fields__):
    raise AssertionError("a column of NIST's is not resampled")


def _column(column: NistColumn, values: Rates) -> Estimate:
    if column.value is None:
        return Estimate(None, low=column.least, note=column.says)
    # Where a group often has no error among resampled people its ratio has no upper bound.
    return estimate(column.value, values, column.says)


def _of_both(
    measure: Callable[[Rates, Rates], Rates], counts: GroupCounts, fmrs: Rates, fnmrs: Rates
) -> Estimate:
    """Measure what goes by both rates, of groups that have trials of both."""
    both = (counts.within_trials > 0) & (counts.mated_trials > 0)
    if np.count_nonzero(both) < 2:
        return Estimate(None, note="Fewer than two groups have mated and non-mated comparisons.")
    value = float(measure(counts.fmrs[both], counts.fnmrs[both]))
    return estimate(value, measure(fmrs[:, both], fnmrs[:, both]))


def _ends(axis: Axis, errors: NDArray[np.int64], trials: NDArray[np.int64]) -> tuple[str, str]:
    ends = worst_and_best(errors, trials)
    return ("", "") if ends is None else (axis.labels[ends[0]], axis.labels[ends[1]])


def _warnings(groups: Sequence[GroupFindings], target: float, warn_above: float) -> tuple[str, ...]:
    """Warn of groups whose strangers match too often, as far as the data can tell."""
    return tuple(
        f"{one.group}: {one_in(one.fmr.value)} pairs of strangers match,"
        f" {one.fmr.value / target:.3g} times the target of {one_in(target)}"
        f" (interval {one_in(one.fmr.low)} to {one_in(one.fmr.high)})."
        for one in sorted(groups, key=lambda each: -(each.fmr.value or 0.0))
        if one.fmr.value is not None
        and one.fmr.low is not None
        and one.fmr.high is not None
        and one.fmr.value > warn_above * target
        and one.fmr.low > target
    )


def _finite(values: Rates) -> tuple[float, ...]:
    return tuple(values.tolist()) if np.isfinite(values).all() else ()


def _shift(shifts: Shifts, number: int) -> Estimate:
    ends = Interval(float(shifts.lows[number]), float(shifts.highs[number]))
    return with_interval(float(shifts.values[number]), ends)
