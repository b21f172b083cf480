"""Error rates of comparisons, and how even they are across groups; higher scores are more alike.

Rates are as ISO/IEC 19795-1 defines them. Evenness is in the columns of NIST's demographic reports:
Grother, Face Recognition Vendor Test Part 8: Summarizing Demographic Differentials (NISTIR 8429).
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class GroupRate:
    """Errors of one group: `errors` of `comparisons`."""

    group: Hashable
    errors: int
    comparisons: int

    @property
    def rate(self) -> float:
        """Errors for each comparison."""
        return self.errors / self.comparisons


def same_group_rates(
    scores: NDArray[np.floating], groups: Sequence[Hashable], threshold: float
) -> list[GroupRate]:
    """Count the false matches of strangers of one group, for each group.

    Args:
        scores: (n, n) of n subjects, each pair of which are strangers; it is symmetric.
        groups: the group of each subject.
        threshold: what counts as a match.
    """
    rates = []
    for group in sorted(set(groups), key=str):
        members = np.array([i for i, each in enumerate(groups) if each == group])
        upper = np.triu_indices(len(members), 1)
        within = scores[np.ix_(members, members)][upper]
        rates.append(GroupRate(group, int(np.count_nonzero(within >= threshold)), len(within)))
    return rates


def most_over_geometric_mean(rates: Sequence[GroupRate]) -> float:
    """Bound the highest rate over the geometric mean of all; 1 is even.

    A group without an error is given one, so the bound holds whatever its rate is.
    """
    bounds = [max(rate.errors, 1) / rate.comparisons for rate in rates]
    return max(bounds) / math.exp(sum(map(math.log, bounds)) / len(bounds))
