"""How often answers about people's attributes are wrong, and how that differs between groups.

The audit of Buolamwini and Gebru (Gender Shades: Intersectional Accuracy Disparities in Commercial
Gender Classification, 2018), with intervals. Pictures of one subject are not independent trials, so
every interval is Wilson's for an *effective* number of trials: that of pictures, divided by the
design effect of subjects (Korn and Graubard, Confidence intervals for proportions with small
expected number of positive counts estimated from survey data, 1998). One picture a subject makes it
Wilson's own.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation.comparisons import Axis
from likeness.evaluation.intervals import Estimate, wilson

_SHUFFLES, _FEWEST_SHUFFLES = 2000, 200
_MOST_DEALT = 40_000_000  # some seconds
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ClusteredRate:
    """Errors of trials of so many subjects, with a 95% interval; no rate of no trials.

    `effective` is how many independent trials these are worth.
    """

    errors: int
    trials: int
    subjects: int
    effective: float
    value: float | None
    low: float
    high: float


NOTHING = Estimate(None, note="There is nothing to count.")


def clustered_rate(wrong: Mask, subjects: NDArray[np.integer]) -> ClusteredRate:
    """Count errors among trials (n,) of subjects (n,), and bound their rate.

    Where no trial is an error, or each is, nothing shows how alike trials of one subject are, and
    each subject counts as one trial.
    """
    trials, errors = len(wrong), int(np.count_nonzero(wrong))
    if not trials:
        return ClusteredRate(0, 0, 0, 0.0, None, 0.0, 1.0)
    _, numbers = np.unique(subjects, return_inverse=True)
    sizes = np.bincount(numbers).astype(np.float64)
    wrongs = np.bincount(numbers, weights=wrong)
    rate = errors / trials
    effective = float(len(sizes))
    if 0 < errors < trials and len(sizes) > 1:
        spread = float(((wrongs - rate * sizes) ** 2).sum()) / trials**2
        independent = rate * (1 - rate) / trials
        effective = trials / max(1.0, spread / independent)
    low, high = wilson(rate * effective, effective)
    return ClusteredRate(errors, trials, len(sizes), effective, rate, low, high)


def difference(one: ClusteredRate, other: ClusteredRate) -> Estimate:
    """Subtract the second rate from the first.

    The interval is Newcombe's hybrid score interval (1998, method 10).
    """
    if one.value is None or other.value is None:
        return NOTHING
    between = one.value - other.value
    below = math.hypot(one.value - one.low, other.high - other.value)
    above = math.hypot(one.high - one.value, other.value - other.low)
    return Estimate(between, max(-1.0, between - below), min(1.0, between + above))


def ratio(one: ClusteredRate, other: ClusteredRate) -> Estimate:
    """Divide the first rate by the second.

    Where the second has no error the ratio is undefined, and only its lower bound is known. The
    interval is made of the rates' own (Donner and Zou, Closed-form confidence intervals for
    functions of the normal mean and standard deviation, 2012).
    """
    if one.value is None or other.value is None:
        return NOTHING
    product = one.value * other.value
    least = one.low * (2 * one.value - one.low)
    most = one.high * (2 * one.value - one.high)
    by_most = other.high * (2 * other.value - other.high)
    by_least = other.low * (2 * other.value - other.low)
    root = math.sqrt(max(0.0, product**2 - least * by_most))
    low = least / (product + root) if product + root > 0 else 0.0
    if other.value == 0:
        return Estimate(None, low, note=NOTHING.note)
    high = None
    if by_least > 0:
        high = (product + math.sqrt(max(0.0, product**2 - most * by_least))) / by_least
    return Estimate(one.value / other.value, low, high)


def clustered_mean(values: NDArray[np.floating], subjects: NDArray[np.integer]) -> Estimate:
    """Average values (n,) of subjects (n,); subjects, not values, are independent."""
    if not len(values):
        return NOTHING
    mean = float(values.mean())
    _, numbers = np.unique(subjects, return_inverse=True)
    people = int(numbers.max()) + 1
    if people < 2:
        return Estimate(mean)
    from scipy.special import stdtrit

    apart = np.bincount(numbers, weights=values - mean)
    error = math.sqrt(people / (people - 1) * float((apart**2).sum())) / len(values)
    reach = float(stdtrit(people - 1, 0.975)) * error
    return Estimate(mean, mean - reach, mean + reach)


def chance_of_groups(
    wrong: Mask, subjects: NDArray[np.integer], axis: Axis, seed: int = 0
) -> float | None:
    """Say how likely chance alone sets groups as far apart as they are: a p-value.

    Subjects are dealt out to the groups anew, many times, each with all its trials. None where
    fewer than two groups have trials.
    """
    known = axis.codes >= 0
    groups = np.unique(axis.codes[known])
    if len(groups) < 2:
        return None
    # A subject in two groups, such as of two ages, is another one in each.
    keys = axis.codes[known].astype(np.int64) * (int(subjects.max()) + 1) + subjects[known]
    present, numbers = np.unique(keys, return_inverse=True)
    sizes = np.bincount(numbers).astype(np.float64)
    wrongs = np.bincount(numbers, weights=wrong[known])
    codes = np.searchsorted(groups, present // (int(subjects.max()) + 1))
    rate = wrongs.sum() / sizes.sum()
    apart = wrongs - rate * sizes

    def distance(dealt: NDArray[np.integer]) -> float:
        off = np.bincount(dealt, weights=apart, minlength=len(groups))
        trials = np.bincount(dealt, weights=sizes, minlength=len(groups))
        return float((off**2 / np.maximum(trials, 1)).sum())

    random = np.random.default_rng(seed)
    # What rounding tells apart is as far.
    seen = distance(codes) * (1 - 1e-9)
    times = _shuffles(len(codes))
    as_far = sum(distance(random.permutation(codes)) >= seen for _ in range(times))
    return (as_far + 1) / (times + 1)


def paired_difference_of(
    one: Mask, other: Mask, subjects: NDArray[np.integer], seed: int = 0
) -> tuple[Estimate, float | None]:
    """Subtract the first rate from the second, of the same trials (n,), and test the difference.

    The p-value is two-sided: of each subject the two are exchanged or not, many times. None where
    no trial differs.
    """
    apart = other.astype(np.float64) - one
    difference = clustered_mean(apart, subjects)
    _, numbers = np.unique(subjects, return_inverse=True)
    sums = np.bincount(numbers, weights=apart)
    sums = sums[sums != 0]
    if not len(sums):
        return difference, None
    random = np.random.default_rng(seed)
    seen = abs(float(sums.sum())) - 1e-9
    as_far, times = 0, _shuffles(len(sums))
    for _ in range(times):
        as_far += abs(float((sums * (2 * random.integers(0, 2, len(sums)) - 1)).sum())) >= seen
    return difference, (as_far + 1) / (times + 1)


def _shuffles(subjects: int) -> int:
    """Choose how often to shuffle so many subjects: the more there are, the less chance varies."""
    return min(_SHUFFLES, max(_FEWEST_SHUFFLES, _MOST_DEALT // subjects))


def years_between(
    answers: NDArray[np.floating], truths: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Measure how far ages (n, 2), from and to, lie from those that are true; negative is younger.

    Where the two overlap it is zero.
    """
    above = np.maximum(answers[:, 0] - truths[:, 1], 0.0)
    below = np.maximum(truths[:, 0] - answers[:, 1], 0.0)
    return np.asarray(above - below, np.float64)
