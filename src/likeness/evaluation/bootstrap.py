"""Intervals by drawing subjects with replacement, the threshold set anew in each draw.

Comparisons of one subject depend on each other, so subjects are drawn, not comparisons (Bolle,
Ratha and Pankanti, Error Analysis of Pattern Recognition Systems: the Subsets Bootstrap, Computer
Vision and Image Understanding 2004). With subject i drawn w_i times,

- a mated comparison counts w_i times: each copy of the subject brings its own comparisons, and
  a copy is not compared with another copy, which would be the same pictures again;
- a non-mated comparison of i and j counts w_i * w_j times: every copy of one meets every copy of
  the other (Owen, The Pigeonhole Bootstrap, Annals of Applied Statistics 2007).

Such intervals are never too narrow for want of counting dependence. Where subjects have nothing to
do with scores, those of FMR are too wide, by a factor of 1.7 at most (Owen's theorem: the part of
the variance that belongs to single pairs counts three times).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation.comparisons import Axis, Comparisons, Samples
from likeness.evaluation.draws import CHUNK, Chunk, Draws

Scores = NDArray[np.floating]
Values = NDArray[np.float64]

# So many of the highest non-mated and lowest mated scores are told apart; beyond, scores whose
# ranks differ by less than one in so many are counted together.
_EXACT = 256


def interval(values: Values, confidence: float = 0.95) -> tuple[float, float]:
    """Give the interval of (R,) resampled values: percentiles, rounded outwards.

    Resamples in which there is no value (NaN) are left out; of none comes NaN.
    """
    lows, highs = intervals(values, confidence)
    return float(lows), float(highs)


def intervals(values: Values, confidence: float = 0.95) -> tuple[Values, Values]:
    """Give the intervals of (R, ...) resampled values, each as `interval` does."""
    flat = np.sort(values.reshape(len(values), -1), axis=0)
    there = np.count_nonzero(~np.isnan(flat), axis=0)
    tail = (1.0 - confidence) / 2.0
    low = np.floor(tail * (there - 1)).astype(int).clip(0)
    high = np.ceil((1.0 - tail) * (there - 1)).astype(int).clip(0)
    columns = np.arange(flat.shape[1])
    shape = values.shape[1:]
    return flat[low, columns].reshape(shape), flat[high, columns].reshape(shape)


@dataclass(frozen=True, slots=True, eq=False)
class CellRates:
    """Errors of G groups in R resamples, at each resample's threshold; row 0 is the data's own.

    `nonmated_errors` and `nonmated_trials` are (R + 1, G, G), by groups of reference and probe.
    `mated_errors` and `mated_trials` are (R + 1, G), of pairs of which both samples are in the
    group. A resample without a threshold has no trials.
    """

    labels: tuple[str, ...]
    nonmated_errors: NDArray[np.int64]
    nonmated_trials: NDArray[np.int64]
    mated_errors: NDArray[np.int64]
    mated_trials: NDArray[np.int64]

    @property
    def cross_fmrs(self) -> Values:
        """FMR by groups of reference and probe, (R, G, G); NaN where there are no such pairs."""
        return _shares(self.nonmated_errors, self.nonmated_trials)[1:]

    @property
    def fmrs(self) -> Values:
        """FMR of strangers who are both of the group, (R, G)."""
        return np.diagonal(self.cross_fmrs, axis1=1, axis2=2)

    @property
    def fnmrs(self) -> Values:
        """FNMR, (R, G)."""
        return _shares(self.mated_errors, self.mated_trials)[1:]

    @property
    def same_group(self) -> Values:
        """FMR of all strangers of one group, (R,)."""
        errors, trials = (
            np.trace(counts, axis1=1, axis2=2)
            for counts in (self.nonmated_errors, self.nonmated_trials)
        )
        return _shares(errors, trials)[1:]

    def symmetric(self) -> "CellRates":
        """Put cells (i, j) and (j, i) together, as `GroupCounts.symmetric` does."""
        within = np.eye(len(self.labels), dtype=np.int64)
        errors, trials = (
            counts + counts.transpose(0, 2, 1) - counts * within
            for counts in (self.nonmated_errors, self.nonmated_trials)
        )
        return replace(self, nonmated_errors=errors, nonmated_trials=trials)


@dataclass(frozen=True, slots=True, eq=False)
class _Tables:
    # Counts of scores that reach each of B ascending edges, in the data (row 0) and R resamples.
    edges: Scores
    nonmated: NDArray[np.int64]
    mated: NDArray[np.int64]

    def places(self, targets: Sequence[float]) -> NDArray[np.int64]:
        """Give the edge that is each resample's threshold, (R + 1, targets); -1 for none.

        The rule of `threshold_at_fmr`: the lowest score of the resample whose own rate is at most
        the target, else just above the highest.
        """
        last = len(self.edges) - 1
        found = np.full((len(self.nonmated), len(targets)), -1)
        for row, counts in enumerate(self.nonmated):
            descending = counts[::-1]
            total = int(descending[-1])
            if total == 0:
                continue
            allowed = [min(math.floor(target * total), total) for target in targets]
            place = np.searchsorted(descending, allowed, "right") - 1
            reached = descending[place]
            place = np.where(reached > 0, np.searchsorted(descending, reached, "left"), place)
            found[row] = last - place
        return found

    def thresholds(self, places: NDArray[np.int64]) -> Values:
        return np.where(places >= 0, self.edges[places].astype(np.float64), np.nan)

    def rates_at(self, counts: NDArray[np.int64], places: NDArray[np.int64]) -> Values:
        """Share of scores that reach the edges at `places` (R + 1,)."""
        reached = counts[np.arange(len(counts)), places]
        return np.where(places >= 0, _shares(reached, counts[:, 0]), np.nan)

    def rates_reaching(self, counts: NDArray[np.int64], threshold: float) -> Values:
        """Share of scores that reach any threshold; between edges, interpolated."""
        # As a score is compared with it: in the scores' own type.
        at = self.edges.dtype.type(threshold)
        above = int(np.searchsorted(self.edges, at, "left"))
        if above == len(self.edges):
            return _shares(np.zeros(len(counts)), counts[:, 0])
        upper, lower = counts[:, above], counts[:, max(above - 1, 0)]
        high, low = self.edges[above], self.edges[max(above - 1, 0)]
        share = 0.0 if at == high or low == -np.inf else (high - at) / (high - low)
        return _shares(upper + float(share) * (lower - upper), counts[:, 0])

    def equal_errors(self) -> Values:
        """Give the mean of both rates where they differ least."""
        found = np.full(len(self.nonmated), np.nan)
        for row, (strangers, mates) in enumerate(zip(self.nonmated, self.mated, strict=True)):
            if strangers[0] and mates[0]:
                fmr, fnmr = strangers / strangers[0], 1.0 - mates / mates[0]
                place = int(np.argmin(np.abs(fmr - fnmr)))
                found[row] = (fmr[place] + fnmr[place]) / 2.0
        return found


def _shares(counts: NDArray[np.integer] | Values, totals: NDArray[np.int64]) -> Values:
    return np.divide(counts, totals, out=np.full(np.shape(counts), np.nan), where=totals > 0)


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """Rates of comparisons in R resamples of their subjects; arrays (R,) unless said otherwise.

    `targets` are the FMRs and `fixed` the thresholds at which groups were counted.
    """

    targets: tuple[float, ...]
    fixed: tuple[float, ...]
    _tables: _Tables
    _cells: Mapping[tuple[str, str, float], CellRates]

    def threshold(self, target: float) -> Values:
        """Give each resample's own threshold for a target FMR."""
        return self._tables.thresholds(self._places(target))[1:]

    def fmr_at(self, target: float) -> Values:
        """Give the FMR at each resample's own threshold: at most the target."""
        return self._tables.rates_at(self._tables.nonmated, self._places(target))[1:]

    def fnmr_at(self, target: float) -> Values:
        """Give the FNMR at each resample's own threshold for a target FMR."""
        return 1.0 - self._tables.rates_at(self._tables.mated, self._places(target))[1:]

    def fmr_at_threshold(self, threshold: float) -> Values:
        """Give the FMR at one threshold."""
        return self._tables.rates_reaching(self._tables.nonmated, threshold)[1:]

    def fnmr_at_threshold(self, threshold: float) -> Values:
        """Give the FNMR at one threshold."""
        return 1.0 - self._tables.rates_reaching(self._tables.mated, threshold)[1:]

    @property
    def equal_error(self) -> Values:
        """Give the equal error rate."""
        return self._tables.equal_errors()[1:]

    def det(self, fmrs: Sequence[float], confidence: float = 0.95) -> tuple[Values, Values]:
        """Give the band of FNMR at each of some FMRs: lows and highs."""
        places = self._tables.places(fmrs)
        rates = [1.0 - self._tables.rates_at(self._tables.mated, column) for column in places.T]
        return intervals(np.array(rates).T[1:], confidence)

    def cells(self, target: float, axis: str = "") -> CellRates:
        """Give the rates of groups at each resample's threshold for one of the targets.

        `axis` is the name of one; the only one without.

        Raises:
            InvalidRequest: groups were not counted at this target.
        """
        return self._counted("target", target, axis)

    def cells_at_threshold(self, threshold: float, axis: str = "") -> CellRates:
        """Give the rates of groups at one of the fixed thresholds; `axis` as in `cells`.

        Raises:
            InvalidRequest: groups were not counted at this threshold.
        """
        return self._counted("threshold", threshold, axis)

    def interval(self, values: Values, confidence: float = 0.95) -> tuple[float, float]:
        """Give the interval of (R,) values: `interval`."""
        return interval(values, confidence)

    def _places(self, target: float) -> NDArray[np.int64]:
        return self._tables.places([target])[:, 0]

    def _counted(self, kind: str, at: float, axis: str) -> CellRates:
        chosen = [
            cells
            for (name, how, where), cells in self._cells.items()
            if (how, where) == (kind, at) and axis in ("", name)
        ]
        if len(chosen) != 1:
            raise InvalidRequest(
                f"Groups of {axis or 'one axis'} were not counted at the {kind} {at:g}. Name it,"
                " and the axis, when resampling."
            )
        return chosen[0]


def resample(
    comparisons: Comparisons,
    samples: Samples,
    axes: Sequence[Axis] = (),
    *,
    targets: Sequence[float],
    thresholds: Sequence[float] = (),
    resamples: int = 1000,
    seed: int = 0,
    workers: int = 2,
) -> Resampled:
    """Draw subjects with replacement, again and again, and count what came of each draw.

    Thresholds are exact among the 256 highest non-mated scores and at what the data themselves have
    for a target; elsewhere up to one in 256 more or fewer comparisons reach them, which is far less
    than they vary.

    Args:
        comparisons: what is counted; a failed one is no match.
        samples: whose they are.
        axes: groups to count as well, at each target and threshold.
        targets: FMRs; each resample has its own threshold for each.
        thresholds: thresholds that are the same in all resamples.
        resamples: R, how many draws.
        seed: the same seed draws the same subjects, whatever they are compared by.
        workers: how many threads count; the result is the same.

    Raises:
        InvalidRequest: there are no samples, no draws, or a rate is not between 0 and 1.
    """
    if not all(0.0 <= target <= 1.0 for target in targets):
        raise InvalidRequest(f"Not all of these are rates between 0 and 1: {list(targets)}.")
    draws = Draws.of(samples.subjects, resamples, seed)
    kind = comparisons.scores.dtype.type
    fixed = np.array([kind(threshold) for threshold in thresholds], comparisons.scores.dtype)
    edges = _edges(comparisons.nonmated_scores, comparisons.mated_scores, targets, fixed)
    tables = _count(comparisons, samples, draws, edges, workers)
    cells: dict[tuple[str, str, float], CellRates] = {}
    for axis in axes:
        counting = _CellCounting(comparisons, samples, axis, draws, workers)
        for target in targets:
            places = tables.places([target])[:, 0]
            cells[axis.name, "target", target] = counting.rates(
                np.where(places >= 0, edges[places], np.inf).astype(edges.dtype)
            )
        for threshold, same in zip(thresholds, fixed, strict=True):
            cells[axis.name, "threshold", threshold] = counting.rates(np.full(draws.columns, same))
    return Resampled(tuple(targets), tuple(thresholds), tables, cells)


def _edges(nonmated: Scores, mated: Scores, targets: Sequence[float], fixed: Scores) -> Scores:
    # Ascending scores between which comparisons are counted together; none lies below the first
    # and no non-mated one above the last.
    up = np.array(np.inf, nonmated.dtype)
    parts = [np.array([-np.inf], nonmated.dtype), fixed]
    if len(nonmated):
        nonmated.sort()
        ranks = len(nonmated) - 1 - _ranks(len(nonmated))
        highest = nonmated[ranks[:_EXACT]]
        parts += [nonmated[ranks], np.nextafter(highest, up)]
        for target in targets:
            allowed = math.floor(target * len(nonmated))
            if 0 < allowed < len(nonmated):
                # The first score that is too many, and the lowest above it.
                too_many = nonmated[len(nonmated) - allowed - 1]
                above = np.searchsorted(nonmated, too_many, "right")
                parts.append(nonmated[above : above + 1])
    if len(mated):
        mated.sort()
        parts.append(mated[_ranks(len(mated))])
    return np.unique(np.concatenate(parts))


def _ranks(count: int) -> NDArray[np.int64]:
    # Every one at first, then further and further apart.
    ranks, rank = [], 0
    while rank < count:
        ranks.append(rank)
        rank += max(1, rank // _EXACT)
    return np.array(ranks, np.int64)


def _count(
    comparisons: Comparisons, samples: Samples, draws: Draws, edges: Scores, workers: int
) -> _Tables:
    def chunk(part: slice, mated: bool) -> Chunk:
        chosen = np.flatnonzero(comparisons.mated[part] == mated)
        scores = comparisons.scores[part][chosen]
        slots = np.searchsorted(edges, scores, "right") - 1
        ones = samples.subjects[comparisons.references[part][chosen]]
        others = samples.subjects[comparisons.probes[part][chosen]]
        return Chunk(slots, ones, None if mated else others)

    nonmated, mated = (
        draws.count(len(comparisons), partial(chunk, mated=which), len(edges), workers)
        for which in (False, True)
    )
    return _Tables(edges, _reaching(nonmated), _reaching(mated))


def _reaching(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    # From (slots, columns) to (columns, edges): how many lie in a slot or above it.
    return np.ascontiguousarray(np.cumsum(counts[::-1], axis=0)[::-1].T)


class _CellCounting:
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
        self._trials = self._settled(np.array(-np.inf, comparisons.scores.dtype))

    def rates(self, thresholds: Scores) -> CellRates:
        """Count at thresholds (R + 1,), plus infinity where a resample has none."""
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
        )

    def _matches(self, thresholds: Scores) -> NDArray[np.int64]:
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

    def _settled(self, threshold: np.floating | Scores) -> NDArray[np.int64]:
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
