"""Likelihood ratios: how much more often one person's pictures score so than two people's.

A score becomes evidence by a likelihood ratio (LR), fitted by logistic regression or by pooling
adjacent violators (PAV, isotonic regression). Cllr and its least value say how good the evidence is
(N. Bruemmer and J. du Preez, Application-independent evaluation of speaker detection, Computer
Speech and Language 2006): 0 is perfect, 1 says nothing, and what lies between Cllr and its least is
lost by a wrong scale. An LR is never said to be more than the data can carry (after P. Vergeer and
others, Numerical likelihood ratios outputted by LR systems are often based on extrapolation: when
to stop extrapolating?, Science and Justice 2016).

A comparison that failed has no score, so it is no evidence: it is left out here, and counted where
failures are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation.calibration import ERRORS_NEEDED
from likeness.evaluation.comparisons import Comparisons, Samples
from likeness.evaluation.intervals import Estimate
from likeness.evaluation.tail import GROUPS, UPPER_95

Floats = NDArray[np.float64]

# Of more scores than this, those between two ranks count as the lower one's. The ranks are dense
# at both ends of the mated and of the non-mated.
_MOST_SCORES = 2048
_DENSE_RANKS, _RANKS = 128, 256
_FOLDS = 5
# Scores that tell people apart wholly have no finite slope.
_RIDGE = 1e-5
_STEPS, _ENOUGH = 60, 1e-7
_AT_A_TIME, _MOST_IN_SQUARE = 1 << 20, 1 << 14

VERBAL_SCALE: tuple[tuple[float, str], ...] = (
    (2.0, "weak"),
    (10.0, "moderate"),
    (100.0, "moderately strong"),
    (1_000.0, "strong"),
    (10_000.0, "very strong"),
    (1_000_000.0, "extremely strong"),
)
"""From which likelihood ratio on evidence is called so (ENFSI Guideline for Evaluative Reporting
in Forensic Science, 2015)."""


def verbal(log10_lr: float) -> str:
    """Say a likelihood ratio in the words of ENFSI's scale."""
    # What was computed as a power of ten may lie just under it.
    strength = abs(log10_lr) + 1e-9
    words = [word for least, word in VERBAL_SCALE if strength >= np.log10(least)]
    if not words:
        return "supports neither one person nor two"
    return f"{words[-1]} support for {'one person' if log10_lr > 0 else 'two people'}"


def cllr(mated_log10: NDArray[np.floating], nonmated_log10: NDArray[np.floating]) -> float:
    """Give the cost of the likelihood ratios (log10) of mated and of non-mated comparisons.

    Raises:
        InvalidRequest: there are none of one of the two.
    """
    _require_both(mated_log10, nonmated_log10)
    return float(_cost(-np.asarray(mated_log10)).mean() + _cost(nonmated_log10).mean()) / 2


def least_cllr(mated: NDArray[np.floating], nonmated: NDArray[np.floating]) -> float:
    """Give the least cost that any ascending scale makes of scores: what telling apart loses.

    Raises:
        InvalidRequest: there are none of one of the two.
    """
    _require_both(mated, nonmated)
    scores = np.unique(np.concatenate([mated, nonmated]))
    return _least_cost(
        _Counts(scores, *(_counted(scores, np.asarray(some)) for some in (mated, nonmated)))
    )


@dataclass(frozen=True, slots=True)
class LikelihoodFit:
    """What scores are worth as evidence.

    `knots` are (score, log10 LR), ascending; between two of them lies a straight line, beyond them
    nothing changes. `least_log10` and `most_log10` are what the data can carry. `cllr` is of
    comparisons whose people the fit had not seen, `cllr_min` of all; their intervals leave out
    groups of people in turn (a jackknife).
    """

    method: str
    knots: tuple[tuple[float, float], ...]
    cllr: Estimate
    cllr_min: Estimate
    least_log10: float
    most_log10: float

    def log10_at(self, scores: NDArray[np.floating]) -> Floats:
        """Give the log10 LR of (n,) scores."""
        return _at(self.knots, scores)


def fit_likelihood_ratios(
    comparisons: Comparisons, samples: Samples, seed: int = 0
) -> LikelihoodFit:
    """Fit likelihood ratios to scores, by whichever way does better with people it has not seen.

    Both ways are tried in folds: what is said of two people's comparison was fitted without any
    comparison of either. `seed` deals the people into folds and groups.

    Raises:
        InvalidRequest: there are too few comparisons, or people, to say anything.
    """
    table = _tabulated(comparisons, samples, seed)
    fits = {"logistic regression": _logistic, "PAV": _pooled}
    costs = {name: _unseen_cost(table, fit) for name, fit in fits.items()}
    if np.isnan(list(costs.values())).any():
        raise InvalidRequest(
            "Too few people for likelihood ratios: nearly all comparisons are with the same ones."
            " Compare more people with each other."
        )
    method = min(fits, key=lambda name: costs[name])
    fit = fits[method]
    knots = _bounded(fit(table.all()), table.all(), table.people, table.strangers)
    left_out = [table.without(group) for group in range(GROUPS)]
    return LikelihoodFit(
        method,
        knots,
        _jackknifed(costs[method], [_unseen_cost(some, fit) for some in left_out]),
        _jackknifed(_least_cost(table.all()), [_least_cost(some.all()) for some in left_out]),
        knots[0][1],
        knots[-1][1],
    )


Knots = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Counts:
    """How many mated and non-mated comparisons (b,) have each of (b,) ascending scores."""

    scores: Floats
    mated: Floats
    nonmated: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """The same by groups of people: mated (g, b), non-mated (g, g, b), the lower group first.

    `people` have mated comparisons, `strangers` are pairs of people who have non-mated ones: so
    many trials are believed to be independent.
    """

    scores: Floats
    mated: Floats
    nonmated: Floats
    people: int
    strangers: int

    def all(self) -> _Counts:
        """Give all of them together."""
        return _Counts(self.scores, self.mated.sum(0), self.nonmated.sum((0, 1)))

    def without(self, group: int) -> "_Table":
        """Leave out one group of people, wherever they are compared."""
        mated, nonmated = self.mated.copy(), self.nonmated.copy()
        mated[group] = nonmated[group] = nonmated[:, group] = 0
        return _Table(self.scores, mated, nonmated, self.people, self.strangers)

    def folds(self) -> "_Table":
        """Join the groups into folds."""
        joined = np.arange(GROUPS) * _FOLDS // GROUPS
        width = len(self.scores)
        mated, nonmated = np.zeros((_FOLDS, width)), np.zeros((_FOLDS, _FOLDS, width))
        np.add.at(mated, joined, self.mated)
        np.add.at(nonmated, (joined[:, None], joined), self.nonmated)
        return _Table(self.scores, mated, nonmated, self.people, self.strangers)


def _tabulated(comparisons: Comparisons, samples: Samples, seed: int) -> _Table:
    made = np.isfinite(comparisons.scores)
    mated, nonmated = (
        comparisons.scores[made & kind].astype(np.float64)
        for kind in (comparisons.mated, ~comparisons.mated)
    )
    people = np.unique(samples.subjects[comparisons.references[made & comparisons.mated]])
    _require_enough(len(mated), len(nonmated), len(people))
    groups = _dealt(samples.subject_count, people, seed).astype(np.int64)
    edges = _edges(mated, nonmated)
    del mated, nonmated, made
    width = len(edges)
    by_group = np.zeros(GROUPS * width, np.int64)
    by_groups = np.zeros(GROUPS * GROUPS * width, np.int64)
    strangers = _PairsOfPeople(samples.subject_count)
    # Some at a time, so that the bins of a hundred million take no memory.
    for start in range(0, len(comparisons), _AT_A_TIME):
        some = comparisons.only(slice(start, start + _AT_A_TIME))
        some = some.only(np.isfinite(some.scores))
        ones, others = samples.subjects[some.references], samples.subjects[some.probes]
        low = np.minimum(groups[ones], groups[others])
        high = np.maximum(groups[ones], groups[others])
        bins = np.searchsorted(edges, some.scores, side="right") - 1
        own = low[some.mated] * width + bins[some.mated]
        by_group += np.bincount(own, minlength=len(by_group))
        places = ((low * GROUPS + high) * width + bins)[~some.mated]
        by_groups += np.bincount(places, minlength=len(by_groups))
        strangers.add(ones[~some.mated], others[~some.mated])
    return _Table(
        edges,
        by_group.reshape(GROUPS, width).astype(np.float64),
        by_groups.reshape(GROUPS, GROUPS, width).astype(np.float64),
        len(people),
        strangers.count(),
    )


class _PairsOfPeople:
    """Counts which two people were compared, once each however often."""

    def __init__(self, people: int) -> None:
        self._people = people
        self._known = np.empty(0, np.int64)
        # A byte for each two people takes less than their numbers, unless there are very many.
        self._seen = np.zeros(people**2 if people <= _MOST_IN_SQUARE else 0, np.bool_)

    def add(self, ones: NDArray[np.integer], others: NDArray[np.integer]) -> None:
        """Note that each of some was compared with another, in either order."""
        low, high = np.minimum(ones, others), np.maximum(ones, others)
        keys = low.astype(np.int64) * self._people + high
        if len(self._seen):
            self._seen[keys] = True
        else:
            self._known = np.union1d(self._known, keys)

    def count(self) -> int:
        """Say how many different pairs there are."""
        return int(np.count_nonzero(self._seen)) + len(self._known)


def _require_enough(mated: int, nonmated: int, people: int) -> None:
    for count, name in (
        (mated, "comparisons of one person"),
        (nonmated, "comparisons of two people"),
    ):
        if count < ERRORS_NEEDED:
            raise InvalidRequest(
                f"Too few {name} for likelihood ratios: {count}. Give at least {ERRORS_NEEDED}."
            )
    if people < GROUPS:
        raise InvalidRequest(
            f"Too few people with two pictures for likelihood ratios: {people}. Give at least"
            f" {GROUPS}."
        )


def _require_both(mated: NDArray[np.floating], nonmated: NDArray[np.floating]) -> None:
    if not len(mated) or not len(nonmated):
        raise InvalidRequest("There are no comparisons of one kind. Give mated and non-mated ones.")


def _dealt(count: int, people: NDArray[np.integer], seed: int) -> NDArray[np.int8]:
    """Deal subjects into groups, those with mated comparisons evenly among themselves."""
    random = np.random.default_rng(seed)
    groups = np.empty(count, np.int8)
    others = np.setdiff1d(np.arange(count), people)
    for some in (people, others):
        groups[random.permutation(some)] = np.arange(len(some)) % GROUPS
    return groups


def _edges(mated: Floats, nonmated: Floats) -> Floats:
    everything = np.unique(np.concatenate([mated, nonmated]))
    if len(everything) <= _MOST_SCORES:
        return everything
    chosen = [everything[:1]]
    for scores in (np.sort(mated), np.sort(nonmated)):
        spread = np.geomspace(1, len(scores), _RANKS)
        ranks = np.unique(np.concatenate([np.arange(1, _DENSE_RANKS), spread]).astype(np.int64))
        ranks = ranks[ranks <= len(scores)]
        even = np.linspace(0, len(scores) - 1, _RANKS).astype(np.int64)
        chosen += [scores[ranks - 1], scores[-ranks], scores[even]]
    return np.unique(np.concatenate(chosen))


def _counted(edges: Floats, scores: NDArray[np.floating]) -> Floats:
    return np.bincount(np.searchsorted(edges, scores), minlength=len(edges)).astype(np.float64)


def _cost(log10: NDArray[np.floating]) -> Floats:
    """Give log2(1 + 10^x)."""
    return np.asarray(np.logaddexp2(0.0, np.asarray(log10, np.float64) * np.log2(10.0)))


def _at(knots: Knots, scores: NDArray[np.floating]) -> Floats:
    places, values = np.array(knots).T
    return np.asarray(np.interp(scores, places, values), np.float64)


def _logistic(counts: _Counts) -> Knots:
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


def _pooled(counts: _Counts) -> Knots:
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


def _least_cost(counts: _Counts) -> float:
    mated, nonmated = counts.mated.sum(), counts.nonmated.sum()
    if not mated or not nonmated:
        return np.nan
    shares = _isotonic(counts.mated, counts.nonmated)
    with np.errstate(divide="ignore"):
        logs = np.log10(shares) - np.log10(1 - shares) - np.log10(mated / nonmated)
    return _mean_cost(counts, logs)


def _mean_cost(counts: _Counts, logs: Floats) -> float:
    # What nobody has costs nothing, even if it were infinite.
    some, others = counts.mated > 0, counts.nonmated > 0
    missed = float(counts.mated[some] @ _cost(-logs[some])) / counts.mated.sum()
    named = float(counts.nonmated[others] @ _cost(logs[others])) / counts.nonmated.sum()
    return float(missed + named) / 2


def _bounded(knots: Knots, counts: _Counts, people: int, strangers: int) -> Knots:
    """Cut an LR off where the data do not carry it.

    They carry an LR if so many more of the mated than of the non-mated comparisons reach its score,
    one more misleading comparison assumed of either kind: `people` and `strangers` say among how
    many independent ones.
    """
    logs = _at(knots, counts.scores)
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


def _unseen_cost(table: _Table, fit: Callable[[_Counts], Knots]) -> float:
    """Give Cllr, every comparison's LR fitted without the folds that its people are in.

    It is NaN where no comparison is left to fit to, or to test.
    """
    missed = named = mated = nonmated = 0.0
    for training, tested in _folded(table.folds()):
        knots = _bounded(fit(training), training, table.people, table.strangers)
        logs = _at(knots, table.scores)
        missed += float(tested.mated @ _cost(-logs))
        named += float(tested.nonmated @ _cost(logs))
        mated += tested.mated.sum()
        nonmated += tested.nonmated.sum()
    return (missed / mated + named / nonmated) / 2 if mated and nonmated else np.nan


def _folded(folds: _Table) -> Iterator[tuple[_Counts, _Counts]]:
    """Give what is fitted to, and what is tested, for every two folds."""
    for one in range(_FOLDS):
        for other in range(one, _FOLDS):
            rest = [fold for fold in range(_FOLDS) if fold not in (one, other)]
            training = _Counts(
                folds.scores,
                folds.mated[rest].sum(0),
                folds.nonmated[np.ix_(rest, rest)].sum((0, 1)),
            )
            mated = folds.mated[one] if one == other else np.zeros_like(folds.scores)
            tested = _Counts(folds.scores, mated, folds.nonmated[one, other])
            if training.mated.any() and training.nonmated.any():
                yield training, tested


def _jackknifed(value: float, without: list[float]) -> Estimate:
    known = np.array([one for one in without if not np.isnan(one)])
    apart = known - known.mean()
    error = float(np.sqrt((len(known) - 1) / len(known) * (apart**2).sum()))
    low, high = max(value - UPPER_95 * error, 0.0), value + UPPER_95 * error
    return Estimate(float(value), float(low), float(high))
