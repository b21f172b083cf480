"""How well, and how evenly, it works: arithmetic on scores that reads and writes nothing.

It takes arrays, of any system's scores, and stands alone:

>>> import numpy as np
>>> from likeness.evaluation import (
...     Axis, Comparisons, Samples, columns_of, count_by_group, resample, threshold_at_fmr
... )
>>> subjects = np.repeat(np.arange(60, dtype=np.int32), 2)  # two pictures of each of 60 people
>>> sex = Axis.of("sex", ["F" if subject < 30 else "M" for subject in subjects])
>>> samples = Samples(subjects, failed=np.zeros(120, bool), axes=(sex,))
>>> references, probes = np.triu_indices(120, 1)  # every pair once
>>> mated = subjects[references] == subjects[probes]
>>> scores = np.random.default_rng(0).normal(4.0 * mated)  # higher is more alike
>>> scores[~mated & (references < 60) & (probes < 60)] += 0.5  # women look more alike
>>> comparisons = Comparisons(scores, references, probes, mated)

One threshold is set for everybody, and errors are counted by group:

>>> threshold = threshold_at_fmr(comparisons.nonmated_scores, 0.01)
>>> counts = count_by_group(comparisons, samples, sex, threshold)
>>> [f"{label} {rate:.2%}" for label, rate in zip(counts.labels, counts.fmrs)]
['F 2.13%', 'M 0.63%']
>>> columns = columns_of(counts.labels, counts.within_errors, counts.within_trials)
>>> f"{columns.max_over_min.value:.1f}"
'3.4'

Intervals come from drawing people anew, with the threshold set in each draw:

>>> drawn = resample(comparisons, samples, [sex], targets=[0.01], resamples=200)
>>> low, high = drawn.cells(0.01).fmr_intervals()
>>> bool(low[0] > high[1])  # women's rate is the higher for certain
True

A figure that the data cannot carry is NaN, infinite or None, never a guess; what makes no sense is
an `InvalidRequest`.
"""

from likeness.evaluation.attributes import (
    ClusteredRate,
    chance_of_groups,
    clustered_mean,
    clustered_rate,
    difference,
    paired_difference_of,
    ratio,
    years_between,
)
from likeness.evaluation.bootstrap import Resampled, resample
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
from likeness.evaluation.coverage import (
    GroupCoverage,
    Trials,
    cover_groups,
    missing_groups,
    shannon_evenness,
    simpson_evenness,
    subjects_needed,
)
from likeness.evaluation.curves import (
    EqualError,
    ErrorCurve,
    SortedScores,
    equal_error,
    error_curve,
    errors_by_threshold,
)
from likeness.evaluation.error_tables import interval, intervals_of
from likeness.evaluation.folds import FoldAccuracy, accuracy_by_folds
from likeness.evaluation.groups import (
    FailureCounts,
    GroupCounts,
    count_by_group,
    count_by_group_at,
    count_failures,
)
from likeness.evaluation.inequity import (
    NistColumn,
    NistColumns,
    Yield,
    columns_of,
    fdr,
    garbe,
    geomean_variation,
    gini,
    groups_carried,
    max_minus_min,
    max_over_geomean,
    max_over_mean,
    max_over_min,
    worst_and_best,
    yields,
)
from likeness.evaluation.intervals import (
    RULE_OF_THREE,
    Estimate,
    Interval,
    carries,
    caution,
    clopper_pearson,
    rate_name,
    rule_of_three,
    trials_needed,
    wilson,
)
from likeness.evaluation.likelihood import (
    VERBAL_SCALE,
    LikelihoodFit,
    cllr,
    fit_likelihood_ratios,
    least_cllr,
    verbal,
)
from likeness.evaluation.paired import (
    PairedDifference,
    paired_difference,
    paired_search_difference,
    require_same_trials,
)
from likeness.evaluation.rates import (
    GeneralisedRates,
    count_matches,
    fmr_at,
    fnmr_at,
    generalised_rates,
    most_errors,
    rates_of,
    threshold_at_fmr,
)
from likeness.evaluation.resampled_groups import CellRates
from likeness.evaluation.resampled_searches import ResampledSearches, resample_searches
from likeness.evaluation.score_shifts import QUANTILES, GroupScores, Shifts, score_quantiles
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
from likeness.evaluation.thresholds import RateThreshold, rates_by_score, thresholds_for

__all__ = [
    "DECADES",
    "ERRORS_NEEDED",
    "FAILED",
    "QUANTILES",
    "RULE_OF_THREE",
    "UNKNOWN",
    "UPPER_95",
    "VERBAL_SCALE",
    "Axis",
    "CellRates",
    "ClusteredRate",
    "Comparisons",
    "EqualError",
    "ErrorCurve",
    "Estimate",
    "FailureCounts",
    "FoldAccuracy",
    "GeneralisedRates",
    "GroupCounts",
    "GroupCoverage",
    "GroupScores",
    "Interval",
    "LikelihoodFit",
    "NistColumn",
    "NistColumns",
    "PairScores",
    "PairedDifference",
    "RateThreshold",
    "Resampled",
    "ResampledSearches",
    "Samples",
    "SearchCurve",
    "Searches",
    "Share",
    "Shifts",
    "SortedScores",
    "StrangerScores",
    "Trials",
    "Yield",
    "accuracy_by_folds",
    "calibrate_own_strangers",
    "carries",
    "caution",
    "chance_of_groups",
    "cllr",
    "clopper_pearson",
    "clustered_mean",
    "clustered_rate",
    "columns_of",
    "count_by_group",
    "count_by_group_at",
    "count_failures",
    "count_matches",
    "cover_groups",
    "difference",
    "equal_error",
    "error_curve",
    "errors_by_threshold",
    "extrapolate",
    "fdr",
    "fit_likelihood_ratios",
    "fmr_at",
    "fnir",
    "fnmr_at",
    "fpir",
    "garbe",
    "generalised_rates",
    "geomean_variation",
    "gini",
    "groups_carried",
    "groups_of",
    "hit_rates",
    "intersection",
    "interval",
    "intervals_of",
    "least_cllr",
    "max_minus_min",
    "max_over_geomean",
    "max_over_mean",
    "max_over_min",
    "misses_of",
    "missing_groups",
    "most_errors",
    "paired_difference",
    "paired_difference_of",
    "paired_search_difference",
    "rate_name",
    "rates_by_score",
    "rates_of",
    "ratio",
    "require_same_trials",
    "resample",
    "resample_searches",
    "rule_of_three",
    "score_quantiles",
    "search_curve",
    "shannon_evenness",
    "simpson_evenness",
    "subjects_needed",
    "threshold_at_fmr",
    "threshold_at_fpir",
    "thresholds_for",
    "trials_needed",
    "verbal",
    "wilson",
    "worst_and_best",
    "years_between",
    "yields",
]
