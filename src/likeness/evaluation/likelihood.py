"""Likelihood ratios: how much more often one person's pictures score so than two people's.

A score becomes evidence by a likelihood ratio (LR), fitted by logistic regression or by pooling
adjacent violators (PAV, isotonic regression). Cllr and its least value say how good the evidence is
(N. Bruemmer and J. du Preez, Application-independent evaluation of speaker detection, Computer
Speech and Language 2006): 0 is perfect, 1 says nothing, and what lies between Cllr and its least is
lost by a wrong scale. `likelihood_curves` has how curves are fitted, and where the data end them.

A comparison that failed has no score, so it is no evidence: it is left out here, and counted where
failures are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation.calibration import ERRORS_NEEDED
from likeness.evaluation.comparisons import Comparisons, Samples
from likeness.evaluation.intervals import Estimate
from likeness.evaluation.likelihood_curves import (
    Floats,
    Knots,
    ScoreCounts,
    bits_lost,
    cut_off,
    least_cost,
    log10_of,
    logistic_regression,
    pooled_violators,
)
from likeness.evaluation.tail import GROUPS, UPPER_95

# Of more scores than this, those between two ranks count as the lower one's. The ranks are dense
# at both ends of the mated and of the non-mated.
_MOST_SCORES = 2048
_DENSE_RANKS, _RANKS = 128, 256
_FOLDS = 5
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
    return float(bits_lost(-np.asarray(mated_log10)).mean() + bits_lost(nonmated_log10).mean()) / 2


def least_cllr(mated: NDArray[np.floating], nonmated: NDArray[np.floating]) -> float:
    """Give the least cost that any ascending scale makes of scores: what telling apart loses.

    Raises:
        InvalidRequest: there are none of one of the two.
    """
    _require_both(mated, nonmated)
    scores = np.unique(np.concatenate([mated, nonmated]))
    return least_cost(
        ScoreCounts(scores, *(_counted(scores, np.asarray(some)) for some in (mated, nonmated)))
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
        return log10_of(self.knots, scores)


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
    fits = {"logistic regression": logistic_regression, "PAV": pooled_violators}
    costs = {name: _unseen_cost(table, fit) for name, fit in fits.items()}
    if np.isnan(list(costs.values())).any():
        raise InvalidRequest(
            "Too few people for likelihood ratios: nearly all comparisons are with the same ones."
            " Compare more people with each other."
        )
    method = min(fits, key=lambda name: costs[name])
    fit = fits[method]
    knots = cut_off(fit(table.all()), table.all(), table.people, table.strangers)
    left_out = [table.without(group) for group in range(GROUPS)]
    return LikelihoodFit(
        method,
        knots,
        _jackknifed(costs[method], [_unseen_cost(some, fit) for some in left_out]),
        _jackknifed(least_cost(table.all()), [least_cost(some.all()) for some in left_out]),
        knots[0][1],
        knots[-1][1],
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Comparisons by groups of people and (b,) ascending scores.

    `mated` is (g, b), `nonmated` (g, g, b), the lower group first. `people` have mated comparisons,
    `strangers` are pairs of people who have non-mated ones: so many trials are believed to be
    independent.
    """

    scores: Floats
    mated: Floats
    nonmated: Floats
    people: int
    strangers: int

    def all(self) -> ScoreCounts:
        """Give all of them together."""
        return ScoreCounts(self.scores, self.mated.sum(0), self.nonmated.sum((0, 1)))

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


def _unseen_cost(table: _Table, fit: Callable[[ScoreCounts], Knots]) -> float:
    """Give Cllr, every comparison's LR fitted without the folds that its people are in.

    It is NaN where no comparison is left to fit to, or to test.
    """
    missed = named = mated = nonmated = 0.0
    for training, tested in _folded(table.folds()):
        knots = cut_off(fit(training), training, table.people, table.strangers)
        logs = log10_of(knots, table.scores)
        missed += float(tested.mated @ bits_lost(-logs))
        named += float(tested.nonmated @ bits_lost(logs))
        mated += tested.mated.sum()
        nonmated += tested.nonmated.sum()
    return (missed / mated + named / nonmated) / 2 if mated and nonmated else np.nan


def _folded(folds: _Table) -> Iterator[tuple[ScoreCounts, ScoreCounts]]:
    """Give what is fitted to, and what is tested, for every two folds."""
    for one in range(_FOLDS):
        for other in range(one, _FOLDS):
            rest = [fold for fold in range(_FOLDS) if fold not in (one, other)]
            training = ScoreCounts(
                folds.scores,
                folds.mated[rest].sum(0),
                folds.nonmated[np.ix_(rest, rest)].sum((0, 1)),
            )
            mated = folds.mated[one] if one == other else np.zeros_like(folds.scores)
            tested = ScoreCounts(folds.scores, mated, folds.nonmated[one, other])
            if training.mated.any() and training.nonmated.any():
                yield training, tested


def _jackknifed(value: float, without: list[float]) -> Estimate:
    known = np.array([one for one in without if not np.isnan(one)])
    apart = known - known.mean()
    error = float(np.sqrt((len(known) - 1) / len(known) * (apart**2).sum()))
    low, high = max(value - UPPER_95 * error, 0.0), value + UPPER_95 * error
    return Estimate(float(value), float(low), float(high))
