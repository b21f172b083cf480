"""Error rates of comparisons, and thresholds for a rate, as ISO/IEC 19795-1 defines them.

Higher scores are more alike: a comparison matches when its score reaches the threshold. A failure
(`FAILED`) is a trial that never matches, whatever the threshold is.
"""

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest

Scores = NDArray[np.floating]


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
    _demand(nonmated, "non-mated")
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
        _demand(mated, "mated")
    return (trials - count_matches(threshold, mated)) / trials


def most_errors(target: float, trials: int) -> int:
    """Give the most errors among so many trials of which the rate is at most `target`."""
    errors = min(math.floor(target * trials), trials)
    # The product is rounded: 0.29 of 100 is 28.999999999999996.
    while errors < trials and (errors + 1) / trials <= target:
        errors += 1
    while errors > 0 and errors / trials > target:
        errors -= 1
    return errors


def threshold_at_fmr(nonmated: Scores, target: float) -> float:
    """Give the lowest score seen whose own FMR is at most `target`; just above the highest if none.

    The rule of bob.measure: a nearest point could exceed the target.

    Raises:
        InvalidRequest: there are no non-mated scores.
    """
    _demand(nonmated, "non-mated")
    allowed = most_errors(target, len(nonmated))
    if allowed >= len(nonmated):
        top = np.sort(nonmated[nonmated > -np.inf])
        return float(top[0]) if len(top) else float(np.finfo(nonmated.dtype).min)
    # The highest `allowed` scores and the first that is too many.
    top = np.sort(np.partition(nonmated, len(nonmated) - allowed - 1)[-allowed - 1 :])
    too_many = top[0]
    reached = top[top > too_many]
    if len(reached):
        return float(reached[0])
    return float(np.nextafter(top[-1], np.inf, dtype=top.dtype))


@dataclass(frozen=True, slots=True, eq=False)
class ErrorCurve:
    """What each threshold does: k thresholds, descending, with FMR and FNMR at each.

    So FMR ascends and FNMR descends; each is (k,) float64.
    """

    thresholds: NDArray[np.float64]
    fmrs: NDArray[np.float64]
    fnmrs: NDArray[np.float64]

    def __len__(self) -> int:
        """Count the points."""
        return len(self.thresholds)


def error_curve(mated: Scores, nonmated: Scores, most_points: int = 1000) -> ErrorCurve:
    """Give the DET: points at scores that were seen, from the strictest that a stranger reaches.

    FMR is never below 1/N, N the non-mated comparisons: nothing is extrapolated. Where more than
    `most_points` scores were seen, those are kept whose counts of errors are evenly spaced on a
    logarithmic axis, from both ends, so the tail, of one error and of two, stays whole.

    Raises:
        InvalidRequest: there are no mated or no non-mated comparisons, or fewer than 4 points are
            wanted.
    """
    if most_points < 4:
        raise InvalidRequest(f"Too few points for a curve: {most_points}. Ask for 4 or more.")
    mates, strangers = _ascending(mated, nonmated)
    others = _finite(strangers)
    own = _finite(mates)
    own = own[: np.searchsorted(own, others[-1], "right") if len(others) else 0]
    if len(others) + len(own) > most_points:
        others = others[-_ranks(len(others), most_points // 2)]
        own = own[_ranks(len(own), most_points // 2) - 1]
    return _curve(mates, strangers, np.union1d(others, own))


def errors_by_threshold(mated: Scores, nonmated: Scores, points: int = 200) -> ErrorCurve:
    """Give both errors at even steps of the threshold, from the lowest score to above the highest.

    Raises:
        InvalidRequest: there are no mated or no non-mated comparisons.
    """
    mates, strangers = _ascending(mated, nonmated)
    ends = [np.concatenate([each[:1], each[-1:]]) for each in map(_finite, (mates, strangers))]
    seen = np.concatenate(ends)
    if len(seen):
        above = np.nextafter(seen.max(), np.inf, dtype=seen.dtype)
        seen = np.unique(np.linspace(seen.min(), above, points).astype(seen.dtype))
    return _curve(mates, strangers, seen)


class EqualError(NamedTuple):
    """The rate and the threshold at which FMR and FNMR are as equal as the scores let them be."""

    rate: float
    threshold: float


def equal_error(mated: Scores, nonmated: Scores) -> EqualError:
    """Find the score at which FMR and FNMR differ least; the rate is their mean there.

    Of two such scores the higher is taken. The rate is bob.measure's.

    Raises:
        InvalidRequest: there are no mated or no non-mated comparisons, or all of them failed.
    """
    mates, strangers = _ascending(mated, nonmated)
    near = []
    for scores in (_finite(mates), _finite(strangers)):
        # From each score seen to the next, FMR - FNMR falls: only those beside its zero matter.
        above = bisect_left(
            range(len(scores)), 0.0, key=lambda rank: -_apart(mates, strangers, scores[rank])
        )
        near.append(scores[max(above - 1, 0) : above + 1])
    curve = _curve(mates, strangers, np.unique(np.concatenate(near)))
    if not len(curve):
        raise InvalidRequest("Every comparison failed, so there is no equal error rate.")
    best = int(np.argmin(np.abs(curve.fmrs - curve.fnmrs)))
    rate = (curve.fmrs[best] + curve.fnmrs[best]) / 2
    return EqualError(float(rate), float(curve.thresholds[best]))


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


def _demand(scores: Scores, kind: str) -> None:
    if not len(scores):
        raise InvalidRequest(f"There are no {kind} comparisons, so there is no rate of them.")


def _ascending(mated: Scores, nonmated: Scores) -> tuple[Scores, Scores]:
    _demand(mated, "mated")
    _demand(nonmated, "non-mated")
    # One type, so that no search among a hundred million has to convert them.
    type_ = np.result_type(mated, nonmated)
    return np.sort(mated.astype(type_, copy=False)), np.sort(nonmated.astype(type_, copy=False))


def _finite(ascending: Scores) -> Scores:
    return ascending[np.searchsorted(ascending, -np.inf, "right") :]


def _ranks(number: int, most: int) -> NDArray[np.intp]:
    """Give at most so many ranks from 1 to `number`, evenly spaced on a logarithmic axis."""
    if not number:
        return np.empty(0, np.intp)
    return np.unique(np.geomspace(1, number, most).round().astype(np.intp))


def _curve(mates: Scores, strangers: Scores, seen: Scores) -> ErrorCurve:
    thresholds = seen[::-1]
    matched = len(strangers) - np.searchsorted(strangers, thresholds)
    missed = np.searchsorted(mates, thresholds)
    return ErrorCurve(thresholds.astype(np.float64), matched / len(strangers), missed / len(mates))


def _apart(mates: Scores, strangers: Scores, threshold: Scores) -> float:
    """Give FMR - FNMR at one threshold, ()."""
    matched = len(strangers) - np.searchsorted(strangers, threshold)
    return float(matched / len(strangers) - np.searchsorted(mates, threshold) / len(mates))
