"""What a model's card says of its errors, worst first: `make bench` measures, cards repeat it.

Misses are of LFW deep-funneled View 1. Rates within a group are of utk_balanced, at the thresholds
that View 1 gives, which are those in force: so they say what an operator gets. They are those of
the audit that the card carries.
"""

import csv
from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bench import evenness, lfw
from bench.audited import groups_by
from bench.embedded import Scores
from bench.workplace import data
from likeness.evaluation import fmr_at, fnmr_at, threshold_at_fmr
from likeness.service.evaluate.findings import Report
from likeness.vision.cohorts.standards import (
    GroupFailures,
    GroupRate,
    Miss,
    ModelFigures,
    Unevenness,
)

_RATES = (1e-3, 1e-4, 1e-5, 2.4e-6)
_AT = 1e-3
_UNEVEN_AT = (1e-2, 1e-3)


def figures_of(recogniser: str, reports: Mapping[str, Report]) -> ModelFigures:
    """Measure what the card of a recogniser says; `reports` are the audits that it carries."""
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
        groups=_groups(reports["utkface"]),
        alike=tuple(
            (rate, _rounded(fmr_at(threshold_at_fmr(strangers, rate), alike)))
            for rate in _RATES[:3]
        ),
        unevenness=unevenness_of(recogniser),
        failures=(
            *_failures(reports["fairface"], "FairFace"),
            *_failures(reports["utkface"], "UTKFace"),
        ),
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


def _groups(report: Report) -> tuple[GroupRate, ...]:
    """Give the rate within each group at the threshold in force, worst first."""
    found = [
        GroupRate(group.group, *map(_rounded, (rate.value, rate.low or 0.0, rate.high or 1.0)))
        for axis in groups_by(report)
        for group in axis.groups
        if (rate := group.fmr).value is not None
    ]
    return tuple(sorted(found, key=lambda one: -one.fmr))


def _failures(report: Report, where: str) -> Iterator[GroupFailures]:
    """Give the failures of the groups of each axis, worst first."""
    found = [
        GroupFailures(
            where,
            f"{axis.axis} {group.group}",
            rate.errors,
            rate.trials,
            *map(_rounded, (rate.low or 0.0, rate.high or 1.0)),
        )
        for axis in groups_by(report)
        if " x " not in axis.axis
        for group in axis.groups
        if (rate := group.fta).trials
    ]
    yield from sorted(found, key=lambda one: -one.failed / one.pictures)


def _missed(scores: Scores, mated: NDArray[np.bool_], gender: str, threshold: float) -> float:
    of = np.array([_genders().get(path.parent.name) == gender for path in lfw.pictures_of_lfw()])
    return fnmr_at(threshold, scores[mated & of[:, None]])


@cache
def _genders() -> dict[str, str]:
    with (data("lfw_view1") / "lfw_demographics.csv").open(newline="") as file:
        return {row["identity"]: row["gender"] for row in csv.DictReader(file)}


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
