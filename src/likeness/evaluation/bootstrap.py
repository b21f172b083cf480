"""Intervals by drawing subjects with replacement, the threshold set anew in each draw.

Comparisons of one subject depend on each other, so subjects are drawn, not comparisons (Bolle,
Ratha and Pankanti, Error Analysis of Pattern Recognition Systems: the Subsets Bootstrap, Computer
Vision and Image Understanding 2004). With subject i drawn w_i times,

- a mated comparison counts w_i times: each copy of the subject brings its own comparisons, and
  a copy is not compared with another copy, which would be the same pictures again;
- a non-mated comparison of i and j counts w_i * w_j times: every copy of one meets every copy of
  the other (Owen, The Pigeonhole Bootstrap, Annals of Applied Statistics 2007).

Intervals of FMR are on the safe side: what belongs to single pairs counts three times in their
variance (Owen's theorem), so where subjects make no difference they are 1.7 times too wide. Where
no error was seen every resample has none, and percentiles would end at zero: `error_tables` has
which end such an interval is given.

Of 200 populations of 100 people with normal scores, 95% intervals of FMR, FNMR, their thresholds
and groups held the truth in 93 to 100%, and where half of the variance of strangers' scores is that
of people, in 90 to 97% (`tests/evaluation/test_coverage_of_intervals.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation.comparisons import Axis, Comparisons, Samples
from likeness.evaluation.draws import Chunk, Draws
from likeness.evaluation.error_tables import (
    ErrorTables,
    Values,
    bounded,
    bounded_interval,
    edges_between,
    independent_trials,
    intervals_of,
)
from likeness.evaluation.intervals import Interval
from likeness.evaluation.resampled_groups import CellRates, count_groups, used_samples


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """Rates of comparisons in resamples of their subjects; arrays (rows,) unless said otherwise.

    The first row is of the data themselves, the next are of the data with one of 50 groups of
    people left out, and the others of R draws: `interval` wants them so. `targets` are the FMRs and
    `fixed` the thresholds at which groups were counted.
    """

    targets: tuple[float, ...]
    fixed: tuple[float, ...]
    _tables: ErrorTables
    _cells: Mapping[tuple[str, str, float], CellRates]
    _subjects: int
    _mated_subjects: int

    def threshold(self, target: float) -> Values:
        """Give each resample's own threshold for a target FMR."""
        return self._tables.thresholds(self._places(target))

    def fmr_at(self, target: float) -> Values:
        """Give the FMR at each resample's own threshold: at most the target."""
        return self._tables.rates_at(self._tables.nonmated, self._places(target))

    def fnmr_at(self, target: float) -> Values:
        """Give the FNMR at each resample's own threshold for a target FMR."""
        return 1.0 - self._tables.rates_at(self._tables.mated, self._places(target))

    def fmr_at_threshold(self, threshold: float) -> Values:
        """Give the FMR at one threshold."""
        return self._tables.rates_reaching(self._tables.nonmated, threshold)

    def fnmr_at_threshold(self, threshold: float) -> Values:
        """Give the FNMR at one threshold."""
        return 1.0 - self._tables.rates_reaching(self._tables.mated, threshold)

    @property
    def equal_error(self) -> Values:
        """Give the equal error rate."""
        return self._tables.equal_errors()

    def det(self, fmrs: Sequence[float], confidence: float = 0.95) -> tuple[Values, Values]:
        """Give the band of FNMR at each of some FMRs: lows and highs."""
        places = self._tables.places(fmrs)
        rates = [1.0 - self._tables.rates_at(self._tables.mated, column) for column in places.T]
        ends = intervals_of(np.array(rates).T, confidence)
        return bounded(ends, self._mated_subjects, confidence)

    def fmr_interval_at(self, target: float, confidence: float = 0.95) -> Interval:
        """Give the interval of `fmr_at`."""
        place = int(self._places(target)[0])
        return self._fmr_interval(self.fmr_at(target), place, confidence)

    def fnmr_interval_at(self, target: float, confidence: float = 0.95) -> Interval:
        """Give the interval of `fnmr_at`."""
        return self._fnmr_interval(self.fnmr_at(target), confidence)

    def fmr_interval_at_threshold(self, threshold: float, confidence: float = 0.95) -> Interval:
        """Give the interval of `fmr_at_threshold`."""
        place = self._tables.place_of(threshold)
        return self._fmr_interval(self.fmr_at_threshold(threshold), place, confidence)

    def fnmr_interval_at_threshold(self, threshold: float, confidence: float = 0.95) -> Interval:
        """Give the interval of `fnmr_at_threshold`."""
        return self._fnmr_interval(self.fnmr_at_threshold(threshold), confidence)

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

    def _fmr_interval(self, values: Values, place: int, confidence: float) -> Interval:
        subjects = np.array(self._subjects)
        dependence = self._tables.dependence(place, self._subjects)
        alike = independent_trials(
            self._tables.nonmated[0, 0], subjects, subjects, True, dependence
        )
        return bounded_interval(values, float(alike), confidence)

    def _fnmr_interval(self, values: Values, confidence: float) -> Interval:
        return bounded_interval(values, self._mated_subjects, confidence)

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
    # A failure reaches no threshold, be it as low as it will.
    lowest = np.finfo(kind).min
    fixed = np.array([max(kind(threshold), lowest) for threshold in thresholds], kind)
    edges = edges_between(comparisons.nonmated_scores, comparisons.mated_scores, targets, fixed)

    def chunk(part: slice, mated: bool) -> Chunk:
        chosen = np.flatnonzero(comparisons.mated[part] == mated)
        slots = np.searchsorted(edges, comparisons.scores[part][chosen], "right") - 1
        ones = samples.subjects[comparisons.references[part][chosen]]
        others = samples.subjects[comparisons.probes[part][chosen]]
        return Chunk(slots, ones, None if mated else others)

    strangers, mates = (
        draws.count(len(comparisons), partial(chunk, mated=mated), len(edges), workers)
        for mated in (False, True)
    )
    tables = ErrorTables.of(edges, strangers, mates)
    nonmated_subjects, mated_subjects = (
        samples.subjects[used_samples(comparisons, samples, mated)] for mated in (False, True)
    )
    subjects = len(np.unique(nonmated_subjects))
    cells: dict[tuple[str, str, float], CellRates] = {}
    at = {
        ("threshold", threshold): np.full(draws.columns, same)
        for threshold, same in zip(thresholds, fixed, strict=True)
    }
    for target, places in zip(targets, tables.places(targets).T, strict=True):
        at["target", target] = np.where(places >= 0, edges[places], np.inf).astype(edges.dtype)
    for counting in count_groups(comparisons, samples, axes, draws, workers):
        for (how, where), each in at.items():
            dependence = tables.dependence(tables.place_of(each[0]), subjects)
            for name, rates in counting.rates(each, dependence):
                cells[name, how, where] = rates
    return Resampled(
        tuple(targets),
        tuple(thresholds),
        tables,
        cells,
        subjects,
        len(np.unique(mated_subjects)),
    )
