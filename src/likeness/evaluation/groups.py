"""How even error rates are across groups: the columns of NIST's demographic reports.

Grother, Face Recognition Vendor Test Part 8: Summarizing Demographic Differentials (NISTIR 8429).
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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


def max_over_geometric_mean(rates: Sequence[GroupRate]) -> float | None:
    """The highest rate over the geometric mean of all; 1 is even.

    None where a group has no error: the ratio is then undefined; `most_over_geometric_mean` bounds
    it.
    """
    if any(rate.errors == 0 for rate in rates):
        return None
    return _ratio([rate.rate for rate in rates])


def most_over_geometric_mean(rates: Sequence[GroupRate]) -> float:
    """An upper bound of `max_over_geometric_mean`: a group without error is given one."""
    return _ratio([max(rate.errors, 1) / rate.comparisons for rate in rates])


def _ratio(rates: Sequence[float]) -> float:
    return max(rates) / math.exp(sum(map(math.log, rates)) / len(rates))
