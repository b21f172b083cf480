"""Searches of a gallery, and their error rates: FPIR, FNIR and hit rates (ISO/IEC 19795-1).

A search that failed, because the probe has no template, is a search: a miss where its subject is
enrolled, and no false positive where not.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation.rates import threshold_at_fmr


class Share(NamedTuple):
    """So many of so many trials."""

    number: int
    trials: int

    @property
    def value(self) -> float | None:
        """The share as a number; None of no trials."""
        return self.number / self.trials if self.trials else None


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """p searches of one gallery; higher scores are more alike.

    `probes` is (p,) int32, numbers of samples; `mated` (p,) bool is whether the probe's subject is
    enrolled. `mate_scores` is (p,), that of the best mate within the list, minus infinity where
    there is none, or no template; `mate_ranks` (p,) int32 is its rank from 1, counted after every
    non-mate of the same score, 0 for none. `other_scores` is (p,), the best non-mate's, minus
    infinity for none. `gallery` is how many references were searched (N), `subjects` of how many
    people, `depth` how long candidate lists are (L).

    Raises:
        InvalidRequest: a score is NaN or plus infinity, or they are not as many as each other.
    """

    probes: NDArray[np.int32]
    mated: NDArray[np.bool_]
    mate_scores: NDArray[np.floating]
    mate_ranks: NDArray[np.int32]
    other_scores: NDArray[np.floating]
    gallery: int
    subjects: int
    depth: int

    def __post_init__(self) -> None:
        """Refuse what cannot be counted."""
        columns = (
            self.probes,
            self.mated,
            self.mate_scores,
            self.mate_ranks,
            self.other_scores,
        )
        sizes = {len(column) for column in columns}
        if len(sizes) > 1:
            raise InvalidRequest(f"Not the same number of searches and scores: {sorted(sizes)}.")
        for scores in (self.mate_scores, self.other_scores):
            # False of NaN, too.
            if not (scores < np.inf).all():
                raise InvalidRequest(
                    "Some scores of searches are NaN or infinite. Mark searches that failed as"
                    " failed."
                )

    def __len__(self) -> int:
        """Count them."""
        return len(self.probes)


def fpir(searches: Searches, threshold: float) -> Share:
    """Count searches for strangers that have a candidate at the threshold or above, of all such."""
    others = searches.other_scores[~searches.mated]
    # A list without candidates has none at a threshold of minus infinity either.
    found = (others >= threshold) & (others > -np.inf)
    return Share(int(np.count_nonzero(found)), len(others))


def fnir(searches: Searches, threshold: float = -math.inf, rank: int | None = None) -> Share:
    """Count mated searches whose mate is outside the first `rank` or below the threshold, of all.

    Identification mode sets a threshold by FPIR and no rank: a mate anywhere in the list counts.
    Investigation mode sets a rank and no threshold. A mate that ties with a non-mate comes after
    it.
    """
    mated = searches.mated
    ranks = searches.mate_ranks[mated]
    found = (ranks > 0) & (searches.mate_scores[mated] >= threshold)
    if rank is not None:
        found &= ranks <= rank
    return Share(int(np.count_nonzero(~found)), len(ranks))


def threshold_at_fpir(searches: Searches, target: float) -> float:
    """Give the lowest score seen whose own FPIR is at most `target`; just above all if none is.

    Scores seen are those of the best candidates of strangers. Where no stranger has any candidate,
    every threshold does, and the lowest of a mate is given.

    Raises:
        InvalidRequest: there is no search for a stranger, or no search has any candidate.
    """
    every = searches.other_scores[~searches.mated]
    if not len(every):
        raise InvalidRequest(
            "No search is for somebody who is not enrolled, so there is no FPIR. Leave some people"
            " out of the gallery."
        )
    if not (every > -np.inf).any():
        mates = searches.mate_scores[searches.mate_scores > -np.inf]
        if not len(mates):
            raise InvalidRequest(
                "No search has any candidate, so there is no threshold. Look at what failed."
            )
        return float(mates.min())
    return threshold_at_fmr(every, target)


def hit_rates(searches: Searches, depth: int | None = None) -> tuple[Share, ...]:
    """Count, for rank 1 to `depth`, mated searches whose mate is within that rank (the CMC).

    Whatever the score of the mate. `depth` is that of the lists, where none is given.
    """
    depth = searches.depth if depth is None else depth
    ranks = searches.mate_ranks[searches.mated]
    within = np.bincount(np.clip(ranks, 0, depth + 1), minlength=depth + 2)
    hits = np.cumsum(within[1 : depth + 1])
    return tuple(Share(int(count), len(ranks)) for count in hits)


class SearchCurve(NamedTuple):
    """FPIR and FNIR at thresholds, which descend; all are (k,) float64."""

    thresholds: NDArray[np.float64]
    fpirs: NDArray[np.float64]
    fnirs: NDArray[np.float64]


def search_curve(
    searches: Searches, rank: int | None = None, most_points: int = 500
) -> SearchCurve:
    """Trade FPIR for FNIR, at scores that candidates of strangers have.

    Every score of the tail is kept, others are thinned to no more than `most_points`. Empty where
    there are no mated searches, or none for strangers.
    """
    others = searches.other_scores[~searches.mated]
    mated = searches.mated
    if not len(others) or not mated.any():
        none = np.empty(0)
        return SearchCurve(none, none, none)
    ranks = searches.mate_ranks[mated]
    found = (ranks > 0) & ((ranks <= rank) if rank is not None else True)
    mates = np.sort(np.where(found, searches.mate_scores[mated], -np.inf))
    thresholds, counts = np.unique(others[others > -np.inf], return_counts=True)
    thresholds, reached = thresholds[::-1], np.cumsum(counts[::-1])
    kept = _thinned(reached, most_points)
    thresholds = thresholds[kept]
    missed = np.asarray(np.searchsorted(mates, thresholds, side="left"), np.float64)
    return SearchCurve(
        thresholds.astype(np.float64), reached[kept] / len(others), missed / len(mates)
    )


def _thinned(reached: NDArray[np.integer], most_points: int) -> NDArray[np.integer]:
    """Choose points of ascending counts: the first ones all, the rest evenly by their logarithm."""
    if len(reached) <= most_points:
        return np.arange(len(reached))
    head = np.arange(most_points // 2)
    logs = np.log(reached)
    wanted = np.linspace(logs[len(head)], logs[-1], most_points - len(head))
    rest = np.minimum(np.searchsorted(logs, wanted), len(reached) - 1)
    return np.unique(np.concatenate([head, rest]))
