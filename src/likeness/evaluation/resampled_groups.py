"""Errors by group in resamples of subjects, each resample at its own threshold."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation.comparisons import Axis, Comparisons, Samples
from likeness.evaluation.draws import CHUNK, Chunk, Draws
from likeness.evaluation.error_tables import (
    Counts,
    Scores,
    Values,
    bounded,
    bounded_interval,
    independent,
    intervals_of,
    shares,
)


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
        return shares(self.nonmated_errors, self.nonmated_trials)

    @property
    def fmrs(self) -> Values:
        """FMR of strangers who are both of the group, (rows, G)."""
        return np.diagonal(self.cross_fmrs, axis1=1, axis2=2)

    @property
    def fnmrs(self) -> Values:
        """FNMR, (rows, G)."""
        return shares(self.mated_errors, self.mated_trials)

    @property
    def same_group(self) -> Values:
        """FMR of all strangers of one group, (rows,)."""
        errors, trials = (
            np.trace(counts, axis1=1, axis2=2)
            for counts in (self.nonmated_errors, self.nonmated_trials)
        )
        return shares(errors, trials)

    @property
    def independent(self) -> Values:
        """How many independent non-mated comparisons tell as much as those there are, (G, G)."""
        here = self.subjects
        within = np.eye(len(here), dtype=bool)
        trials = self.nonmated_trials[0]
        return independent(trials, here[:, np.newaxis], here, within, self.dependence)

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

    def same_group_interval(self, confidence: float = 0.95) -> tuple[float, float]:
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


class GroupCounting:
    """Counts errors by group at thresholds that may differ between resamples."""

    def __init__(
        self, comparisons: Comparisons, samples: Samples, axis: Axis, draws: Draws, workers: int
    ) -> None:
        self._comparisons = comparisons
        self._subjects = samples.subjects
        self._axis = axis
        self._draws = draws
        self._workers = workers
        # First the cells of strangers, then those of mates.
        self._strangers = len(axis.labels) ** 2
        self._subjects_of, self._mated_subjects_of = (
            _count_subjects(samples, axis, used_samples(comparisons, samples, mated))
            for mated in (False, True)
        )
        self._trials = self._settled(np.array(-np.inf, comparisons.scores.dtype))

    def rates(self, thresholds: Scores, dependence: float | None) -> CellRates:
        """Count at thresholds (rows,), plus infinity where a resample has none."""
        matches = self._matches(thresholds)
        trials = np.where(np.isposinf(thresholds), 0, self._trials)
        square = (-1, len(self._axis.labels), len(self._axis.labels))
        strangers, mates = slice(self._strangers), slice(self._strangers, None)
        return CellRates(
            self._axis.labels,
            matches[strangers].T.reshape(square),
            trials[strangers].T.reshape(square),
            (trials[mates] - matches[mates]).T,
            trials[mates].T,
            self._subjects_of,
            self._mated_subjects_of,
            dependence,
        )

    def _matches(self, thresholds: Scores) -> Counts:
        there = thresholds[thresholds < np.inf]
        if not len(there):
            return np.zeros_like(self._trials)
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

        slots = self._strangers + len(self._axis.labels)
        strangers, mates = (
            self._draws.count(
                len(self._comparisons), partial(chunk, mated=mated), slots, self._workers
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
        ones, others = self._axis.codes[references], self._axis.codes[probes]
        if mated:
            slots = np.where((ones >= 0) & (ones == others), self._strangers + ones, -1)
            return Chunk(slots, self._subjects[references], None), places
        cells = ones.astype(np.int64) * len(self._axis.labels) + others
        slots = np.where((ones >= 0) & (others >= 0), cells, -1)
        return Chunk(slots, self._subjects[references], self._subjects[probes]), places


def _count_subjects(samples: Samples, axis: Axis, used: NDArray[np.bool_]) -> Counts:
    there = used & (axis.codes >= 0)
    people = np.unique(np.stack([axis.codes[there], samples.subjects[there]]), axis=1)
    return np.bincount(people[0], minlength=len(axis.labels))
