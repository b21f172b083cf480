"""How many independent trials comparisons are worth that share people.

Who looks like somebody else does so in nearly every picture, and whose pictures are hard to match
has many such pairs. So non-mated comparisons are counted by pairs of people, and mated ones by
people, with Kish's effective size: (sum of c)^2 / sum of c^2, c being how many comparisons each has
(L. Kish, Survey Sampling, 1965). A hundred people with one picture each are worth all their 4,950
pairs, and with ten pictures each no more.

False matches are rare, so pairs of people that share one of them count as independent. That is too
kind where everybody is compared with one person alone.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation.comparisons import Axis, Comparisons, Samples
from likeness.evaluation.groups import Counts, GroupCounts, check_axis, chunks_of

Worth = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class IndependentTrials:
    """What the comparisons of G groups are worth in independent trials; 0 where there are none.

    `nonmated` is (G, G) and `mated` (G,), cells as in `GroupCounts`.
    """

    nonmated: Worth
    mated: Worth

    @property
    def within(self) -> Worth:
        """Those of strangers who are both of the group, (G,)."""
        return np.diagonal(self.nonmated)


def independent_trials(
    comparisons: Comparisons, samples: Samples, axis: Axis, counts: GroupCounts
) -> IndependentTrials:
    """Say how many independent trials the comparisons of each cell of `counts` are worth.

    Of non-mated ones that is what all pairs of pictures would be worth, and no more than there are.

    Raises:
        InvalidRequest: the axis is not of these samples.
    """
    check_axis(samples, axis)
    return _independent(comparisons, samples, axis, counts.nonmated_trials)


class IndependentInAll(NamedTuple):
    """What all non-mated and all mated comparisons are worth in independent trials."""

    nonmated: float
    mated: float


def independent_in_all(comparisons: Comparisons, samples: Samples) -> IndependentInAll:
    """Say how many independent trials all comparisons are worth, whatever group they are of."""
    everybody = Axis("all", ("all",), np.zeros(len(samples), np.int32))
    trials = np.array([[np.count_nonzero(~comparisons.mated)]], np.int64)
    found = _independent(comparisons, samples, everybody, trials)
    return IndependentInAll(float(found.nonmated[0, 0]), float(found.mated[0]))


def _independent(
    comparisons: Comparisons, samples: Samples, axis: Axis, trials: Counts
) -> IndependentTrials:
    groups, width = len(axis.labels), max(samples.subject_count, 1)
    # People, once in each group that they have pictures in; the last group is for no label.
    codes = np.where(axis.codes < 0, groups, axis.codes).astype(np.int64)
    people, person, pictures = np.unique(
        codes * width + samples.subjects, return_inverse=True, return_counts=True
    )
    of_group = people // width
    ones, squares, fourths = (
        _totals(of_group, pictures.astype(np.float64) ** power, groups + 1)[:groups]
        for power in (1, 2, 4)
    )
    pairs = _kish(np.outer(ones, ones), np.outer(squares, squares))
    # Each pair of people once, and nobody with themselves.
    np.fill_diagonal(pairs, _kish((ones**2 - squares) / 2, (squares**2 - fourths) / 2))
    within = _mated_of(comparisons, axis.codes)
    own = _totals(person, within, len(people))
    return IndependentTrials(
        nonmated=np.minimum(pairs, trials),
        mated=_kish(*(_totals(of_group, own**power, groups + 1)[:groups] for power in (1, 2))),
    )


def _mated_of(comparisons: Comparisons, codes: NDArray[np.int32]) -> Counts:
    """Count the mated comparisons within a group of each sample, (m,), as the reference."""
    mated = np.zeros(len(codes), np.int64)
    for some in chunks_of(comparisons):
        first = some.references[some.mated]
        same = (codes[first] == codes[some.probes[some.mated]]) & (codes[first] >= 0)
        mated += np.bincount(first[same], minlength=len(codes))
    return mated


def _totals(places: NDArray[np.integer], values: Counts | Worth, number: int) -> Worth:
    """Add up the values (m,) that have the same place."""
    return np.asarray(np.bincount(places, values, number), np.float64)


def _kish(sums: Worth, squares: Worth) -> Worth:
    worth = np.zeros(np.shape(sums))
    np.divide(sums**2, squares, out=worth, where=np.asarray(squares) > 0)
    return worth
