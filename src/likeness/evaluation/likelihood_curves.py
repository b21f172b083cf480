"""Curves of likelihood ratios by score: fitted in two ways, their cost, and where data end them.

They are fitted by logistic regression, or by pooling adjacent violators (PAV, isotonic regression).
An LR is never said to be more than the data can carry (after P. Vergeer and others, Numerical
likelihood ratios outputted by LR systems are often based on extrapolation: when to stop
extrapolating?, Science and Justice 2016).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Knots = tuple[tuple[float, float], ...]

# Scores that tell people apart wholly have no finite slope.
_RIDGE = 1e-5
_STEPS, _ENOUGH = 60, 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class ScoreCounts:
    """How many mated and non-mated comparisons (b,) have each of (b,) ascending scores."""

    scores: Floats
    mated: Floats
    nonmated: Floats


def bits_lost(log10: NDArray[np.floating]) -> Floats:
    """Give log2(1 + 10^x)."""
    return np.asarray(np.logaddexp2(0.0, np.asarray(log10, np.float64) * np.log2(10.0)))


def log10_of(knots: Knots, scores: NDArray[np.floating]) -> Floats:
    """Give the log10 LR of (n,) scores: between knots on their line, beyond them the last one's."""
    places, values = np.array(knots).T
    return np.asarray(np.interp(scores, places, values), np.float64)


def logistic_regression(counts: ScoreCounts) -> Knots:
    """Fit log-odds that are a straight line of the score, as if half of all were mated."""
    mated, nonmated = counts.mated / counts.mated.sum(), counts.nonmated / counts.nonmated.sum()
    both = mated + nonmated
    middle = float((both * counts.scores).sum() / 2)
    spread = float(np.sqrt((both * (counts.scores - middle) ** 2).sum() / 2)) or 1.0
    design = np.stack([np.ones_like(counts.scores), (counts.scores - middle) / spread])
    line, ridge = np.zeros(2), np.diag([0.0, _RIDGE])

    def loss(line: Floats) -> float:
        odds = line @ design
        cost = mated @ np.logaddexp(0, -odds) + nonmated @ np.logaddexp(0, odds)
        return float(cost + line @ ridge @ line / 2)

    now = loss(line)
    for _ in range(_STEPS):
        share = 0.5 * (1.0 + np.tanh((line @ design) / 2))
        slope = design @ (both * share - mated) + ridge @ line
        curvature = (design * (both * share * (1 - share))) @ design.T + ridge
        step = np.linalg.solve(curvature + 1e-12 * np.eye(2), slope)
        size, then = 1.0, loss(line - step)
        while size > 1e-6 and then > now:
            size /= 2
            then = loss(line - size * step)
        line, now = line - size * step, then
        if float(np.abs(size * step).max()) < _ENOUGH:
            break
    # Scores of one person that are lower than strangers' are no evidence for anything.
    logs = (line @ design if line[1] > 0 else np.zeros_like(counts.scores)) / np.log(10)
    return _line(float(counts.scores[0]), float(logs[0]), float(counts.scores[-1]), float(logs[-1]))


def _line(first: float, low: float, last: float, high: float) -> Knots:
    return ((first, low), (last, high)) if last > first else ((first, low),)


def pooled_violators(counts: ScoreCounts) -> Knots:
    """Fit a step for each block of scores that PAV pools; slopes lead from one to the next."""
    shares = _isotonic(counts.mated, counts.nonmated)
    prior = counts.mated.sum() / counts.nonmated.sum()
    ends = np.flatnonzero(np.diff(shares, append=np.inf) > 1e-12)
    starts = np.concatenate([[0], ends[:-1] + 1])
    knots: dict[float, float] = {}
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        mated = counts.mated[start : end + 1].sum()
        nonmated = counts.nonmated[start : end + 1].sum()
        # Of a step that only one kind is in, half a comparison stands for the other.
        log = float(np.log10(max(mated, 0.5) / max(nonmated, 0.5) / prior))
        for score in (counts.scores[start], counts.scores[end]):
            knots[float(score)] = log
    # A corrected end may pass its neighbour.
    levels = np.maximum.accumulate(list(knots.values()))
    return tuple(zip(knots, levels.tolist(), strict=True))


def _isotonic(mated: Floats, nonmated: Floats) -> Floats:
    """Give the ascending shares of mated comparisons that fit best (PAV)."""
    from scipy.optimize import isotonic_regression

    there = mated + nonmated > 0
    fitted = isotonic_regression(
        mated[there] / (mated + nonmated)[there], weights=(mated + nonmated)[there]
    )
    places = np.flatnonzero(there)
    return np.asarray(
        fitted.x[np.maximum(np.searchsorted(places, np.arange(len(mated)), side="right") - 1, 0)],
        np.float64,
    )


def least_cost(counts: ScoreCounts) -> float:
    """Give the least Cllr of any ascending scale; NaN where either kind is missing."""
    mated, nonmated = counts.mated.sum(), counts.nonmated.sum()
    if not mated or not nonmated:
        return np.nan
    shares = _isotonic(counts.mated, counts.nonmated)
    with np.errstate(divide="ignore"):
        logs = np.log10(shares) - np.log10(1 - shares) - np.log10(mated / nonmated)
    return _mean_cost(counts, logs)


def _mean_cost(counts: ScoreCounts, logs: Floats) -> float:
    # What nobody has costs nothing, even if it were infinite.
    some, others = counts.mated > 0, counts.nonmated > 0
    missed = float(counts.mated[some] @ bits_lost(-logs[some])) / counts.mated.sum()
    named = float(counts.nonmated[others] @ bits_lost(logs[others])) / counts.nonmated.sum()
    return float(missed + named) / 2


def cut_off(knots: Knots, counts: ScoreCounts, people: int, strangers: int) -> Knots:
    """Cut an LR off where the data do not carry it.

    They carry an LR if so many more of the mated than of the non-mated comparisons reach its score,
    one more misleading comparison assumed of either kind: `people` and `strangers` say among how
    many independent ones.
    """
    logs = log10_of(knots, counts.scores)
    mated = counts.mated / counts.mated.sum()
    nonmated = counts.nonmated / counts.nonmated.sum()

    def most(logs: Floats, right: Floats, wrong: Floats, rights: int, wrongs: int) -> float:
        reached = np.cumsum(right) * rights / (rights + 1)
        misled = (np.cumsum(wrong) * wrongs + 1) / (wrongs + 1)
        carried = np.log10(np.maximum(reached, 1e-300) / misled)
        return max(float(np.minimum(logs, carried).max()), 0.0)

    high = most(logs[::-1], mated[::-1], nonmated[::-1], people, strangers)
    low = -most(-logs, nonmated, mated, strangers, people)
    return _clipped(knots, low, high)


def _clipped(knots: Knots, low: float, high: float) -> Knots:
    """Cut the line off at two values, with a knot where it reaches either."""
    ends: list[tuple[float, float]] = []
    for (s0, l0), (s1, l1) in pairwise(knots):
        ends += [
            (s0 + (limit - l0) / (l1 - l0) * (s1 - s0), limit)
            for limit in (low, high)
            if l0 < limit < l1
        ]
    cut = {score: min(max(log, low), high) for score, log in knots}
    return tuple(sorted({**cut, **dict(ends)}.items()))
