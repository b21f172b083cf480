"""What is known of a recogniser's errors: its cohort, its calibration, and what was measured."""

from dataclasses import asdict

from likeness.app import Installation
from likeness.cli.terminal.answers import Json, significant
from likeness.cli.terminal.words import one_in
from likeness.errors import NotFound
from likeness.terms import Calibration
from likeness.vision.models.cards import ModelCard
from likeness.vision.models.model_figures import GroupRate, ModelFigures
from likeness.vision.networks.forms import Task


def measured_in_words(settled: Installation, card: ModelCard) -> list[str]:
    """Say on what a recogniser was measured, down to which rate, and how it errs, worst first."""
    if card.task is not Task.RECOGNISER:
        return []
    calibration = _calibration(settled, card)
    if calibration is None:
        return [
            "Not calibrated here, so a score has no error rate: likeness models calibrate FOLDER"
        ]
    figures = settled.standards.figures(calibration.model, calibration.cohort_version)
    return [
        f"Calibrated on {calibration.measured_on}, down to a false match rate of"
        f" {one_in(calibration.least_counted)}, and by its tail to"
        f" {one_in(calibration.lowest_fmr)}; with cohort {calibration.cohort_version}.",
        *([] if figures is None else _figures_in_words(figures)),
    ]


def measured_json(settled: Installation, card: ModelCard) -> Json | None:
    """Say the same in JSON; null for a model that is no recogniser, or not calibrated."""
    calibration = _calibration(settled, card) if card.task is Task.RECOGNISER else None
    if calibration is None:
        return None
    figures = settled.standards.figures(calibration.model, calibration.cohort_version)
    return {
        "model": calibration.model,
        "cohort": calibration.cohort_version,
        "measured_on": calibration.measured_on,
        "least_counted_fmr": significant(calibration.least_counted),
        "lowest_fmr": significant(calibration.lowest_fmr),
        "figures": None if figures is None else asdict(figures),
    }


def _figures_in_words(figures: ModelFigures) -> list[str]:
    groups = "; ".join(_group(one) for one in figures.groups)
    misses = "; ".join(
        f"{_percent(one.fnmr)} at {one_in(one.fmr)} (raw score {_percent(one.raw_fnmr)})"
        for one in figures.misses
    )
    alike = "; ".join(f"{one_in(b)}, where {one_in(a)} of any do" for a, b in figures.alike)
    uneven = "; ".join(
        f"at {one_in(one.fmr)} by sex and race {one.by_sex_and_race:g} (raw score"
        f" {one.by_sex_and_race_raw:g}), by age {one.by_age:g} ({one.by_age_raw:g})"
        for one in figures.unevenness
    )
    return [
        f"Measured on {figures.measured_on}.",
        "Strangers within a group match more often than any, at a false match rate of 1 in 1,000"
        f" (95% intervals): {groups}.",
        f"Limit: strangers who are alike, of one sex, race and age, match far more often: {alike}.",
        f"Missed pairs of one person: {misses}. Women {_percent(figures.misses_of_women)}, men"
        f" {_percent(figures.misses_of_men)} at 1 in 1,000.",
        f"Unevenness (highest rate within a group over their geometric mean): {uneven}.",
    ]


def _group(rate: GroupRate) -> str:
    return f"{rate.group} {one_in(rate.fmr)} ({one_in(rate.low)} to {one_in(rate.high)})"


def _percent(share: float) -> str:
    return f"{100 * share:.2g}%"


def _calibration(settled: Installation, card: ModelCard) -> Calibration | None:
    model = settled.template_model(card.name).name
    try:
        return settled.standards.calibration(model, settled.standards.cohort(model).version)
    except NotFound:
        return None
