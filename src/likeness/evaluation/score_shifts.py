"""Where each group's scores lie, and how far they are shifted from everybody's.

A group's middle score has an interval as Woodruff (1952) makes it: that of the share of its scores
that lie below, turned into scores. Comparisons that share a person depend on each other, which the
variance of that share counts (Fafchamps and Gubert, The Formation of Risk Sharing Networks, Journal
of Development Economics 2007).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation.comparisons import FAILED, Axis, Comparisons, Samples
from likeness.evaluation.groups import check_axis, chunks_of
from likeness.evaluation.rates import Rates

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class Shifts:
    """How far the middle score of each of G groups lies above that of all, each (G,).

    With the ends of 95% intervals; NaN where there are no scores, or those of one person alone.
    """

    values: Rates
    lows: Rates
    highs: Rates


@dataclass(frozen=True, slots=True, eq=False)
class GroupScores:
    """Quantiles of the scores of G groups, failures left out; NaN where there are none.

    `mated` and `nonmated` are (G, Q), of pairs within the group; `every_mated` and `every_nonmated`
    (Q,) of all comparisons. Each quantile is a score that was seen. Shifts are from the middle of
    all, which is taken as it is.
    """

    labels: tuple[str, ...]
    shares: tuple[float, ...]
    mated: Rates
    nonmated: Rates
    every_mated: Rates
    every_nonmated: Rates
    mated_shifts: Shifts
    nonmated_shifts: Shifts


def score_quantiles(
    comparisons: Comparisons,
    samples: Samples,
    axis: Axis,
    shares: tuple[float, ...] = QUANTILES,
) -> GroupScores:
    """Give the quantiles of each group's scores, of pairs within it, and those of all.

    Raises:
        InvalidRequest: the axis is not of these samples.
    """
    check_axis(samples, axis)
    groups = len(axis.labels)
    # Kinds of comparisons: strangers of each group, then mates of each.
    scores = _scores_by_kind(comparisons, axis)
    found = np.array([_quantiles(each, shares) for each in scores])
    by_kind = found.reshape(2, groups, len(shares))
    middles = np.array([_quantiles(each, [0.5])[0] for each in scores])
    reaches = _reaches_of_shares(comparisons, samples, axis, middles)
    ends = np.array(
        [
            _quantiles(each, [0.5 - reach, 0.5 + reach])
            for each, reach in zip(scores, reaches, strict=True)
        ]
    ).reshape(2, groups, 2)
    del scores
    every = [comparisons.nonmated_scores, comparisons.mated_scores]
    in_all = [_quantiles(each, [*shares, 0.5]) for each in every]
    shifts = [
        Shifts(*(each - middle[-1] for each in (own, end[:, 0], end[:, 1])))
        for own, end, middle in zip(middles.reshape(2, groups), ends, in_all, strict=True)
    ]
    return GroupScores(
        axis.labels,
        shares,
        mated=by_kind[1],
        nonmated=by_kind[0],
        every_mated=in_all[1][:-1],
        every_nonmated=in_all[0][:-1],
        mated_shifts=shifts[1],
        nonmated_shifts=shifts[0],
    )


def _kinds(some: Comparisons, axis: Axis) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Give which comparisons are within a group and have a score, and of what kind those are."""
    codes = axis.codes[some.references]
    within = (codes == axis.codes[some.probes]) & (codes >= 0) & (some.scores > FAILED)
    kinds = codes[within] + len(axis.labels) * some.mated[within].astype(np.int64)
    return within, kinds


def _scores_by_kind(comparisons: Comparisons, axis: Axis) -> list[NDArray[np.floating]]:
    number = 2 * len(axis.labels)
    none = np.empty(0, comparisons.scores.dtype)
    scores = [[none] for _ in range(number)]
    for some in chunks_of(comparisons):
        within, kinds = _kinds(some, axis)
        ordered = some.scores[within][np.argsort(kinds, kind="stable")]
        ends = np.cumsum(np.bincount(kinds, minlength=number))
        for parts, part in zip(scores, np.split(ordered, ends)[:number], strict=True):
            parts.append(part)
    return [np.concatenate(parts) for parts in scores]


def _reaches_of_shares(
    comparisons: Comparisons, samples: Samples, axis: Axis, middles: Rates
) -> Rates:
    """Say how far the interval of the share of scores below a kind's middle reaches, (2G,).

    As Student's t of the people has it; NaN of fewer than two.
    """
    # Imported late: it takes longer than everything else that a command imports.
    from scipy.special import stdtrit

    number, width = len(middles), max(samples.subject_count, 1)
    limits = middles.astype(comparisons.scores.dtype)
    # By kind and person, each person of a pair of strangers, and the one of a mated pair.
    trials, below = np.zeros((2, number, width), np.int64)
    for some in chunks_of(comparisons):
        within, kinds = _kinds(some, axis)
        reached = some.scores[within] <= limits[kinds]
        strangers = kinds < number // 2
        for people, chosen in ((some.references, strangers | ~strangers), (some.probes, strangers)):
            places = kinds[chosen] * width + samples.subjects[people[within][chosen]]
            trials += np.bincount(places, minlength=trials.size).reshape(trials.shape)
            at = places[reached[chosen]]
            below += np.bincount(at, minlength=below.size).reshape(below.shape)
    strangers = np.arange(number) < number // 2
    # Each pair of strangers was counted with both of its people.
    counted = np.where(strangers, 2, 1)
    pairs = trials.sum(axis=1) / counted
    with np.errstate(divide="ignore", invalid="ignore"):
        share = below.sum(axis=1) / counted / pairs
        apart = ((below - share[:, None] * trials) ** 2).sum(axis=1)
        own = pairs * share * (1 - share)
        people = np.count_nonzero(trials, axis=1)
        variance = np.maximum(apart - np.where(strangers, own, 0.0), own) / pairs**2
        errors = np.sqrt(variance * people / (people - 1))
        return np.asarray(stdtrit(people - 1, 0.975) * errors, np.float64)


def _quantiles(scores: NDArray[np.floating], shares: Sequence[float]) -> Rates:
    """Give scores that so large a share of all is at most; those given are put in another order."""
    failed = int(np.count_nonzero(scores == FAILED))
    number = len(scores) - failed
    if not number or not np.isfinite(shares).all():
        return np.full(len(shares), np.nan)
    last = number - 1
    ranks = [failed + min(max(math.ceil(share * number) - 1, 0), last) for share in shares]
    scores.partition(ranks)
    return np.asarray(scores[ranks], np.float64)
