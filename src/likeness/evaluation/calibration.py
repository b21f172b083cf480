"""Makes tables of what a score means from the scores of strangers, a gallery's own among them.

What is too rare to be counted is extrapolated: `tail` has how.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation.tail import GROUPS, HEAVIEST_SHAPE, LIGHTEST_SHAPE, TopScores, extrapolate
from likeness.terms import IDENTICAL, Calibration, Cohort, Joining, TailRates

_KNOTS_A_DECADE = 8
# Nearly all strangers reach low scores, where steps of decades are too coarse.
_KNOTS_NEAR_ONE = (0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
# Rule of 30 (Doddington): 30 errors give a rate to within 30% at 90% confidence.
ERRORS_NEEDED = 30
# Scores are counted in bins this fine, so that any number of them fits in memory.
_BIN = 1e-4
# The tail is fitted to this share of all scores, and to no more than so many.
_TAIL_SHARE = 0.01
_MOST_IN_TAIL = 100_000
_LEAST_IN_TAIL = 60
_TAIL_KNOTS = 48
# From the last rate counted; further the tail is a guess.
DECADES = 2.0
_MISSES_KNOTS = 200
# The highest of so few pairs that a hundredth would be none.
_OWN_TAIL_SHARE = 0.05
_DECIDING_ERRORS = 1.25
"""The rate that decides lies so many standard errors above the tail's estimate.

docs/evenness.md has what more and fewer of them cost: false names on one side, misses on the other.
"""


class PairScores(NamedTuple):
    """Scores (n,) of pairs of strangers, and in which of `GROUPS` groups of people both are."""

    scores: NDArray[np.floating]
    ones: NDArray[np.integer]
    others: NDArray[np.integer]

    def only(self, chosen: NDArray[np.integer] | NDArray[np.bool_]) -> "PairScores":
        """Give some of them."""
        return PairScores(self.scores[chosen], self.ones[chosen], self.others[chosen])


class StrangerScores:
    """Counts the scores of strangers in fine bins, and keeps the highest, however many come."""

    def __init__(self, tail_share: float = _TAIL_SHARE) -> None:
        self._tail_share = tail_share
        self._counts: dict[int, int] = {}
        self._pairs = np.zeros((GROUPS, GROUPS), np.int64)
        self._highest: list[PairScores] = []
        self._kept = 0
        self._floor = -np.inf
        self.total = 0

    def add(self, pairs: PairScores) -> None:
        """Count scores.

        Raises:
            InvalidRequest: one of them is not a finite number.
        """
        scores = pairs.scores
        if not np.isfinite(scores).all():
            raise InvalidRequest("Not all scores of strangers are finite numbers. Embed again.")
        bins, counts = np.unique(np.floor(scores / _BIN).astype(np.int64), return_counts=True)
        for bin_, count in zip(bins.tolist(), counts.tolist(), strict=True):
            self._counts[bin_] = self._counts.get(bin_, 0) + count
        low, high = np.minimum(pairs.ones, pairs.others), np.maximum(pairs.ones, pairs.others)
        np.add.at(self._pairs, (low, high), 1)
        self.total += len(scores)
        high_enough = scores > self._floor
        self._highest.append(pairs.only(high_enough))
        self._kept += int(high_enough.sum())
        if self._kept > 4 * _MOST_IN_TAIL:
            self._keep_highest(2 * _MOST_IN_TAIL)

    def knots(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Give ascending scores and the share of all scores that reach each, down to 30 of them.

        The upper edge of a bin stands for it, so a rate is never said to be less than it is.

        Raises:
            InvalidRequest: there are too few scores for a table.
        """
        bins = np.array(sorted(self._counts, reverse=True), np.int64)
        reached = np.cumsum([self._counts[bin_] for bin_ in bins.tolist()])
        least = ERRORS_NEEDED / max(self.total, 1)
        if self.total < 10 * ERRORS_NEEDED or len(bins) < 3:
            raise InvalidRequest(
                f"Too few comparisons of strangers for a table: {self.total}. Give pictures of more"
                f" people, for at least {10 * ERRORS_NEEDED}."
            )
        decades = -np.log10(least)
        wanted = np.logspace(np.log10(least), 0, int(np.ceil(decades * _KNOTS_A_DECADE)) + 1)
        wanted = np.union1d(wanted, _KNOTS_NEAR_ONE)
        chosen = np.unique(np.searchsorted(reached, np.floor(wanted * self.total), side="left"))
        chosen = np.union1d(chosen[chosen < len(bins)], [len(bins) - 1])[::-1]
        scores = (bins[chosen] + 1) * _BIN
        fmrs = reached[chosen] / self.total
        return tuple(scores.round(6).tolist()), tuple(fmrs.tolist())

    def tail(
        self, start: float, lowest: float, errors: float, heaviest: float = HEAVIEST_SHAPE
    ) -> TailRates | None:
        """Say what rates there are beyond a score, down to `lowest`; None where nothing tells.

        `errors` is how many standard errors above the estimate the rate lies that decides,
        `heaviest` the shape that the tail may have.
        """
        top = self.top()
        if top is None:
            return None
        grid = np.linspace(start, IDENTICAL, 2000)[:-1]
        tail = extrapolate(top, grid, heaviest)
        deciding = np.maximum(np.minimum.accumulate(tail.bound(errors)), lowest)
        below = np.flatnonzero(deciding <= lowest)
        end = int(below[0]) if len(below) else len(grid) - 1
        chosen = np.unique(np.linspace(0, end, _TAIL_KNOTS).astype(int))
        # Where the bound is flat the rate stays what it was.
        chosen = chosen[np.concatenate([[True], np.diff(deciding[chosen]) < 0])]
        if len(chosen) < 2:
            return None
        columns = (deciding, tail.lows, tail.estimates, tail.highs)
        tiny = np.finfo(np.float64).tiny
        return TailRates(
            tuple(grid[chosen].round(6).tolist()),
            *(tuple(np.clip(column[chosen], tiny, 1.0).tolist()) for column in columns),
        )

    def top(self) -> TopScores | None:
        """Give the highest scores, which the tail is fitted to; None where there are too few."""
        wanted = min(max(int(self._tail_share * self.total), _LEAST_IN_TAIL), _MOST_IN_TAIL)
        self._keep_highest(wanted + 1)
        (pairs,) = self._highest
        start = float(pairs.scores.min(initial=np.inf))
        above = pairs.scores > start
        if np.count_nonzero(above) < ERRORS_NEEDED:
            return None
        groups = np.stack([pairs.ones[above], pairs.others[above]], axis=1).astype(np.int8)
        return TopScores(pairs.scores[above], start, groups, self._pairs)

    def _keep_highest(self, count: int) -> None:
        joined = PairScores(
            np.concatenate([one.scores for one in self._highest]),
            np.concatenate([one.ones for one in self._highest]),
            np.concatenate([one.others for one in self._highest]),
        )
        if len(joined.scores) > count:
            chosen = np.argpartition(joined.scores, -count)[-count:]
            joined = joined.only(chosen)
            self._floor = float(joined.scores.min())
        self._highest, self._kept = [joined], len(joined.scores)


def groups_of(people: NDArray[np.integer], seed: int = 0) -> NDArray[np.int8]:
    """Deal people, (n,) numbers of whose each template is, into `GROUPS` groups: (n,)."""
    _, numbers = np.unique(people, return_inverse=True)
    order = np.random.default_rng(seed).permutation(int(numbers.max(initial=0)) + 1)
    return np.asarray(order[numbers] % GROUPS, np.int8)


def misses_of(mated: NDArray[np.floating]) -> tuple[tuple[float, float], ...]:
    """Give (score, FNMR), ascending, from the (n,) scores of pairs of one person."""
    if len(mated) < ERRORS_NEEDED:
        return ()
    ordered = np.sort(np.asarray(mated, np.float64))
    # Every one of the lowest, since rates of misses that are asked for are small.
    spread = np.linspace(0, len(ordered) - 1, _MISSES_KNOTS).astype(int)
    places = np.union1d(spread, np.arange(min(_MISSES_KNOTS, len(ordered))))
    knots: dict[float, float] = {}
    for place in places.tolist():
        score = float(ordered[place])
        knots.setdefault(round(score, 6), float(np.searchsorted(ordered, score)) / len(ordered))
    return tuple(knots.items())


def calibrate_own_strangers(
    joining: Joining, cohort: Cohort, known: Calibration
) -> tuple[Calibration, ...]:
    """Say what own and plain scores mean among those who join a cohort: two calibrations.

    Args:
        joining: one reference each of at least 30 people.
        cohort: what they join.
        known: what scores mean among any strangers.

    Raises:
        InvalidRequest: too few of their pairs are different people's.
    """
    one, other = np.triu_indices(len(joining.vectors), 1)
    groups = groups_of(np.arange(len(joining.vectors)))

    def calibrated(scores: NDArray[np.float64]) -> Calibration:
        upper = scores[one, other]
        strangers = np.isfinite(upper)
        counts = StrangerScores(_OWN_TAIL_SHARE)
        counts.add(PairScores(upper[strangers], groups[one][strangers], groups[other][strangers]))
        knots, fmrs = counts.knots()
        lowest = 1 / counts.total / 10**DECADES
        return Calibration(
            known.model,
            known.cohort_version,
            knots,
            fmrs,
            counts.total,
            f"{len(joining.vectors)} people of the collection itself",
            counts.tail(knots[-1], lowest, _DECIDING_ERRORS, LIGHTEST_SHAPE),
            known.misses,
            one_person=known.one_person,
        )

    own, plain = (calibrated(scores) for scores in joining.pair_scores(cohort))
    return replace(own, misses=_moved(known.misses, plain, own)), plain


def _moved(
    misses: tuple[tuple[float, float], ...], plain: Calibration, own: Calibration
) -> tuple[tuple[float, float], ...]:
    """Say of own scores what pairs of one person miss: at the score that strangers reach as often.

    Nobody has pairs of one person here. Beyond the least rate known the most misses stand.
    """
    rates: dict[float, float] = {}
    for score, rate in misses:
        rates[own.point(max(plain.fmr(score), own.lowest_fmr)).threshold] = rate
    return tuple(sorted(rates.items()))
