"""1:1 figures of what a system scored: rates at thresholds, curves, the headline."""

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation import (
    FAILED,
    Comparisons,
    Estimate,
    Interval,
    Resampled,
    SortedScores,
    accuracy_by_folds,
    carries,
    count_matches,
    generalised_rates,
    rate_name,
    threshold_at_fmr,
    trials_needed,
)
from likeness.service.evaluate.counted import estimate, resampled, without_interval
from likeness.service.evaluate.findings import (
    Curve,
    Failures,
    Histogram,
    OperatingRates,
    Rate,
    Verification,
)
from likeness.service.evaluate.questions import HEADLINE_FMR, GivenThreshold, Questions

_POINTS_OF_CURVE = 300
_BINS = 60
_FEWEST_FOLDS = 2
_NO_CURVE = Curve((), ())


def verification_of(
    comparisons: Comparisons,
    found: Resampled,
    failures: Failures,
    questions: Questions,
    folds: NDArray[np.integer] | None = None,
) -> Verification:
    """Count errors at every threshold that the data can carry, and draw the curves.

    `folds` (n,) say in which fold of a list each comparison is.
    """
    mated, nonmated = comparisons.mated_scores, comparisons.nonmated_scores
    points = [
        point_at(comparisons, found, failures, target)
        for target in sorted(questions.fmrs, reverse=True)
        if carries(target, len(nonmated))
    ]
    if questions.threshold is not None:
        points.insert(0, point_of(comparisons, found, failures, questions.threshold))
    headline = next((one for one in points if one.target_fmr == HEADLINE_FMR), None)
    both = bool((mated > FAILED).any() and (nonmated > FAILED).any())
    ordered = SortedScores.of_comparisons(comparisons) if both else None
    fmrs, fnmrs = _by_threshold(ordered) if ordered else (_NO_CURVE, _NO_CURVE)
    return Verification(
        mated=len(mated),
        nonmated=len(nonmated),
        headline=headline or not_carried(HEADLINE_FMR, len(nonmated)),
        points=tuple(points),
        equal_error=estimate(ordered.equal_error().rate, found.equal_error)
        if ordered
        else Estimate(None, note="There are no mated, or no non-mated, scores."),
        det=_det(ordered, found) if ordered else _NO_CURVE,
        fmr_by_threshold=fmrs,
        fnmr_by_threshold=fnmrs,
        histogram=_histogram(mated, nonmated),
        fold_accuracy=_fold_accuracy(comparisons, folds),
    )


def _fold_accuracy(comparisons: Comparisons, folds: NDArray[np.integer] | None) -> Estimate | None:
    """Give LFW's accuracy for a list with several folds; None for one without."""
    if folds is None or len(folds) != len(comparisons) or len(np.unique(folds)) < _FEWEST_FOLDS:
        return None
    found = accuracy_by_folds(comparisons.scores, comparisons.mated, folds)
    spread = 2 * found.standard_error
    return Estimate(
        found.mean,
        max(found.mean - spread, 0.0),
        min(found.mean + spread, 1.0),
        f"Mean of {len(found.by_fold)} folds, each at the threshold of the others; two standard"
        f" errors of {found.standard_error:.2g} on both sides.",
    )


def point_at(
    comparisons: Comparisons,
    found: Resampled,
    failures: Failures,
    target: float,
) -> OperatingRates:
    """Count errors at the threshold for a target FMR; each resample sets it anew."""
    threshold = threshold_at_fmr(comparisons.nonmated_scores, target)
    return _point(
        comparisons,
        failures,
        target,
        estimate(threshold, found.threshold(target)),
        found.fmr_interval_at_threshold(threshold),
        found.fnmr_interval_at(target),
    )


def point_of(
    comparisons: Comparisons,
    found: Resampled,
    failures: Failures,
    threshold: GivenThreshold,
) -> OperatingRates:
    """Count errors at a threshold that is given."""
    return _point(
        comparisons,
        failures,
        None,
        Estimate(threshold.score, note=threshold.note),
        found.fmr_interval_at_threshold(threshold.score),
        found.fnmr_interval_at_threshold(threshold.score),
    )


def not_carried(target: float, trials: int) -> OperatingRates:
    """Say of a target that the data cannot carry what they lack."""
    note = (
        f"FMR {rate_name(target)} needs {trials_needed(target):,} non-mated comparisons (rule of"
        f" 30); there are {trials:,}."
    )
    none, no_rate = Estimate(None, note=note), Rate(0, 0, None, note=note)
    return OperatingRates(target, none, no_rate, no_rate, no_rate, none, none)


def _point(
    comparisons: Comparisons,
    failures: Failures,
    target: float | None,
    threshold: Estimate,
    fmr_ends: Interval,
    fnmr_ends: Interval,
) -> OperatingRates:
    mated, nonmated = comparisons.mated_scores, comparisons.nonmated_scores
    at = threshold.value if threshold.value is not None else np.inf
    matched, made = count_matches(at, mated), int(np.count_nonzero(mated > FAILED))
    false_matches = count_matches(at, nonmated)
    scored = int(np.count_nonzero(nonmated > FAILED))
    gfar, gfrr = Estimate(None, note="No score."), Estimate(None, note="No mated score.")
    fta, fte = failures.fta.value or 0.0, failures.fte.value or 0.0
    if scored:
        missed = (made - matched) / made if made else 0.0
        general = generalised_rates(false_matches / scored, missed, fta, fte)
        gfar = Estimate(general.gfar)
        gfrr = Estimate(general.gfrr) if made else gfrr
    return OperatingRates(
        target,
        threshold,
        resampled(false_matches, len(nonmated), fmr_ends),
        resampled(len(mated) - matched, len(mated), fnmr_ends),
        without_interval(made - matched, made),
        gfar,
        gfrr,
    )


def _det(scores: SortedScores, found: Resampled) -> Curve:
    curve = scores.det(_POINTS_OF_CURVE)
    lows, highs = found.det(curve.fmrs.tolist())
    return _curve(curve.fmrs, curve.fnmrs, lows, highs)


def _by_threshold(ordered: SortedScores) -> tuple[Curve, Curve]:
    curve = ordered.by_threshold()
    return _curve(curve.thresholds, curve.fmrs), _curve(curve.thresholds, curve.fnmrs)


def _curve(xs: NDArray[np.float64], ys: NDArray[np.float64], *band: NDArray[np.float64]) -> Curve:
    usable = np.isfinite(xs) & np.isfinite(ys)
    for each in band:
        usable &= np.isfinite(each)
    lows, highs = (tuple(each[usable].tolist()) for each in band) if band else ((), ())
    return Curve(tuple(xs[usable].tolist()), tuple(ys[usable].tolist()), lows, highs)


def _histogram(mated: NDArray[np.floating], nonmated: NDArray[np.floating]) -> Histogram:
    made = [scores[scores > FAILED] for scores in (mated, nonmated)]
    known = [scores for scores in made if len(scores)]
    if not known:
        return Histogram((), (), ())
    low = min(float(scores.min()) for scores in known)
    high = max(float(scores.max()) for scores in known)
    edges = np.linspace(low, high if high > low else low + 1.0, _BINS + 1)
    shares = [
        tuple((np.histogram(scores, edges)[0] / max(len(scores), 1)).tolist()) for scores in made
    ]
    return Histogram(tuple(edges.tolist()), *shares)
