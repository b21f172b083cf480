"""Populations whose rates are known: intervals hold them as often as they say.

Scores are normal: those of strangers have an effect of each person, those of mates one of theirs,
so that comparisons of one person are alike. Intervals of 95% are to hold the truth in at least 90%
of populations of a hundred people, of 40 people in at least 85%; in more than 95% is no fault.
"""

from collections import defaultdict
from statistics import NormalDist

import numpy as np
import pytest

from likeness.evaluation import Axis, Comparisons, Samples, interval, resample

NORMAL = NormalDist()
MATES_MEAN = 3.5
FMR = 0.01
THRESHOLD = NORMAL.inv_cdf(1 - FMR)
FNMR = NORMAL.cdf(THRESHOLD - MATES_MEAN)


def population(
    people: int, random: np.random.Generator, effect: float, planted: float = 0.0
) -> tuple[Comparisons, Samples]:
    """All pairs of two pictures each; strangers who are both of group b score `planted` higher.

    `effect` squared is the share of the variance of strangers' scores that is one person's.
    """
    owners = np.repeat(np.arange(people, dtype=np.int32), 2)
    ones, others = (part.astype(np.int32) for part in np.triu_indices(len(owners), 1))
    mated = owners[ones] == owners[others]
    group = (owners >= people // 2).astype(np.int32)
    person, own = random.normal(size=(2, people))
    strangers = effect * (person[owners[ones]] + person[owners[others]])
    strangers += np.sqrt(1 - 2 * effect**2) * random.normal(size=len(ones))
    strangers += planted * (group[ones] & group[others])
    mates = MATES_MEAN + 0.7 * own[owners[ones]] + np.sqrt(0.51) * random.normal(size=len(ones))
    axis = Axis("group", ("a", "b"), group)
    return (
        Comparisons(np.where(mated, mates, strangers).astype(np.float32), ones, others, mated),
        Samples(owners, np.zeros(len(owners), bool), (axis,)),
    )


def coverage(people: int, effect: float, populations: int, resamples: int) -> dict[str, float]:
    """How often each interval holds the truth."""
    random = np.random.default_rng(1)
    held = defaultdict(list)
    for seed in range(populations):
        comparisons, samples = population(people, random, effect)
        found = resample(
            comparisons,
            samples,
            samples.axes,
            targets=[FMR],
            thresholds=[THRESHOLD],
            resamples=resamples,
            seed=seed,
            workers=1,
        )
        cells = found.cells_at_threshold(THRESHOLD)
        lows, highs = cells.cross_fmr_intervals()
        misses_low, misses_high = cells.fnmr_intervals()
        for figure, (low, high), truth in (
            ("FMR", found.fmr_interval_at_threshold(THRESHOLD), FMR),
            ("FNMR", found.fnmr_interval_at_threshold(THRESHOLD), FNMR),
            ("threshold", interval(found.threshold(FMR)), THRESHOLD),
            ("FNMR at FMR", found.fnmr_interval_at(FMR), FNMR),
            ("FMR within", (lows[0, 0], highs[0, 0]), FMR),
            ("FMR across", (lows[0, 1], highs[0, 1]), FMR),
            ("FNMR within", (misses_low[0], misses_high[0]), FNMR),
        ):
            held[figure].append(low <= truth <= high)
    return {figure: float(np.mean(hits)) for figure, hits in held.items()}


def told_apart(planted: float, populations: int, resamples: int) -> float:
    """How often the ratio of two groups' FMR is told from 1."""
    random = np.random.default_rng(2)
    told = 0
    for seed in range(populations):
        comparisons, samples = population(100, random, 0.3, planted)
        found = resample(
            comparisons,
            samples,
            samples.axes,
            targets=[FMR],
            resamples=resamples,
            seed=seed,
            workers=1,
        )
        rates = found.cells(FMR).fmrs
        with np.errstate(divide="ignore"):
            low, high = interval(rates[:, 1] / rates[:, 0])
        told += not low <= 1.0 <= high
    return told / populations


def test_most_intervals_of_a_few_populations_hold_the_truth() -> None:
    assert min(coverage(40, 0.3, 4, 100).values()) >= 0.75


def test_a_planted_difference_is_found_in_a_population() -> None:
    assert told_apart(0.8, 1, 100) == 1


def test_no_difference_is_found_in_a_population_without() -> None:
    assert told_apart(0.0, 1, 100) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("people", "effect", "least"),
    [(100, 0.0, 0.9), (100, 0.3, 0.9), (40, 0.3, 0.85), (100, 0.5, 0.85)],
)
def test_intervals_hold_the_truth_as_often_as_they_say(
    people: int, effect: float, least: float
) -> None:
    found = coverage(people, effect, 120, 300)
    assert min(found.values()) >= least, found


@pytest.mark.slow
def test_planted_differences_are_found_and_others_hardly_ever() -> None:
    # Strangers of group b match 5 times as often.
    assert told_apart(0.8, 100, 300) >= 0.95
    assert told_apart(0.0, 100, 300) <= 0.1
