"""Errors by group in resamples of subjects, each resample at its own threshold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation.comparisons import Axis, Comparisons, Samples
from likeness.evaluation.draws import CHUNK, Chunk, Draws, Places
from likeness.evaluation.error_tables import (
    Values,
    bounded,
    bounded_interval,
    independent_trials,
    intervals_of,
)
from likeness.evaluation.intervals import Interval
from likeness.evaluation.rates import Counts, Scores, rates_of

# More cells of all axes crossed take too much memory, so axes are counted one after the other.
_MOST_TOGETHER = 4000


def used_samples(comparisons: Comparisons, samples: Samples, mated: bool) -> NDArray[np.bool_]:
    """Give whether each of m samples is in a mated, or in a non-mated, comparison."""
    used = np.zeros(len(samples), bool)
    for start in range(0, len(comparisons), CHUNK):
        part = slice(start, start + CHUNK)
        chosen = comparisons.mated[part] == mated
        used[comparisons.references[part][chosen]] = True
        used[comparisons.probes[part][chosen]] = True
    return used


@dataclass(frozen=True, slots=True, eq=False)
class CellRates:
    """Errors of G groups at each resample's threshold; rows as `Draws` has columns, 0 the data.

    `nonmated_errors` and `nonmated_trials` are (rows, G, G), by groups of reference and probe.
    `mated_errors` and `mated_trials` are (rows, G), of pairs of which both samples are in the
    group. A resample without a threshold has no trials. `subjects` and `mated_subjects` (G,) are
    how many people of a group are in non-mated and in mated comparisons; `dependence` is that of
    all non-mated comparisons (`ErrorTables.dependence`).
    """

    labels: tuple[str, ...]
    nonmated_errors: Counts
    nonmated_trials: Counts
    mated_errors: Counts
    mated_trials: Counts
    subjects: Counts
    mated_subjects: Counts
    dependence: float | None

    @property
    def cross_fmrs(self) -> Values:
        """FMR by groups of reference and probe, (rows, G, G); NaN where there are no such pairs."""
        return rates_of(self.nonmated_errors, self.nonmated_trials)

    @property
    def fmrs(self) -> Values:
        """FMR of strangers who are both of the group, (rows, G)."""
        return np.diagonal(self.cross_fmrs, axis1=1, axis2=2)

    @property
    def fnmrs(self) -> Values:
        """FNMR, (rows, G)."""
        return rates_of(self.mated_errors, self.mated_trials)

    @property
    def same_group(self) -> Values:
        """FMR of all strangers of one group, (rows,)."""
        errors, trials = (
            np.trace(counts, axis1=1, axis2=2)
            for counts in (self.nonmated_errors, self.nonmated_trials)
        )
        return rates_of(errors, trials)

    @property
    def independent(self) -> Values:
        """How many independent non-mated comparisons tell as much as those there are, (G, G)."""
        here = self.subjects
        within = np.eye(len(here), dtype=bool)
        trials = self.nonmated_trials[0]
        return independent_trials(trials, here[:, np.newaxis], here, within, self.dependence)

    def cross_fmr_intervals(self, confidence: float = 0.95) -> tuple[Values, Values]:
        """Give the intervals of `cross_fmrs`, (G, G): lows and highs."""
        return bounded(intervals_of(self.cross_fmrs, confidence), self.independent, confidence)

    def fmr_intervals(self, confidence: float = 0.95) -> tuple[Values, Values]:
        """Give the intervals of `fmrs`, (G,): lows and highs."""
        lows, highs = self.cross_fmr_intervals(confidence)
        return np.diagonal(lows), np.diagonal(highs)

    def fnmr_intervals(self, confidence: float = 0.95) -> tuple[Values, Values]:
        """Give the intervals of `fnmrs`, (G,): lows and highs."""
        return bounded(intervals_of(self.fnmrs, confidence), self.mated_subjects, confidence)

    def same_group_interval(self, confidence: float = 0.95) -> Interval:
        """Give the interval of `same_group`."""
        return bounded_interval(self.same_group, np.trace(self.independent), confidence)

    def symmetric(self) -> "CellRates":
        """Put cells (i, j) and (j, i) together, as `GroupCounts.symmetric` does."""
        within = np.eye(len(self.labels), dtype=np.int64)
        errors, trials = (
            counts + counts.transpose(0, 2, 1) - counts * within
            for counts in (self.nonmated_errors, self.nonmated_trials)
        )
        return replace(self, nonmated_errors=errors, nonmated_trials=trials)


def count_groups(
    comparisons: Comparisons,
    samples: Samples,
    axes: Sequence[Axis],
    draws: Draws,
    workers: int,
) -> Iterator["GroupCounting"]:
    """Prepare to count errors by group, all axes in one pass where their cells are few."""
    if not axes:
        return
    together = GroupCounting(comparisons, samples, axes, draws, workers)
    if together.cells <= _MOST_TOGETHER or len(axes) == 1:
        yield together
        return
    for axis in axes:
        yield GroupCounting(comparisons, samples, [axis], draws, workers)


class GroupCounting:
    """Counts errors by group at thresholds that may differ between resamples.

    What is counted are cells of all axes crossed, mated and non-mated; the groups of each axis are
    sums of them.
    """

    def __init__(
        self,
        comparisons: Comparisons,
        samples: Samples,
        axes: Sequence[Axis],
        draws: Draws,
        workers: int,
    ) -> None:
        self._comparisons = comparisons
        self._samples = samples
        self._axes = axes
        self._draws = draws
        self._workers = workers
        # (axes, F) codes of F combinations of groups, and which of these each sample has.
        self._combined, codes = np.unique(
            np.stack([axis.codes for axis in axes]), axis=1, return_inverse=True
        )
        self._codes = codes.reshape(-1).astype(np.int64)
        self._slots = self._present()
        self._used = [used_samples(comparisons, samples, mated) for mated in (False, True)]
        self._trials: Counts | None = None

    @property
    def cells(self) -> int:
        """How many cells there are to count."""
        return int(self._slots.max(initial=-1)) + 1

    def rates(
        self, thresholds: Scores, dependence: float | None
    ) -> Iterator[tuple[str, CellRates]]:
        """Count at thresholds (rows,), plus infinity where a resample has none.

        Gives the name and the rates of each axis.
        """
        if self._trials is None:
            self._trials = self._settled(np.array(-np.inf, self._comparisons.scores.dtype))
        matches = self._matches(thresholds)
        trials = np.where(np.isposinf(thresholds), 0, self._trials)
        for axis, groups in zip(self._axes, self._combined, strict=True):
            nonmated_matches, mated_matches = self._gathered(matches, axis, groups)
            nonmated_trials, mated_trials = self._gathered(trials, axis, groups)
            own = np.arange(len(axis.labels))
            yield (
                axis.name,
                CellRates(
                    axis.labels,
                    nonmated_matches,
                    nonmated_trials,
                    (mated_trials - mated_matches)[:, own, own],
                    mated_trials[:, own, own],
                    _count_subjects(self._samples, axis, self._used[0]),
                    _count_subjects(self._samples, axis, self._used[1]),
                    dependence,
                ),
            )

    def _present(self) -> NDArray[np.int64]:
        # The slot of each cell that something is in, -1 of others: mated or not, reference, probe.
        size = self._combined.shape[1]
        present = np.zeros(2 * size * size, bool)
        for start in range(0, len(self._comparisons), CHUNK):
            part = slice(start, start + CHUNK)
            references, probes = self._comparisons.references[part], self._comparisons.probes[part]
            present[self._cells_of(references, probes, self._comparisons.mated[part])] = True
        return np.where(present, np.cumsum(present) - 1, -1)

    def _cells_of(
        self, references: Places, probes: Places, mated: bool | NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        size = self._combined.shape[1]
        cells: NDArray[np.int64] = (mated * size + self._codes[references]) * size
        return cells + self._codes[probes]

    def _gathered(
        self, counts: Counts, axis: Axis, groups: NDArray[np.int32]
    ) -> tuple[Counts, Counts]:
        # From (cells, rows) to (rows, G, G), of strangers and of mates.
        size, width = self._combined.shape[1], len(axis.labels)
        kinds, ones, others = np.unravel_index(np.flatnonzero(self._slots >= 0), (2, size, size))
        known = (groups[ones] >= 0) & (groups[others] >= 0)
        places = (kinds * width + groups[ones]) * width + groups[others]
        sums = np.zeros((2 * width * width, counts.shape[1]), np.int64)
        np.add.at(sums, places[known], counts[known])
        strangers, mates = sums.reshape(2, width, width, -1).transpose(0, 3, 1, 2)
        return strangers, mates

    def _matches(self, thresholds: Scores) -> Counts:
        there = thresholds[thresholds < np.inf]
        if not len(there):
            return np.zeros((self.cells, len(thresholds)), np.int64)
        lowest, highest = there.min(), there.max()
        # What reaches the highest threshold reaches all; few lie between two.
        sums = self._settled(highest)
        size = len(self._comparisons) if lowest < highest else 0
        for start in range(0, size, CHUNK):
            part = slice(start, start + CHUNK)
            scores = self._comparisons.scores[part]
            between = (scores >= lowest) & (scores < highest)
            for mated in (False, True):
                chunk, chosen = self._chunk(part, between, mated)
                self._draws.count_reaching(chunk, scores[chosen], thresholds, sums)
        return sums

    def _settled(self, threshold: np.floating | Scores) -> Counts:
        def chunk(part: slice, mated: bool) -> Chunk:
            reaching = self._comparisons.scores[part] >= threshold
            return self._chunk(part, reaching, mated)[0]

        strangers, mates = (
            self._draws.count(
                len(self._comparisons), partial(chunk, mated=mated), self.cells, self._workers
            )
            for mated in (False, True)
        )
        return strangers + mates

    def _chunk(
        self, part: slice, chosen: NDArray[np.bool_], mated: bool
    ) -> tuple[Chunk, NDArray[np.integer]]:
        places = np.flatnonzero(chosen & (self._comparisons.mated[part] == mated))
        references = self._comparisons.references[part][places]
        probes = self._comparisons.probes[part][places]
        slots = self._slots[self._cells_of(references, probes, mated)]
        subjects = self._samples.subjects
        others = None if mated else subjects[probes]
        return Chunk(slots, subjects[references], others), places


def _count_subjects(samples: Samples, axis: Axis, used: NDArray[np.bool_]) -> Counts:
    there = used & (axis.codes >= 0)
    people = np.unique(np.stack([axis.codes[there], samples.subjects[there]]), axis=1)
    return np.bincount(people[0], minlength=len(axis.labels))
