"""Error rates of comparisons, and thresholds for a rate, as ISO/IEC 19795-1 defines them.

Higher scores are more alike: a comparison matches when its score reaches the threshold. A failure
(`FAILED`) is a trial that never matches, whatever the threshold is.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest

Scores = NDArray[np.floating]
Rates = NDArray[np.float64]
Counts = NDArray[np.int64]


def count_matches(threshold: float, scores: Scores) -> int:
    """Count the scores (n,) that reach the threshold; failures never do."""
    if threshold == -np.inf:
        return int(np.count_nonzero(scores > -np.inf))
    return int(np.count_nonzero(scores >= threshold))


def fmr_at(threshold: float, nonmated: Scores) -> float:
    """Give the share of non-mated scores (n,) that reach the threshold.

    Raises:
        InvalidRequest: there are none.
    """
    demand(nonmated, "non-mated")
    return count_matches(threshold, nonmated) / len(nonmated)


def fnmr_at(threshold: float, mated: Scores, failures: int = 0) -> float:
    """Give the share of mated comparisons that do not reach the threshold.

    `failures` are more mated comparisons, without a score, because a template could not be made;
    they are false non-matches too, as those are that are in `mated` as `FAILED`.

    Raises:
        InvalidRequest: there are none.
    """
    trials = len(mated) + failures
    if not trials:
        demand(mated, "mated")
    return (trials - count_matches(threshold, mated)) / trials


def rates_of(errors: Counts | Rates, trials: Counts) -> Rates:
    """Divide errors by trials, cell by cell; NaN where there are no trials."""
    rates = np.full(np.broadcast_shapes(np.shape(errors), np.shape(trials)), np.nan)
    np.divide(errors, trials, out=rates, where=np.asarray(trials) > 0)
    return rates


def most_errors(targets: float | Rates, trials: int | Counts) -> Counts:
    """Give the most errors among so many trials of which the rate is at most the target, (...)."""
    targets, trials = np.asarray(targets, np.float64), np.asarray(trials, np.int64)
    errors = np.clip(np.floor(targets * trials).astype(np.int64), 0, trials)
    # The product is rounded: 0.29 of 100 is 28.999999999999996.
    of = np.maximum(trials, 1)
    errors = errors + ((errors < trials) & ((errors + 1) / of <= targets))
    return np.asarray(errors - ((errors > 0) & (errors / of > targets)), np.int64)


def threshold_at_fmr(nonmated: Scores, target: float) -> float:
    """Give the lowest score seen whose own FMR is at most `target`; just above the highest if none.

    The rule of bob.measure: a nearest point could exceed the target.

    Raises:
        InvalidRequest: there are no non-mated scores.
    """
    demand(nonmated, "non-mated")
    allowed = int(most_errors(target, len(nonmated)))
    if allowed >= len(nonmated):
        return threshold_in_order(np.sort(nonmated), target)
    # The highest `allowed` scores and the first that is too many.
    return lowest_allowed(np.sort(np.partition(nonmated, -allowed - 1)[-allowed - 1 :]), allowed)


def threshold_in_order(ascending: Scores, target: float) -> float:
    """Do as `threshold_at_fmr` does with non-mated scores (n,) that ascend: for many targets.

    Raises:
        InvalidRequest: there are no scores.
    """
    demand(ascending, "non-mated")
    allowed = int(most_errors(target, len(ascending)))
    if allowed < len(ascending):
        return lowest_allowed(ascending, allowed)
    first = int(np.searchsorted(ascending, -np.inf, "right"))
    return float(ascending[first] if first < len(ascending) else np.finfo(ascending.dtype).min)


class GeneralisedRates(NamedTuple):
    """Errors of whole transactions, failures among them: false acceptance and false rejection."""

    gfar: float
    gfrr: float


def generalised_rates(fmr: float, fnmr: float, fta: float, fte: float) -> GeneralisedRates:
    """Put failures to acquire and to enrol into the rates (ISO/IEC 19795-1: GFAR and GFRR).

    `fmr` and `fnmr` are of comparisons that have a score, or failures are counted twice.
    """
    made = (1 - fta) * (1 - fte)
    return GeneralisedRates(fmr * made, fte + (1 - fte) * fta + made * fnmr)


def demand(scores: Scores, kind: str) -> None:
    """Refuse to give a rate of nothing.

    Raises:
        InvalidRequest: there are no scores of the kind.
    """
    if not len(scores):
        raise InvalidRequest(f"There are no {kind} comparisons, so there is no rate of them.")


def lowest_allowed(top: Scores, allowed: int) -> float:
    """Give the lowest of ascending scores that at most `allowed` reach; just above all if none.

    `top` are the highest scores, more of them than `allowed`.
    """
    reached = top[np.searchsorted(top, top[-allowed - 1], "right") :]
    if len(reached):
        return float(reached[0])
    return float(np.nextafter(top[-1], np.inf, dtype=top.dtype))
