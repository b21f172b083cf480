"""Rates of a gallery's own strangers: how alike its different people look to each other."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation.calibration import DECADES, PairScores, StrangerScores, groups_of
from likeness.evaluation.tail import LIGHTEST_SHAPE
from likeness.terms import Calibration, Cohort, Joining

# The highest of so few pairs that a hundredth would be none.
_TAIL_SHARE = 0.05
DECIDING_ERRORS = 1.25
"""The rate that decides lies so many standard errors above the tail's estimate.

docs/evenness.md has what more and fewer of them cost: false names on one side, misses on the other.
"""


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
        counts = StrangerScores(_TAIL_SHARE)
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
            counts.tail(knots[-1], lowest, DECIDING_ERRORS, LIGHTEST_SHAPE),
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
