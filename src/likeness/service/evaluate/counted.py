"""Counts as rates with intervals and cautions, the way findings hold them."""

import math
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation import (
    RULE_OF_THREE,
    ClusteredRate,
    Estimate,
    Interval,
    caution,
    clustered_rate,
    interval,
    wilson,
)
from likeness.service.evaluate.findings import Rate

_FEWEST_FOR_MEDIAN = 6
# Whoever is tested words the reasons, if need be another for every picture.
_MOST_REASONS = 50
NO_VALUE = Estimate(None, note="The data carry no such figure.")


def independent(errors: int, trials: int) -> Rate:
    """Give a rate of independent trials, such as failures of people, with Wilson's interval."""
    if not trials:
        return Rate(errors, trials, None, note=caution(errors, trials))
    low, high = wilson(errors, trials)
    return Rate(errors, trials, errors / trials, low, high, caution(errors, trials))


def most_often(reasons: Counter[str]) -> tuple[tuple[str, int], ...]:
    """Give reasons with their counts, most first, and those that come seldom as one."""
    told = reasons.most_common(_MOST_REASONS)
    others = reasons.total() - sum(count for _, count in told)
    return (*told, *([("other reasons", others)] if others else []))


def clustered(wrong: NDArray[np.bool_], subjects: NDArray[np.integer]) -> Rate:
    """Give a rate of trials (n,) of subjects (n,), of whom one's may be alike, such as pictures."""
    return rate_of(clustered_rate(wrong, subjects))


def rate_of(found: ClusteredRate) -> Rate:
    """Give a rate that counts how alike trials of one subject are, with what bounds it."""
    note = caution(found.errors, found.trials, found.effective)
    if found.value is None:
        return Rate(found.errors, found.trials, None, note=note)
    return Rate(found.errors, found.trials, found.value, found.low, found.high, note)


def resampled(errors: int, trials: int, ends: Interval) -> Rate:
    """Give a rate with the interval that resamples of people give it.

    Where no error was seen, its upper end says how many independent trials these are worth.
    """
    if not trials:
        return Rate(errors, trials, None, note=caution(errors, trials))
    low, high = map(_finite, ends)
    worth = min(RULE_OF_THREE / high, trials) if high and not errors else trials
    return Rate(errors, trials, errors / trials, low, high, caution(errors, trials, worth))


def without_interval(errors: int, trials: int) -> Rate:
    """Give a rate whose interval was not asked for."""
    value = errors / trials if trials else None
    return Rate(errors, trials, value, note=caution(errors, trials))


def estimate(value: float | None, values: NDArray[np.float64], note: str = "") -> Estimate:
    """Give a number with the interval of its (R,) resampled values; of NaN none."""
    if value is None or not math.isfinite(value):
        return Estimate(None, note=note or NO_VALUE.note)
    return with_interval(value, interval(values), note)


def with_interval(value: float, ends: Interval, note: str = "") -> Estimate:
    """Give a number with its interval, of which ends may be missing; nothing of NaN."""
    if not math.isfinite(value):
        return NO_VALUE
    low, high = map(_finite, ends)
    return Estimate(value, low, high, note)


def median(values: NDArray[np.float64]) -> Estimate:
    """Give the median of (n,) independent values, NaN left out, with its 95% interval by ranks.

    Fewer than six values have none: with five all lie on one side once in sixteen.
    """
    known = np.sort(values[np.isfinite(values)])
    number = len(known)
    if not number:
        return Estimate(None, note="Not measured.")
    middle = float(np.median(known))
    if number < _FEWEST_FOR_MEDIAN:
        return Estimate(middle)
    # The number of values below the median is binomial with p = 1/2.
    beyond = max(math.floor(number / 2 - 0.98 * math.sqrt(number)), 1)
    return Estimate(middle, float(known[beyond - 1]), float(known[-beyond]))


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
