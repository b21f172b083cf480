"""What scores mean on the data they were made on: rates, likelihood ratios, and thresholds.

It holds for any system: nothing here knows a scale. What the data cannot carry is left out, and
`limits` say so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from likeness.errors import InvalidRequest
from likeness.evaluation import (
    ERRORS_NEEDED,
    Axis,
    Comparisons,
    Estimate,
    LikelihoodFit,
    RateThreshold,
    Resampled,
    Samples,
    fit_likelihood_ratios,
    interval,
    rates_by_score,
    resample,
    thresholds_for,
)
from likeness.service.evaluate.findings import (
    CalibrationFindings,
    Findings,
    LikelihoodRatios,
    ThresholdAdvice,
)
from likeness.service.evaluate.trials import Scored
from likeness.terms import GroupPoint, GroupRates, MeasuredGroups, rate_for_search

_RESAMPLES = 1000
_MOST_KNOTS = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What thresholds are wanted for.

    `fmrs` are rates of one comparison, `galleries` sizes of galleries of which a search for a
    stranger may name somebody with the rate `fpir`.
    """

    fmrs: tuple[float, ...] = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    galleries: tuple[int, ...] = (100, 1_000, 10_000, 100_000)
    fpir: float = 0.01

    def rates(self) -> Iterator[tuple[int, float, float]]:
        """Give gallery, rate wanted of it, and the rate of one comparison that makes it so."""
        for fmr in self.fmrs:
            yield 1, fmr, fmr
        for gallery in self.galleries:
            yield gallery, self.fpir, rate_for_search(gallery, self.fpir)


def calibration_findings(
    scored: Scored,
    resampled: Resampled | None = None,
    wanted: Wanted | None = None,
    *,
    seed: int = 0,
    workers: int = 2,
) -> CalibrationFindings | None:
    """Say what a system's scores mean, as `meaning_of` does; None where it compared nothing."""
    comparisons = scored.comparisons
    if comparisons is None or not len(comparisons):
        return None
    return meaning_of(comparisons, scored.samples, resampled, wanted, seed=seed, workers=workers)


def meaning_of(
    comparisons: Comparisons,
    samples: Samples,
    resampled: Resampled | None = None,
    wanted: Wanted | None = None,
    *,
    seed: int = 0,
    workers: int = 2,
) -> CalibrationFindings:
    """Say what scores mean; what the data cannot carry is left out, and said.

    Args:
        comparisons: the scores.
        samples: whose they are.
        resampled: the same comparisons, resampled already; they are resampled here without.
        wanted: what thresholds are wanted for.
        seed: draws people; the same gives the same.
        workers: how many threads resample.
    """
    limits: list[str] = []
    scores: tuple[float, ...] = ()
    fmrs: tuple[float, ...] = ()
    thresholds: tuple[ThresholdAdvice, ...] = ()
    ratios = None
    try:
        scores, fmrs = rates_by_score(comparisons.nonmated_scores)
        if resampled is None:
            resampled = resample(
                comparisons, samples, targets=(), resamples=_RESAMPLES, seed=seed, workers=workers
            )
        thresholds = _thresholds(comparisons, samples, resampled, wanted or Wanted())
    except InvalidRequest as error:
        limits.append(str(error))
    try:
        ratios = _ratios(fit_likelihood_ratios(comparisons, samples, seed))
    except InvalidRequest as error:
        limits.append(str(error))
    failed = int(np.count_nonzero(~np.isfinite(comparisons.scores)))
    if failed and ratios is not None:
        limits.append(
            f"Likelihood ratios leave out {failed:,} comparisons that failed: a failure is no"
            " evidence. Rates count them as no match."
        )
    return CalibrationFindings(scores, fmrs, ratios, thresholds, tuple(limits))


def group_rates(
    comparisons: Comparisons,
    samples: Samples,
    axes: Sequence[Axis],
    thresholds: Sequence[float],
    *,
    seed: int = 0,
    workers: int = 2,
) -> tuple[GroupRates, ...]:
    """Say how often strangers of one group reach thresholds, as far as 30 of them do.

    Groups without such a threshold are left out. Intervals are of resampled subjects.
    """
    ascending = tuple(sorted(set(thresholds)))
    resampled = resample(
        comparisons,
        samples,
        axes,
        targets=(),
        thresholds=ascending,
        resamples=_RESAMPLES,
        seed=seed,
        workers=workers,
    )
    found = []
    for axis in axes:
        cells = [resampled.cells_at_threshold(threshold, axis.name) for threshold in ascending]
        for number, group in enumerate(axis.labels):
            points = []
            for threshold, cell in zip(ascending, cells, strict=True):
                errors = int(cell.nonmated_errors[0, number, number])
                trials = int(cell.nonmated_trials[0, number, number])
                if errors < ERRORS_NEEDED:
                    break
                low, high = interval(cell.fmrs[:, number])
                rate = errors / trials
                # Of a group whose people recur a draw may hold no error at all.
                low = max(min(low, rate), 1 / trials)
                points.append(GroupPoint(threshold, rate, low, max(high, rate)))
            if points:
                found.append(GroupRates(axis.name, group, trials, tuple(points)))
    return tuple(found)


def groups_found(findings: Findings) -> MeasuredGroups | None:
    """Give the rates of groups that an audit of Likeness found, at its one threshold.

    None where it was of something else, or no group has 30 errors.
    """
    system, data = findings.system, findings.data
    cohort = system.details.get("cohort", "")
    if system.kind != "likeness" or not cohort:
        return None
    rates = tuple(
        GroupRates(
            axis.axis,
            group.group,
            rate.trials,
            (GroupPoint(threshold, rate.value, rate.low or 1 / rate.trials, rate.high or 1.0),),
        )
        for axis in findings.axes
        for group in axis.groups
        if (threshold := axis.point.threshold.value) is not None
        and (rate := group.fmr).value is not None
        and rate.errors >= ERRORS_NEEDED
    )
    return MeasuredGroups(system.model, cohort, data.name, rates) if rates else None


def _thresholds(
    comparisons: Comparisons, samples: Samples, resampled: Resampled, wanted: Wanted
) -> tuple[ThresholdAdvice, ...]:
    asked = list(wanted.rates())
    known = thresholds_for(comparisons, samples, [rate for *_, rate in asked], resampled)
    return tuple(
        ThresholdAdvice(gallery, target, Estimate(one.value, one.low, one.high), _note(one))
        for (gallery, target, _), one in zip(asked, known, strict=True)
    )


def _note(threshold: RateThreshold) -> str:
    if threshold.value is None:
        return (
            f"Not known: a false match rate of {threshold.rate:.2g} is too far beyond what so many"
            " comparisons of strangers show."
        )
    return "Extrapolated by the tail of the scores." if threshold.extrapolated else ""


def _ratios(fit: LikelihoodFit) -> LikelihoodRatios:
    kept = np.unique(np.linspace(0, len(fit.knots) - 1, _MOST_KNOTS).round().astype(int))
    return LikelihoodRatios(
        fit.method,
        tuple(fit.knots[place] for place in kept),
        fit.cllr,
        fit.cllr_min,
        fit.least_log10,
        fit.most_log10,
    )
