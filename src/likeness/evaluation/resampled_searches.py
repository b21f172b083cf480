"""Intervals of search rates, by drawing the people who are searched for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from likeness.evaluation.comparisons import Samples
from likeness.evaluation.draws import Chunk, Draws
from likeness.evaluation.error_tables import (
    ErrorTables,
    Values,
    bounded,
    bounded_interval,
    edges_between,
    intervals_of,
)
from likeness.evaluation.intervals import Interval
from likeness.evaluation.rates import Scores, rates_of
from likeness.evaluation.searches import Searches


@dataclass(frozen=True, slots=True, eq=False)
class ResampledSearches:
    """Rates of searches in resamples of their subjects; rows as in `Resampled`.

    `hit_rates` is (rows, depth): the share of mated searches whose mate is within each rank.
    """

    hit_rates: Values
    _tables: ErrorTables
    _nonmated_subjects: int
    _mated_subjects: int

    def threshold(self, target: float) -> Values:
        """Give each resample's own threshold for a target FPIR; NaN without non-mated searches."""
        return self._tables.thresholds(self._tables.places([target])[:, 0])

    def fpir_at(self, target: float) -> Values:
        """Give the FPIR at each resample's own threshold: at most the target."""
        places = self._tables.places([target])[:, 0]
        return self._tables.rates_at(self._tables.nonmated, places)

    def fnir_at(self, target: float) -> Values:
        """Give the FNIR at each resample's own threshold for a target FPIR."""
        return 1.0 - self._tables.rates_at(self._tables.mated, self._tables.places([target])[:, 0])

    def fpir_at_threshold(self, threshold: float) -> Values:
        """Give the FPIR at one threshold."""
        return self._tables.rates_reaching(self._tables.nonmated, threshold)

    def fnir_at_threshold(self, threshold: float) -> Values:
        """Give the FNIR at one threshold."""
        return 1.0 - self._tables.rates_reaching(self._tables.mated, threshold)

    def fpir_interval_at_threshold(self, threshold: float, confidence: float = 0.95) -> Interval:
        """Give the interval of `fpir_at_threshold`."""
        return bounded_interval(
            self.fpir_at_threshold(threshold), self._nonmated_subjects, confidence
        )

    def fnir_interval_at(self, target: float, confidence: float = 0.95) -> Interval:
        """Give the interval of `fnir_at`."""
        return bounded_interval(self.fnir_at(target), self._mated_subjects, confidence)

    def fnir_interval_at_threshold(self, threshold: float, confidence: float = 0.95) -> Interval:
        """Give the interval of `fnir_at_threshold`."""
        return bounded_interval(self.fnir_at_threshold(threshold), self._mated_subjects, confidence)

    def hit_rate_interval(self, rank: int, confidence: float = 0.95) -> Interval:
        """Give the interval of the hit rate of a rank, from 1."""
        return bounded_interval(self.hit_rates[:, rank - 1], self._mated_subjects, confidence)

    def tradeoff(self, fpirs: Sequence[float], confidence: float = 0.95) -> tuple[Values, Values]:
        """Give the band of FNIR at each of some FPIRs: lows and highs."""
        places = self._tables.places(fpirs)
        rates = [1.0 - self._tables.rates_at(self._tables.mated, column) for column in places.T]
        ends = intervals_of(np.array(rates).T, confidence)
        return bounded(ends, self._mated_subjects, confidence)


def resample_searches(
    searches: Searches,
    samples: Samples,
    *,
    rank: int | None = None,
    thresholds: Sequence[float] = (),
    targets: Sequence[float] = (),
    resamples: int = 1000,
    seed: int = 0,
    workers: int = 2,
) -> ResampledSearches:
    """Draw those who are searched for with replacement, and count what came of each draw.

    A search counts as often as its subject is drawn. The gallery stays as it is: intervals are of
    rates of this gallery, searched for other people like these. Where no error was seen, an
    interval ends at 3 over the number of people (rule of 3), and where all were, 3 over it from 1.

    Args:
        searches: what is counted; a failed one finds nobody.
        samples: whose they are.
        rank: mates beyond it are misses; the whole list counts without.
        thresholds: thresholds at which rates will be exact.
        targets: FPIRs for which the data's own threshold will be exact; others are to one part in
            256 of the searches that reach them.
        resamples: how many draws.
        seed: the same seed draws the same subjects.
        workers: how many threads count.

    Raises:
        InvalidRequest: there are no samples, or no draws.
    """
    draws = Draws.of(samples.subjects, resamples, seed)
    subjects = samples.subjects[searches.probes]
    found = searches.mate_ranks > 0
    if rank is not None:
        found &= searches.mate_ranks <= rank
    mates = np.where(found, searches.mate_scores, -np.inf).astype(searches.mate_scores.dtype)
    kind = np.result_type(mates, searches.other_scores)
    scores: Scores = np.where(searches.mated, mates, searches.other_scores).astype(kind)
    fixed = np.array([max(kind.type(one), np.finfo(kind).min) for one in thresholds], kind)
    edges = edges_between(scores[~searches.mated], scores[searches.mated], targets, fixed)

    def chunk(part: slice, mated: bool) -> Chunk:
        chosen = np.flatnonzero(searches.mated[part] == mated)
        slots = np.searchsorted(edges, scores[part][chosen], "right") - 1
        return Chunk(slots, subjects[part][chosen], None)

    def ranks(part: slice) -> Chunk:
        chosen = np.flatnonzero(searches.mated[part])
        # The last slot is for those whose mate is not in the list.
        places = np.where(searches.mate_ranks > 0, searches.mate_ranks - 1, searches.depth)
        return Chunk(np.minimum(places[part][chosen], searches.depth), subjects[part][chosen], None)

    nonmated, mated = (
        draws.count(len(searches), partial(chunk, mated=which), len(edges), workers)
        for which in (False, True)
    )
    by_rank = draws.count(len(searches), ranks, searches.depth + 1, workers)
    within = np.cumsum(by_rank, axis=0)
    return ResampledSearches(
        rates_of(within[:-1].T, within[-1:].T),
        ErrorTables.of(edges, nonmated, mated),
        *(len(np.unique(subjects[searches.mated == which])) for which in (False, True)),
    )
