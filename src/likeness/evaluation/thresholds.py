"""Thresholds for a false match rate: counted where the data carry it, else by the tail.

A search of N references compares N times; `terms.rate_for_search` says which rate of one comparison
makes any of N reach the threshold as rarely as wanted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation.bootstrap import Resampled
from likeness.evaluation.calibration import DECADES, ERRORS_NEEDED, groups_of
from likeness.evaluation.comparisons import Comparisons, Samples
from likeness.evaluation.error_tables import interval
from likeness.evaluation.rates import threshold_in_order
from likeness.evaluation.tail import GROUPS, TopScores, extrapolate

_KNOTS_A_DECADE = 8
# The tail is fitted to this share of all scores, between these numbers of them.
_TAIL_SHARE, _LEAST_IN_TAIL, _MOST_IN_TAIL = 0.01, 60, 100_000
# An extrapolated threshold is looked for up to where the rate is so many times lower.
_STEPS, _BEYOND = 4000, 1e-6
_AT_A_TIME = 1 << 20


@dataclass(frozen=True, slots=True)
class RateThreshold:
    """The threshold for a false match rate, with its 95% interval.

    It is `extrapolated` where fewer than 30 non-mated comparisons would reach it. `high` is None
    where no end of the interval was found, and all three are where the rate lies further beyond
    what was counted than a tail is believed.
    """

    rate: float
    value: float | None
    low: float | None
    high: float | None
    extrapolated: bool


def thresholds_for(
    comparisons: Comparisons, samples: Samples, rates: Sequence[float], resampled: Resampled
) -> tuple[RateThreshold, ...]:
    """Give the threshold for each of some false match rates.

    Rates that are too rare to be counted are the tail's, two decades further at most.

    Args:
        comparisons: what is counted; a failed one is no match.
        samples: whose they are.
        rates: the rates wanted.
        resampled: the same comparisons, resampled: intervals of counted thresholds are of it, those
            of others leave out groups of people in turn.

    Raises:
        InvalidRequest: there are too few non-mated comparisons to say anything.
    """
    nonmated = np.sort(comparisons.nonmated_scores)
    _require_enough(nonmated)
    counted = ERRORS_NEEDED / len(nonmated)

    def known(rate: float) -> RateThreshold:
        value = threshold_in_order(nonmated, rate)
        low, high = interval(resampled.threshold(rate))
        return RateThreshold(rate, value, min(low, value), max(high, value), False)

    beyond = [rate for rate in rates if counted / 10**DECADES <= rate < counted]
    by_tail = _by_tail(comparisons, samples, beyond) if beyond else {}
    return tuple(
        known(rate)
        if rate >= counted
        else by_tail.get(rate, RateThreshold(rate, None, None, None, True))
        for rate in rates
    )


def rates_by_score(
    nonmated: NDArray[np.floating],
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Give ascending scores and the share of all that reach each, down to 30 of them.

    Raises:
        InvalidRequest: there are too few scores.
    """
    _require_enough(nonmated)
    ascending = np.sort(nonmated)
    decades = np.log10(len(ascending) / ERRORS_NEEDED)
    wanted = np.logspace(-decades, 0, int(np.ceil(decades * _KNOTS_A_DECADE)) + 1)
    scores = np.unique([threshold_in_order(ascending, rate) for rate in wanted])
    reached = len(ascending) - np.searchsorted(ascending, scores.astype(ascending.dtype))
    rates = (reached / len(ascending)).tolist()
    return tuple(scores.tolist()), tuple(rates)


def _require_enough(nonmated: NDArray[np.floating]) -> None:
    if len(nonmated) < 10 * ERRORS_NEEDED:
        raise InvalidRequest(
            f"Too few comparisons of strangers for thresholds: {len(nonmated)}. Give pictures of"
            f" more people, for at least {10 * ERRORS_NEEDED}."
        )


def _by_tail(
    comparisons: Comparisons, samples: Samples, rates: Sequence[float]
) -> dict[float, RateThreshold]:
    top = _top(comparisons, samples)
    if len(top.scores) < ERRORS_NEEDED:
        return {}
    # Where the rate is so low, in the tail that all people make.
    fitted = extrapolate(top, np.array([top.start])).tail
    grid = np.linspace(top.start, fitted.score(min(rates) * _BEYOND), _STEPS)
    known = extrapolate(top, grid)
    lows, highs = (np.minimum.accumulate(ends) for ends in (known.lows, known.highs))

    def first(ends: NDArray[np.floating], rate: float) -> float | None:
        place = int(np.argmax(ends <= rate))
        return float(grid[place]) if ends[place] <= rate else None

    return {
        rate: RateThreshold(rate, fitted.score(rate), first(lows, rate), first(highs, rate), True)
        for rate in rates
    }


def _top(comparisons: Comparisons, samples: Samples) -> TopScores:
    groups = groups_of(samples.subjects).astype(np.int64)
    pairs = np.zeros(GROUPS**2, np.int64)
    # Some at a time, so that the groups of a hundred million take no memory.
    for first in range(0, len(comparisons), _AT_A_TIME):
        some = comparisons.only(slice(first, first + _AT_A_TIME))
        low, high = _both_groups(some.only(~some.mated), groups)
        pairs += np.bincount(low * GROUPS + high, minlength=GROUPS**2)
    scores = comparisons.nonmated_scores
    wanted = min(max(int(_TAIL_SHARE * len(scores)), _LEAST_IN_TAIL), _MOST_IN_TAIL)
    start = float(np.partition(scores, len(scores) - wanted - 1)[len(scores) - wanted - 1])
    # A failed comparison is compared, and reaches nothing.
    start = start if np.isfinite(start) else float(scores[np.isfinite(scores)].min(initial=0.0))
    above = comparisons.only(~comparisons.mated & (comparisons.scores > start))
    whose = np.stack(_both_groups(above, groups), axis=1).astype(np.int8)
    square = pairs.reshape(GROUPS, GROUPS)
    return TopScores(above.scores.astype(np.float64), start, whose, square)


def _both_groups(
    comparisons: Comparisons, groups: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the groups of both, (n,) each, the lower number first."""
    ones, others = groups[comparisons.references], groups[comparisons.probes]
    return np.minimum(ones, others), np.maximum(ones, others)
