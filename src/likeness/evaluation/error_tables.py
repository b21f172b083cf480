"""How many scores reach each threshold, in data and in resamples of their subjects.

Where no error was seen, no resample has one, and its interval would end at zero. Of n independent
trials without an error the rate is at most 3/n (rule of 3). Comparisons that share people are not
independent: n of them tell as much as n / D, where D, the design effect (Kish, Survey Sampling,
1965), is how many times larger the variance of FMR is among resamples of subjects than it would be
among independent comparisons. D - 1 grows as comparisons with the same person do, so that of a cell
follows from that of all comparisons: it is measured at the same threshold, or where fewer than 30
errors are there, at the highest one that has 30. Never are comparisons counted for less than those
of them that share nobody. Of mated comparisons one for each person counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation.calibration import ERRORS_NEEDED
from likeness.evaluation.curves import SortedScores
from likeness.evaluation.draws import FIRST_DRAW
from likeness.evaluation.intervals import Interval
from likeness.evaluation.rates import Counts, Scores, most_errors, rates_of

Values = NDArray[np.float64]

EXACT = 256
"""So many of the highest non-mated and of the lowest mated scores are told apart.

Beyond, scores are counted together whose ranks differ by less than one in so many.
"""


def interval(values: Values, confidence: float = 0.95) -> Interval:
    """Give the interval of a figure from its values in the data, without some, and in draws.

    Such values, rows as `Draws` has columns, are what `Resampled` gives, and what is computed of
    that row by row. The interval is Efron's BCa (Better Bootstrap Confidence Intervals, Journal of
    the American Statistical Association 1987): percentiles of the draws, moved for their bias and
    for how the spread depends on the figure, which leaving out people tells. Draws without a value
    (NaN) are left out; of none comes NaN.
    """
    lows, highs = intervals_of(values, confidence)
    return Interval(float(lows), float(highs))


def intervals_of(values: Values, confidence: float = 0.95) -> tuple[Values, Values]:
    """Give the intervals of (rows, ...) values, each as `interval` does: lows and highs."""
    # Imported late: it takes longer than everything else that a command imports.
    from scipy.special import ndtr, ndtri

    flat = values.reshape(len(values), -1)
    own, left_out, draws = flat[0], flat[1:FIRST_DRAW], np.sort(flat[FIRST_DRAW:], axis=0)
    there = np.count_nonzero(~np.isnan(draws), axis=0)
    below = np.count_nonzero(draws < own, axis=0) + np.count_nonzero(draws == own, axis=0) / 2.0
    # Of a figure that the data lack the middle of its draws is taken.
    below = np.where(np.isnan(own), there / 2.0, below)
    bias = ndtri(np.clip(below, 0.5, np.maximum(there - 0.5, 0.5)) / np.maximum(there, 1))
    moved = np.nan_to_num(own - left_out, nan=0.0, posinf=0.0, neginf=0.0)
    spread = np.sum(moved**2, axis=0) ** 1.5
    skew = np.divide(np.sum(moved**3, axis=0), 6.0 * spread, out=0.0 * spread, where=spread > 0)
    ends = []
    for share, outwards in (
        ((1.0 - confidence) / 2.0, np.floor),
        ((1.0 + confidence) / 2.0, np.ceil),
    ):
        z = bias + ndtri(share)
        # Beyond a pole there is nothing left to move to.
        place = ndtr(bias + z / np.maximum(1.0 - skew * z, 1e-3))
        rank = outwards(place * (there - 1)).astype(int).clip(0)
        ends.append(draws[rank, np.arange(len(own))])
    # A figure lies in its interval, however biased its draws are.
    known = ~np.isnan(own)
    lows = np.minimum(ends[0], own, out=ends[0], where=known)
    highs = np.maximum(ends[1], own, out=ends[1], where=known)
    return lows.reshape(values.shape[1:]), highs.reshape(values.shape[1:])


def edges_between(
    nonmated: Scores, mated: Scores, targets: Sequence[float], fixed: Scores
) -> Scores:
    """Choose the ascending scores between which scores are counted together.

    Failures alone lie below the second. No non-mated score lies above the last. The threshold that
    the data themselves have for each target is among them, and so are those that are `fixed` and
    the one at which both errors are as equal as they can be.
    Both arrays of scores are sorted in place.
    """
    kind = nonmated.dtype
    # In the scores' own type, or every search would copy them.
    down, up = np.array([-np.inf, np.inf], kind)
    parts = [np.array([down, np.finfo(kind).min], kind), fixed]
    for scores in (nonmated, mated):
        scores.sort()
    strangers, mates = (
        scores[np.searchsorted(scores, down, "right") :] for scores in (nonmated, mated)
    )
    if len(strangers):
        ranks = len(strangers) - 1 - _ranks(len(strangers))
        parts += [strangers[ranks], np.nextafter(strangers[ranks[:EXACT]], up)]
        allowed = most_errors(np.array(targets, np.float64), np.array(len(nonmated)))
        for count in allowed[allowed < len(strangers)].tolist():
            # The first score that is too many, and the lowest above it.
            too_many = strangers[len(strangers) - count - 1]
            above = int(np.searchsorted(strangers, too_many, "right"))
            parts.append(strangers[above : above + 1])
    if len(mates):
        parts.append(mates[_ranks(len(mates))])
    if len(strangers) and len(mates):
        equal = SortedScores(mated, nonmated).equal_error().threshold
        parts.append(np.array([equal], kind))
    return np.unique(np.concatenate(parts))


def _ranks(count: int) -> NDArray[np.int64]:
    # Every one at first, then further and further apart; the last always.
    ranks, rank = [count - 1], 0
    while rank < count:
        ranks.append(rank)
        rank += max(1, rank // EXACT)
    return np.unique(np.array(ranks, np.int64))


def independent_trials(
    trials: Counts,
    ones: Counts,
    others: Counts,
    within: bool | NDArray[np.bool_],
    dependence: float | None,
) -> Values:
    """Give how many independent non-mated comparisons tell as much as some that share people.

    Args:
        trials: how many comparisons there are.
        ones: of how many people the references are.
        others: of how many the probes are.
        within: whether both are of the same people.
        dependence: what `ErrorTables.dependence` gives.
    """
    apart = np.where(within, ones // 2, np.minimum(ones, others))
    least = np.minimum(np.maximum(apart, 1), trials)
    if dependence is None:
        return least.astype(np.float64)
    a_person = trials / np.maximum(ones, 1) + trials / np.maximum(others, 1)
    return np.maximum(trials / (1.0 + dependence * a_person), least)


def bounded(
    ends: tuple[Values, Values], trials: Counts | Values | int, confidence: float = 0.95
) -> tuple[Values, Values]:
    """Widen intervals of rates to what the rule of 3 allows where nothing, or all, was an error.

    `trials` are how many independent ones each rate is of.
    """
    lows, highs = ends
    least = np.minimum(-np.log(1.0 - confidence) / np.maximum(trials, 1e-9), 1.0)
    return np.minimum(lows, 1.0 - least), np.maximum(highs, least)


def bounded_interval(values: Values, trials: float, confidence: float) -> Interval:
    """Give the `interval` of (rows,) values of a rate, widened by `bounded`."""
    low, high = bounded(intervals_of(values, confidence), np.array(trials), confidence)
    return Interval(float(low), float(high))


@dataclass(frozen=True, slots=True, eq=False)
class ErrorTables:
    """How many scores reach each of B ascending edges: (rows, B), rows as `Draws` has columns.

    Column 0 holds all trials, failures among them, which reach nothing.
    """

    edges: Scores
    nonmated: Counts
    mated: Counts

    @classmethod
    def of(cls, edges: Scores, nonmated: Counts, mated: Counts) -> "ErrorTables":
        """Add up counts between edges, (B, rows)."""
        reaching = (
            np.ascontiguousarray(np.cumsum(counts[::-1], axis=0)[::-1].T)
            for counts in (nonmated, mated)
        )
        return cls(edges, *reaching)

    def places(self, targets: Sequence[float]) -> NDArray[np.int64]:
        """Give the edge that is each resample's threshold, (rows, targets); -1 for none.

        The rule of `threshold_at_fmr`: the lowest score of the resample whose own rate is at most
        the target, else just above the highest.
        """
        last = len(self.edges) - 1
        found = np.full((len(self.nonmated), len(targets)), -1)
        totals = self.nonmated[:, :1]
        allowed = most_errors(np.array(targets, np.float64), totals)
        for row in np.flatnonzero(totals):
            descending = self.nonmated[row, :0:-1]
            place = np.searchsorted(descending, allowed[row], "right") - 1
            reached = descending[place]
            place = np.where(reached > 0, np.searchsorted(descending, reached, "left"), place)
            found[row] = last - place
        return found

    def place_of(self, threshold: float) -> int:
        """Give the lowest edge that is at or above a threshold."""
        place = int(np.searchsorted(self.edges, self.edges.dtype.type(threshold), "left"))
        return min(max(place, 1), len(self.edges) - 1)

    def dependence(self, place: int, subjects: int) -> float | None:
        """Give by how much each comparison with the same person adds to the design effect.

        Args:
            place: the edge at which errors are looked at.
            subjects: how many people are in non-mated comparisons.

        Returns:
            (D - 1) for each comparison of a person; None where there are fewer than 30 errors.
        """
        counts = self.nonmated[0]
        enough = np.flatnonzero(counts[1:] >= ERRORS_NEEDED) + 1
        place = min(place, int(enough.max(initial=0)))
        total, errors = int(counts[0]), int(counts[place])
        if place < 1 or errors == total:
            return None
        draws = self.nonmated[FIRST_DRAW:]
        rates = rates_of(draws[:, place], draws[:, 0])
        rate = errors / total
        effect = float(np.nanvar(rates)) * total / (rate * (1.0 - rate))
        return max(effect - 1.0, 0.0) * subjects / (2.0 * total)

    def thresholds(self, places: NDArray[np.int64]) -> Values:
        """Give the edges at places; NaN where there is none."""
        return np.where(places >= 0, self.edges[places].astype(np.float64), np.nan)

    def rates_at(self, counts: Counts, places: NDArray[np.int64]) -> Values:
        """Give the share of scores that reach the edges at `places` (rows,)."""
        reached = counts[np.arange(len(counts)), places]
        return np.where(places >= 0, rates_of(reached, counts[:, 0]), np.nan)

    def rates_reaching(self, counts: Counts, threshold: float) -> Values:
        """Give the share of scores that reach a threshold; between edges, interpolated."""
        # As a score is compared with it: in the scores' own type.
        at = self.edges.dtype.type(threshold)
        above = max(int(np.searchsorted(self.edges, at, "left")), 1)
        if above == len(self.edges):
            return rates_of(np.zeros(len(counts)), counts[:, 0])
        high, low = self.edges[above], self.edges[above - 1]
        share = 0.0 if at >= high or above == 1 else float((high - at) / (high - low))
        upper, lower = counts[:, above], counts[:, above - (share > 0)]
        return rates_of(upper + share * (lower - upper), counts[:, 0])

    def equal_errors(self) -> Values:
        """Give the mean of both rates where they differ least: (rows,)."""
        found = np.full(len(self.nonmated), np.nan)
        for row, (strangers, mates) in enumerate(zip(self.nonmated, self.mated, strict=True)):
            if strangers[0] and mates[0]:
                fmr, fnmr = strangers[1:] / strangers[0], 1.0 - mates[1:] / mates[0]
                place = len(fmr) - 1 - int(np.argmin(np.abs(fmr - fnmr)[::-1]))
                found[row] = (fmr[place] + fnmr[place]) / 2.0
        return found
