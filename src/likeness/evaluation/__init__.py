"""How well, and how evenly, it works: arithmetic on scores that reads and writes nothing."""

from likeness.evaluation.calibration import (
    DECADES,
    ERRORS_NEEDED,
    PairScores,
    StrangerScores,
    calibrate_own_strangers,
    groups_of,
    misses_of,
)
from likeness.evaluation.comparisons import (
    FAILED,
    UNKNOWN,
    Axis,
    Comparisons,
    Samples,
    intersection,
)
from likeness.evaluation.likelihood import (
    VERBAL_SCALE,
    Interval,
    LikelihoodFit,
    cllr,
    fit_likelihood_ratios,
    least_cllr,
    verbal,
)
from likeness.evaluation.searches import (
    SearchCurve,
    Searches,
    Share,
    fnir,
    fpir,
    hit_rates,
    search_curve,
    threshold_at_fpir,
)
from likeness.evaluation.tail import UPPER_95, extrapolate

__all__ = [
    "DECADES",
    "ERRORS_NEEDED",
    "FAILED",
    "UNKNOWN",
    "UPPER_95",
    "VERBAL_SCALE",
    "Axis",
    "Comparisons",
    "Interval",
    "LikelihoodFit",
    "PairScores",
    "Samples",
    "SearchCurve",
    "Searches",
    "Share",
    "StrangerScores",
    "calibrate_own_strangers",
    "cllr",
    "extrapolate",
    "fit_likelihood_ratios",
    "fnir",
    "fpir",
    "groups_of",
    "hit_rates",
    "intersection",
    "least_cllr",
    "misses_of",
    "search_curve",
    "threshold_at_fpir",
    "verbal",
]
