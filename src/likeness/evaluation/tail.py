"""Rates that were too rare to be counted: a generalised Pareto tail, with its interval.

Above a high threshold the excesses of nearly any distribution are generalised Pareto (Pickands,
1975). The tail is fitted by probability-weighted moments (Hosking and Wallis, Parameter and
Quantile Estimation for the Generalized Pareto Distribution, Technometrics 1987). Pairs of one
person depend on each other, so the interval comes from leaving out people, not pairs: a jackknife
over groups of people (Shao and Tu, The Jackknife and Bootstrap, 1995).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.floating]

LIGHTEST_SHAPE = -0.1
"""A lighter tail is not believed: its end would be a score that no stranger can reach.

Few pairs do not tell a shape, so they are given this one; twelve million of LFW show -0.08.
"""
HEAVIEST_SHAPE = 0.9
"""From heavier ones moments cannot be told."""
GROUPS = 20
UPPER_95 = 2.093
"""Student's t of 19 degrees of freedom: so many standard errors above is the 95% interval's end."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The generalised Pareto tail of scores above `start`, which `share` of all reach."""

    start: float
    share: float
    shape: float
    scale: float

    def log_rates(self, scores: Scores) -> NDArray[np.float64]:
        """Give the logarithm of the rate at which strangers reach (n,) scores from `start` on."""
        excess = np.maximum(np.asarray(scores, np.float64) - self.start, 0.0) / self.scale
        if abs(self.shape) < 1e-9:
            return np.asarray(np.log(self.share) - excess, np.float64)
        grown = np.maximum(1.0 + self.shape * excess, 1e-300)
        return np.asarray(np.log(self.share) - np.log(grown) / self.shape, np.float64)

    def score(self, rate: float) -> float:
        """Give the score that strangers reach at a rate of at most `share`."""
        decades = np.log(self.share / rate)
        if abs(self.shape) < 1e-9:
            return float(self.start + self.scale * decades)
        return float(self.start + self.scale * np.expm1(self.shape * decades) / self.shape)


def fit_tail(
    exceedances: Scores, start: float, total: int, heaviest: float = HEAVIEST_SHAPE
) -> Tail:
    """Fit the tail to the (n,) scores above `start` among `total`, no heavier than `heaviest`."""
    excess = np.sort(np.asarray(exceedances, np.float64) - start)
    count = len(excess)
    mean = float(excess.mean())
    # The probability-weighted moment E[X (1 - F)], by Hosking and Wallis's plotting positions.
    weighted = float((excess * (count - np.arange(1, count + 1) + 0.35) / count).mean())
    gap = mean - 2.0 * weighted
    shape = 2.0 - mean / gap if gap > 0 else heaviest
    shape = min(max(shape, LIGHTEST_SHAPE), heaviest)
    # For a given shape the mean of the excesses says the scale.
    return Tail(start, count / total, shape, max(mean * (1.0 - shape), 1e-12))


@dataclass(frozen=True, slots=True, eq=False)
class TopScores:
    """The highest scores of pairs of strangers, and whose they are.

    `scores` is (n,), all above `start`; `groups` (n, 2) says in which of `GROUPS` groups of people
    the two of each pair are; `pairs` (`GROUPS`, `GROUPS`) counts all pairs that were compared by
    those groups, the lower number first.
    """

    scores: Scores
    start: float
    groups: NDArray[np.int8]
    pairs: NDArray[np.int64]

    @property
    def total(self) -> int:
        """How many pairs were compared."""
        return int(self.pairs.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Extrapolation:
    """A tail, and the rates at (n,) `scores` as it estimates them."""

    tail: Tail
    scores: Scores
    estimates: Scores
    errors: Scores
    """Standard errors of the rates' logarithms."""

    @property
    def lows(self) -> Scores:
        """The lower ends of the 95% intervals."""
        return self.bound(-UPPER_95)

    @property
    def highs(self) -> Scores:
        """The upper ends of the 95% intervals."""
        return self.bound(UPPER_95)

    def bound(self, errors: float) -> Scores:
        """Give the rates so many standard errors above the estimates."""
        # Where people differ too much for a fit, the exponent would overflow.
        logs = np.log(np.maximum(self.estimates, 1e-300)) + errors * self.errors
        return np.asarray(np.exp(np.clip(logs, -690.0, 0.0)), np.float64)


def extrapolate(top: TopScores, scores: Scores, heaviest: float = HEAVIEST_SHAPE) -> Extrapolation:
    """Say at what rates strangers reach scores, with 95% intervals by a jackknife over people."""
    tail = fit_tail(top.scores, top.start, top.total, heaviest)
    estimates = tail.log_rates(scores)
    without = []
    for group in range(GROUPS):
        kept = (top.groups != group).all(axis=1)
        total = top.total - int(top.pairs[group].sum() + top.pairs[:, group].sum())
        total += int(top.pairs[group, group])
        if total > 0 and np.count_nonzero(kept) >= 2:
            fitted = fit_tail(top.scores[kept], top.start, total, heaviest)
            without.append(fitted.log_rates(scores))
    apart = np.stack(without) - np.mean(without, axis=0)
    errors = np.sqrt((len(without) - 1) / len(without) * (apart**2).sum(axis=0))
    # Counting too few errors is another doubt, which few people do not show each other.
    errors = np.hypot(errors, 1.0 / np.sqrt(max(len(top.scores), 1)))
    return Extrapolation(tail, np.asarray(scores, np.float64), np.exp(estimates), errors)
