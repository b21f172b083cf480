"""What a set of samples holds of each group, how evenly, and which error rates it could carry.

IBM's Diversity in Faces (Merler and others, 2019) asked how even a set is, in Shannon's and
Simpson's measures from ecology. Here groups are those that somebody labelled, or that are measured
of the picture: nobody's group is guessed.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation.calibration import ERRORS_NEEDED
from likeness.evaluation.comparisons import Axis, Samples
from likeness.evaluation.intervals import RULE_OF_THREE, trials_needed


@dataclass(frozen=True, slots=True)
class Trials:
    """How many trials a group has, and how many of them are independent for sure.

    `all` counts every trial; `independent` those that share no subject with another.
    """

    all: int
    independent: int

    def countable_rate(self, *, surely: bool) -> float | None:
        """The lowest rate that 30 errors could be seen of (rule of 30); None from one on."""
        return _share(ERRORS_NEEDED, self.independent if surely else self.all)

    def bounded_rate(self, *, surely: bool) -> float | None:
        """What no error at all would bound the rate by (rule of 3); None from one on."""
        return _share(RULE_OF_THREE, self.independent if surely else self.all)


@dataclass(frozen=True, slots=True)
class GroupCoverage:
    """What there is of one group.

    `images` and `subjects` are those with the label. `acquired` are trials of failures, one an
    image; `mated` pairs of images of one subject within the group, of which one a subject is
    independent; `nonmated` pairs of two subjects within it, of which half as many as subjects are.
    """

    group: str
    images: int
    subjects: int
    acquired: Trials
    mated: Trials
    nonmated: Trials


def cover_groups(samples: Samples, axis: Axis) -> tuple[GroupCoverage, ...]:
    """Count what there is of each group of an axis, failures included."""
    width = max(samples.subject_count, 1)
    known = axis.codes >= 0
    keys = axis.codes[known].astype(np.int64) * width + samples.subjects[known]
    cells, images = np.unique(keys, return_counts=True)
    covered = []
    for code, label in enumerate(axis.labels):
        of_subjects = images[cells // width == code].astype(np.int64)
        subjects, count = len(of_subjects), int(of_subjects.sum())
        pairs = int((of_subjects * (of_subjects - 1) // 2).sum())
        covered.append(
            GroupCoverage(
                label,
                images=count,
                subjects=subjects,
                acquired=Trials(count, subjects),
                mated=Trials(pairs, int(np.count_nonzero(of_subjects > 1))),
                nonmated=Trials(count * (count - 1) // 2 - pairs, subjects // 2),
            )
        )
    return tuple(covered)


def missing_groups(axes: tuple[Axis, Axis]) -> tuple[tuple[str, str], ...]:
    """Name each pair of groups of two axes that nobody is in."""
    one, other = axes
    there = np.zeros((len(one.labels), len(other.labels)), bool)
    known = (one.codes >= 0) & (other.codes >= 0)
    there[one.codes[known], other.codes[known]] = True
    return tuple((one.labels[i], other.labels[j]) for i, j in np.argwhere(~there))


def subjects_needed(rate: float, *, surely: bool) -> int:
    """Count the subjects whose non-mated pairs could carry an FMR (rule of 30).

    Surely, if no two pairs may share a subject; else by all pairs of one image each, which is the
    least that could do.
    """
    trials = trials_needed(rate)
    if surely:
        return 2 * trials
    return math.ceil((1 + math.sqrt(1 + 8 * trials)) / 2)


def shannon_evenness(counts: NDArray[np.integer]) -> float | None:
    """Give Shannon's evenness: 1 where all groups are as large, towards 0 where one is nearly all.

    None of fewer than two groups, or of nothing.
    """
    if len(counts) < 2 or not counts.sum():
        return None
    shares = counts[counts > 0] / counts.sum()
    return max(0.0, -float((shares * np.log(shares)).sum()) / math.log(len(counts)))


def simpson_evenness(counts: NDArray[np.integer]) -> float | None:
    """Give Simpson's: how many groups of one size would be as diverse, over how many there are.

    None of fewer than two groups, or of nothing.
    """
    if len(counts) < 2 or not counts.sum():
        return None
    shares = counts / counts.sum()
    return 1 / float((shares**2).sum()) / len(counts)


def _share(errors: float, trials: int) -> float | None:
    return errors / trials if trials > errors else None
