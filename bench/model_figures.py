"""What a model's card says of its errors, worst first: `make bench` measures, cards repeat it.

Misses are of LFW deep-funneled View 1. Rates within a group are of utk_balanced, at the thresholds
that View 1 gives, which are those in force: so they say what an operator gets.
"""

import csv
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bench import evenness, lfw
from bench.embedded import Scores
from bench.workplace import data
from likeness.evaluation import fmr_at, fnmr_at, threshold_at_fmr, wilson
from likeness.vision.cohorts.standards import GroupRate, Miss, ModelFigures, Unevenness

_RATES = (1e-3, 1e-4, 1e-5, 2.4e-6)
_AT = 1e-3
_UNEVEN_AT = (1e-2, 1e-3)
_SEXES, _RACES = ("men", "women"), ("White", "Black", "Asian", "Indian", "other")


def figures_of(recogniser: str) -> ModelFigures:
    """Measure what the card of a recogniser says."""
    mated, non_mated = lfw.masks()
    embedded = lfw.embedded(recogniser)
    deciding, raw = embedded.scores(), embedded.raw_scores()
    strangers, mates = deciding[non_mated], deciding[mated]
    misses = tuple(
        Miss(
            rate,
            _rounded(fnmr_at(threshold_at_fmr(strangers, rate), mates)),
            _rounded(fnmr_at(threshold_at_fmr(raw[non_mated], rate), raw[mated])),
        )
        for rate in _RATES
    )
    crops = evenness.crops(recogniser)
    scores = crops.deciding.scores()
    np.fill_diagonal(scores, -np.inf)
    scores[evenness.one_person_twice(recogniser)] = -np.inf
    threshold = threshold_at_fmr(strangers, _AT)
    groups = [
        *_within(scores, [_named(group) for group in crops.groups], threshold),
        *_within(scores, list(crops.ages), threshold),
    ]
    kinds = np.array([f"{a} {b}" for a, b in zip(crops.groups, crops.ages, strict=True)])
    alike = scores[np.triu(kinds[:, None] == kinds, 1) & np.isfinite(scores)]
    return ModelFigures(
        measured_on=(
            "LFW deep-funneled View 1 (label errors left out) and UTKFace (990 crops, people who"
            " are there twice left out)"
        ),
        misses=misses,
        misses_of_women=_rounded(_missed(deciding, mated, "F", threshold)),
        misses_of_men=_rounded(_missed(deciding, mated, "M", threshold)),
        groups=tuple(sorted(groups, key=lambda one: -one.fmr)),
        alike=tuple(
            (rate, _rounded(fmr_at(threshold_at_fmr(strangers, rate), alike)))
            for rate in _RATES[:3]
        ),
        unevenness=unevenness_of(recogniser),
    )


def unevenness_of(recogniser: str) -> tuple[Unevenness, ...]:
    """Give what `even-1e-2`, `even-1e-3` and `even-age` print, by deciding and by raw score."""
    groups, raw_groups, _ = evenness.strangers(recogniser=recogniser)
    ages, raw_ages, _ = evenness.strangers(by_age=True, recogniser=recogniser)
    kinds = (groups, raw_groups, ages, raw_ages)
    return tuple(
        Unevenness(rate, *(_rounded(kind.unevenness(rate)) for kind in kinds))
        for rate in _UNEVEN_AT
    )


def _within(scores: Scores, groups: list[str], threshold: float) -> Iterator[GroupRate]:
    counts = evenness.count_strangers(scores, groups, threshold)
    columns = (counts.labels, counts.within_errors.tolist(), counts.within_trials.tolist())
    for group, errors, trials in zip(*columns, strict=True):
        # People who recur in pairs make the interval too narrow.
        low, high = wilson(errors, trials)
        yield GroupRate(group, *map(_rounded, (errors / trials, low, high)))


def _missed(scores: Scores, mated: NDArray[np.bool_], gender: str, threshold: float) -> float:
    of = np.array([_genders().get(path.parent.name) == gender for path in lfw.pictures_of_lfw()])
    return fnmr_at(threshold, scores[mated & of[:, None]])


@cache
def _genders() -> dict[str, str]:
    with (data("lfw_view1") / "lfw_demographics.csv").open(newline="") as file:
        return {row["identity"]: row["gender"] for row in csv.DictReader(file)}


def _named(group: str) -> str:
    sex, race = map(int, group.split("_"))
    return f"{_RACES[race]} {_SEXES[sex]}"


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
