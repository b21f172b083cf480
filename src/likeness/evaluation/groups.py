"""Errors and failures by group, counted at one threshold for everybody.

Counts are whole numbers, so they do not depend on the order of comparisons or on how many are
counted at a time. A comparison of which one sample has no label counts only in the totals.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation.comparisons import FAILED, Axis, Comparisons, Samples
from likeness.evaluation.rates import Counts, Rates, rates_of
from likeness.evaluation.searches import Share

_AT_A_TIME = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class GroupCounts:
    """False matches and false non-matches of G groups at a threshold, each with its trials.

    `nonmated_errors` and `nonmated_trials` are (G, G): references of one group (rows) with probes
    of another (columns). `mated_errors` and `mated_trials` are (G,), of pairs of which both samples
    are in the group; `mated_failures` of the errors had no score. A mated pair whose samples are in
    two groups, as of one person at two ages, is in `mated_across`. `every_nonmated` and
    `every_mated` are errors of all comparisons, those without a label among them.
    """

    labels: tuple[str, ...]
    threshold: float
    nonmated_errors: Counts
    nonmated_trials: Counts
    mated_errors: Counts
    mated_trials: Counts
    mated_failures: Counts
    mated_across: Share
    every_nonmated: Share
    every_mated: Share

    @property
    def within_errors(self) -> Counts:
        """False matches (G,) of strangers who are both of the group."""
        return np.diagonal(self.nonmated_errors)

    @property
    def within_trials(self) -> Counts:
        """Comparisons (G,) of strangers who are both of the group."""
        return np.diagonal(self.nonmated_trials)

    @property
    def fmrs(self) -> Rates:
        """FMR (G,) of strangers who are both of the group; NaN where there are none."""
        return rates_of(self.within_errors, self.within_trials)

    @property
    def fnmrs(self) -> Rates:
        """FNMR (G,), failures being false non-matches; NaN where there are no mated pairs."""
        return rates_of(self.mated_errors, self.mated_trials)

    @property
    def cross_fmrs(self) -> Rates:
        """FMR (G, G) of references by probes; NaN where there are no pairs."""
        return rates_of(self.nonmated_errors, self.nonmated_trials)

    @property
    def same_group(self) -> Share:
        """False matches among all pairs of strangers of one group: the headline."""
        return _share(self.within_errors, self.within_trials)

    def symmetric(self) -> "GroupCounts":
        """Put cells (i, j) and (j, i) together, for scores of which it is all the same.

        Where every pair is compared once, which sample is the reference says nothing. Totals of the
        matrix then count a pair across groups twice, once in each cell.
        """
        both = (self.nonmated_errors, self.nonmated_trials)
        errors, trials = (cells + cells.T - np.diag(np.diagonal(cells)) for cells in both)
        return replace(self, nonmated_errors=errors, nonmated_trials=trials)


def count_by_group(
    comparisons: Comparisons, samples: Samples, axis: Axis, threshold: float
) -> GroupCounts:
    """Count errors by group at one threshold.

    Raises:
        InvalidRequest: the axis is not of these samples.
    """
    return count_by_group_at(comparisons, samples, axis, [threshold])[0]


def count_by_group_at(
    comparisons: Comparisons, samples: Samples, axis: Axis, thresholds: Sequence[float]
) -> tuple[GroupCounts, ...]:
    """Count errors by group at each of some thresholds, in one pass.

    Raises:
        InvalidRequest: the axis is not of these samples.
    """
    check_axis(samples, axis)
    groups = len(axis.labels)
    # Cells: strangers by reference and probe, those without a label; mates by group, those of two
    # groups, those without a label.
    strangers = groups * groups
    own_first = strangers + 1
    across = own_first + groups
    cells_there = across + 2
    # As scores are compared with a threshold elsewhere: in the scores' own type.
    steps = np.unique(np.asarray(thresholds, np.float64).astype(comparisons.scores.dtype))
    # Failures, below the lowest threshold, and then by how many thresholds are reached.
    bins = len(steps) + 2
    counted = np.zeros(cells_there * bins, np.int64)
    for some in chunks_of(comparisons):
        references, probes = axis.codes[some.references], axis.codes[some.probes]
        known = (references >= 0) & (probes >= 0)
        cells = np.where(known, references.astype(np.int64) * groups + probes, strangers)
        own = np.where(references == probes, own_first + references, across)
        cells = np.where(some.mated, np.where(known, own, across + 1), cells)
        reached = np.searchsorted(steps, some.scores, "right") + 1
        reached[some.scores == FAILED] = 0
        counted += np.bincount(cells * bins + reached, minlength=len(counted))
    by_cell = counted.reshape(cells_there, bins)
    trials = by_cell.sum(axis=1)
    found = []
    for threshold in thresholds:
        step = int(np.searchsorted(steps, np.asarray(threshold).astype(steps.dtype)))
        matched = by_cell[:, step + 2 :].sum(axis=1)
        missed = trials - matched
        found.append(
            GroupCounts(
                labels=axis.labels,
                threshold=float(threshold),
                nonmated_errors=matched[:strangers].reshape(groups, groups),
                nonmated_trials=trials[:strangers].reshape(groups, groups),
                mated_errors=missed[own_first:across],
                mated_trials=trials[own_first:across],
                mated_failures=by_cell[own_first:across, 0],
                mated_across=_share(missed[across], trials[across]),
                every_nonmated=_share(matched[:own_first], trials[:own_first]),
                every_mated=_share(missed[own_first:], trials[own_first:]),
            )
        )
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class FailureCounts:
    """Failures of G groups, each (G,): to acquire by image, to enrol by subject.

    A subject fails to enrol in a group when none of its images in that group has a template, so one
    who is there at two ages is counted in both.
    """

    labels: tuple[str, ...]
    images: Counts
    failed_images: Counts
    subjects: Counts
    failed_subjects: Counts

    @property
    def ftas(self) -> Rates:
        """Failure to acquire (G,): the share of images without a template."""
        return rates_of(self.failed_images, self.images)

    @property
    def ftes(self) -> Rates:
        """Failure to enrol (G,): the share of subjects of whom no image has a template."""
        return rates_of(self.failed_subjects, self.subjects)


def count_failures(samples: Samples, axis: Axis | None = None) -> FailureCounts:
    """Count failures by group; of everybody, as one group, where no axis is given.

    Raises:
        InvalidRequest: the axis is not of these samples.
    """
    if axis is None:
        axis = Axis("all", ("all",), np.zeros(len(samples), np.int32))
    check_axis(samples, axis)
    known = axis.codes >= 0
    codes, subjects = axis.codes[known], samples.subjects[known]
    failed = samples.failed[known]
    groups = len(axis.labels)
    number = max(samples.subject_count, 1)
    everybody = np.unique(codes.astype(np.int64) * number + subjects)
    enrolled = np.unique((codes.astype(np.int64) * number + subjects)[~failed])
    subjects_by_group = _count(everybody // number, groups)
    return FailureCounts(
        axis.labels,
        images=_count(codes, groups),
        failed_images=_count(codes[failed], groups),
        subjects=subjects_by_group,
        failed_subjects=subjects_by_group - _count(enrolled // number, groups),
    )


def _share(errors: Counts, trials: Counts) -> Share:
    return Share(int(errors.sum()), int(trials.sum()))


def _count(codes: NDArray[np.integer], groups: int) -> Counts:
    return np.asarray(np.bincount(codes, minlength=groups), np.int64)


def chunks_of(comparisons: Comparisons) -> Iterator[Comparisons]:
    """Give comparisons some at a time, so that what is made of them fits in memory."""
    for start in range(0, len(comparisons), _AT_A_TIME):
        part = slice(start, start + _AT_A_TIME)
        yield Comparisons(
            comparisons.scores[part],
            comparisons.references[part],
            comparisons.probes[part],
            comparisons.mated[part],
        )


def check_axis(samples: Samples, axis: Axis) -> None:
    """Refuse an axis that is of other samples.

    Raises:
        InvalidRequest: it is.
    """
    if len(axis.codes) != len(samples):
        raise InvalidRequest(
            f"The column of groups {axis.name!r} has {len(axis.codes)} values for"
            f" {len(samples)} samples. Give one for each."
        )
