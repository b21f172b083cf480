"""From the scores of strangers to a table of what a score means."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest

_KNOTS_A_DECADE = 8
# Nearly all strangers reach low scores, where steps of decades are too coarse.
_KNOTS_NEAR_ONE = (0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
# Rule of 30 (Doddington): 30 errors give a rate to within 30% at 90% confidence.
_ERRORS_NEEDED = 30
# Scores are counted in bins this fine, so that any number of them fits in memory.
_BIN = 1e-4


class ScoreCounts:
    """Counts scores in fine bins, however many there are."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.total = 0

    def add(self, scores: NDArray[np.floating]) -> None:
        """Count (n,) scores.

        Raises:
            InvalidRequest: one of them is not a finite number.
        """
        if not np.isfinite(scores).all():
            raise InvalidRequest("scores of strangers have to be finite numbers: embed again")
        bins, counts = np.unique(np.floor(scores / _BIN).astype(np.int64), return_counts=True)
        for bin_, count in zip(bins.tolist(), counts.tolist(), strict=True):
            self._counts[bin_] = self._counts.get(bin_, 0) + count
        self.total += len(scores)

    def knots(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Give ascending scores and the share of all scores that reach each, down to 30 of them.

        The upper edge of a bin stands for it, so a rate is never said to be less than it is.

        Raises:
            InvalidRequest: there are too few scores for a table.
        """
        bins = np.array(sorted(self._counts, reverse=True), np.int64)
        reached = np.cumsum([self._counts[bin_] for bin_ in bins.tolist()])
        least = _ERRORS_NEEDED / max(self.total, 1)
        if self.total < 10 * _ERRORS_NEEDED or len(bins) < 3:
            raise InvalidRequest(
                f"at least {10 * _ERRORS_NEEDED} different comparisons of strangers are needed,"
                f" these are {self.total}: give pictures of more people"
            )
        decades = -np.log10(least)
        wanted = np.logspace(np.log10(least), 0, int(np.ceil(decades * _KNOTS_A_DECADE)) + 1)
        wanted = np.union1d(wanted, _KNOTS_NEAR_ONE)
        chosen = np.unique(np.searchsorted(reached, np.floor(wanted * self.total), side="left"))
        chosen = np.union1d(chosen[chosen < len(bins)], [len(bins) - 1])[::-1]
        scores = (bins[chosen] + 1) * _BIN
        fmrs = reached[chosen] / self.total
        return tuple(scores.round(6).tolist()), tuple(fmrs.tolist())


def count_scores(batches: Iterable[NDArray[np.floating]]) -> ScoreCounts:
    """Count the scores of any number of batches."""
    counts = ScoreCounts()
    for batch in batches:
        counts.add(batch)
    return counts
