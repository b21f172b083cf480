"""1:N figures of what a system scored: FPIR, FNIR and hit rates, with N and L always stated."""

from dataclasses import replace

import numpy as np

from likeness.evaluation import (
    Estimate,
    Interval,
    ResampledSearches,
    Searches,
    Share,
    carries,
    caution,
    fnir,
    fpir,
    hit_rates,
    resample_searches,
    search_curve,
    threshold_at_fpir,
)
from likeness.service.evaluate.counted import estimate, resampled
from likeness.service.evaluate.findings import Curve, Identification, Rate, SearchRates
from likeness.service.evaluate.questions import HEADLINE_FPIR, GivenThreshold, Questions
from likeness.service.evaluate.trials import Scored


def identification_of(scored: Scored, questions: Questions) -> Identification | None:
    """Count errors of searches at each threshold that the data can carry, and by rank.

    None where nothing was searched for.
    """
    searches = scored.searches
    if searches is None or not len(searches):
        return None
    strangers = int(np.count_nonzero(~searches.mated))
    targets = [one for one in sorted(questions.fpirs, reverse=True) if carries(one, strangers)]
    chosen = {target: threshold_at_fpir(searches, target) for target in targets}
    given = () if questions.threshold is None else (questions.threshold,)
    found = resample_searches(
        searches,
        scored.samples,
        thresholds=[*chosen.values(), *(one.score for one in given)],
        targets=targets,
        resamples=questions.resamples,
        seed=questions.seed,
        workers=questions.workers,
    )
    points = [
        *(_given(searches, found, one) for one in given),
        *(_chosen(searches, found, target, threshold) for target, threshold in chosen.items()),
    ]
    curve = search_curve(searches)
    band = found.tradeoff(curve.fpirs.tolist()) if len(curve.fpirs) else ()
    return Identification(
        gallery=searches.gallery,
        enrolled=searches.subjects,
        depth=searches.depth,
        mated=len(searches) - strangers,
        nonmated=strangers,
        headline=next((one for one in points if one.target_fpir == HEADLINE_FPIR), None),
        points=tuple(points),
        hit_rates=tuple(
            _hit_rate(share, found.hit_rate_interval(rank))
            for rank, share in enumerate(hit_rates(searches), 1)
        ),
        tradeoff=Curve(
            tuple(curve.fpirs.tolist()),
            tuple(curve.fnirs.tolist()),
            *(tuple(ends.tolist()) for ends in band),
        ),
    )


def _chosen(
    searches: Searches, found: ResampledSearches, target: float, threshold: float
) -> SearchRates:
    return SearchRates(
        target,
        estimate(threshold, found.threshold(target)),
        resampled(*fpir(searches, threshold), found.fpir_interval_at_threshold(threshold)),
        resampled(*fnir(searches, threshold), found.fnir_interval_at(target)),
    )


def _given(searches: Searches, found: ResampledSearches, given: GivenThreshold) -> SearchRates:
    threshold = given.score
    return SearchRates(
        None,
        Estimate(threshold, note=given.note),
        resampled(*fpir(searches, threshold), found.fpir_interval_at_threshold(threshold)),
        resampled(*fnir(searches, threshold), found.fnir_interval_at_threshold(threshold)),
    )


def _hit_rate(share: Share, ends: Interval) -> Rate:
    # Misses are its errors; where there are none the interval says how few there may be.
    missed = share.trials - share.number
    note = caution(missed, share.trials) if missed or not share.trials else ""
    return replace(resampled(*share, ends), note=note)
