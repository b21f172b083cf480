"""Error rates of comparisons, as ISO/IEC 19795-1 defines them; higher scores are more alike."""

import math

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.floating]


def fmr_at(threshold: float, nonmated: Scores) -> float:
    """Share of non-mated scores (n,) that reach the threshold."""
    return float(np.count_nonzero(nonmated >= threshold) / len(nonmated))


def fnmr_at(threshold: float, mated: Scores, failures: int = 0) -> float:
    """Share of mated comparisons that do not reach the threshold.

    `failures` are mated comparisons without a score, because a template could not be made; they are
    false non-matches too.
    """
    missed = np.count_nonzero(mated < threshold) + failures
    return float(missed / (len(mated) + failures))


def threshold_at_fmr(nonmated: Scores, target: float) -> float:
    """The lowest score seen whose own FMR is at most `target`; just above the highest if none is.

    The rule of bob.measure: a nearest point could exceed the target.
    """
    # At most this many scores may reach the threshold.
    allowed = math.floor(target * len(nonmated))
    if allowed >= len(nonmated):
        return float(nonmated.min())
    # The highest `allowed` scores and the first that is too many.
    top = np.sort(np.partition(nonmated, len(nonmated) - allowed - 1)[-allowed - 1 :])
    too_many = top[0]
    reached = top[top > too_many]
    if len(reached):
        return float(reached[0])
    return float(np.nextafter(top[-1], np.inf, dtype=top.dtype))
