"""How many independent trials comparisons are worth that share people.

All 4,950 pairs of a hundred people tell less of a rate than 4,950 pairs of other people: who scores
high with one scores high with many. Suppose that scores depend on nothing but who is compared. The
mean of n comparisons then varies as much as that of so many which share nobody:

- 2 n^2 / sum d_s^2 of non-mated ones, d_s being how many of them subject s is in: k / 2 of all
  pairs of k people, and 2 a b / (a + b) where each of a people meets each of b;
- n^2 / sum d_s^2 of mated ones: k where each of k people has as many.

(L. Kish, Survey Sampling, 1965, for the second.) They are worth at least that: where scores depend
on more than people, on pictures say, it is more. The rule of 3 counts by it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation.comparisons import Axis, Comparisons, Samples
from likeness.evaluation.groups import check_axis, chunks_of

Worth = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class IndependentTrials:
    """What the comparisons of G groups are worth in independent trials; 0 where there are none.

    `nonmated` is (G, G), references of one group (rows) with probes of another; `mated` (G,), of
    pairs of which both samples are in the group. `every_nonmated` and `every_mated` are of all.
    """

    nonmated: Worth
    mated: Worth
    every_nonmated: float
    every_mated: float

    @property
    def within(self) -> Worth:
        """Those of strangers who are both of the group, (G,)."""
        return np.diagonal(self.nonmated)


def independent_trials(
    comparisons: Comparisons, samples: Samples, axis: Axis, *, symmetric: bool = False
) -> IndependentTrials:
    """Say how many independent trials the comparisons of each cell are worth.

    `symmetric` puts cells (i, j) and (j, i) together, as `GroupCounts.symmetric` does.

    Raises:
        InvalidRequest: the axis is not of these samples.
    """
    check_axis(samples, axis)
    groups, number = len(axis.labels), len(samples)
    # Comparisons of each sample by the group of the other one, the last for no label.
    others = np.where(axis.codes < 0, groups, axis.codes).astype(np.int64)
    shape = (number, groups + 1)
    as_reference, as_probe = np.zeros((2, *shape), np.int64)
    mated, mated_within = np.zeros((2, number), np.int64)
    for some in chunks_of(comparisons):
        ones, twos, mates = some.references, some.probes, some.mated
        same = mates & (axis.codes[ones] == axis.codes[twos]) & (axis.codes[ones] >= 0)
        mated += np.bincount(ones[mates], minlength=number)
        mated_within += np.bincount(ones[same], minlength=number)
        ones, twos = ones[~mates].astype(np.int64), twos[~mates].astype(np.int64)
        for table, sample, other in ((as_reference, ones, twos), (as_probe, twos, ones)):
            at = sample * (groups + 1) + others[other]
            table += np.bincount(at, minlength=table.size).reshape(shape)
    # People, once in each group that they have samples in.
    width = samples.subject_count
    people, person = np.unique(others * width + samples.subjects, return_inverse=True)
    of_group = people // max(width, 1)
    references, probes = (_sums(table, person, len(people)) for table in (as_reference, as_probe))
    trials = _by_group(references, of_group, groups)
    if symmetric:
        squares = _by_group((references + probes) ** 2, of_group, groups)
        # A pair within a group is in one cell, another one in two.
        squares += squares.T * ~np.eye(groups, dtype=bool)
        trials = trials + trials.T * ~np.eye(groups, dtype=bool)
    else:
        squares = _by_group(references**2, of_group, groups)
        squares = squares + _by_group(probes**2, of_group, groups).T
        both = _by_group(2 * references * probes, of_group, groups)
        squares += np.diag(np.diagonal(both))
    own = _totals(person, mated_within, len(people))
    own_trials, own_squares = (
        _totals(of_group, each, groups + 1)[:groups] for each in (own, own**2)
    )
    strangers_of = _totals(samples.subjects, (as_reference + as_probe).sum(axis=1), width)
    mates_of = _totals(samples.subjects, mated, width)
    return IndependentTrials(
        nonmated=_worth(2 * trials**2, squares),
        mated=_worth(own_trials**2, own_squares),
        every_nonmated=float(_worth(strangers_of.sum() ** 2 / 2, (strangers_of**2).sum())),
        every_mated=float(_worth(mates_of.sum() ** 2, (mates_of**2).sum())),
    )


def _totals(places: NDArray[np.integer], values: NDArray[np.int64] | Worth, number: int) -> Worth:
    """Add up the values (m,) that have the same place."""
    return np.asarray(np.bincount(places, values, number), np.float64)


def _sums(table: NDArray[np.int64] | Worth, places: NDArray[np.integer], number: int) -> Worth:
    """Add up the rows (m, k) that have the same place."""
    sums = np.zeros((number, table.shape[1]))
    np.add.at(sums, places, table)
    return sums


def _by_group(table: Worth, groups_of: NDArray[np.integer], groups: int) -> Worth:
    """Add up the rows of each group, and leave out who and what has no label."""
    return _sums(table[:, :groups], groups_of, groups + 1)[:groups]


def _worth(above: Worth | float, below: Worth | float) -> Worth:
    worth = np.zeros(np.shape(below))
    np.divide(above, below, out=worth, where=np.asarray(below) > 0)
    return worth
