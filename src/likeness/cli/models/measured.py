"""What is known of a recogniser's errors here: its cohort and its calibration."""

from likeness.app import Installation
from likeness.cli.answers import Json, significant
from likeness.cli.words import one_in
from likeness.errors import NotFound
from likeness.terms.calibration import Calibration
from likeness.vision.cards import ModelCard


def measured_in_words(settled: Installation, card: ModelCard) -> list[str]:
    """Say on what the recogniser in use was measured, and down to which rate."""
    if card.name != settled.recogniser.name:
        return []
    calibration = _calibration(settled)
    if calibration is None:
        return [
            "Not calibrated here, so a score has no error rate: likeness models calibrate FOLDER"
        ]
    return [
        f"Calibrated on {calibration.measured_on}, down to a false match rate of"
        f" {one_in(calibration.lowest_fmr)}; with cohort {calibration.cohort_version}."
    ]


def measured_json(settled: Installation, card: ModelCard) -> Json | None:
    """Say the same in JSON; null for a model that is not the recogniser in use."""
    calibration = _calibration(settled) if card.name == settled.recogniser.name else None
    if calibration is None:
        return None
    return {
        "model": calibration.model,
        "cohort": calibration.cohort_version,
        "measured_on": calibration.measured_on,
        "lowest_fmr": significant(calibration.lowest_fmr),
    }


def _calibration(settled: Installation) -> Calibration | None:
    try:
        cohort = settled.standards.cohort(settled.model)
        return settled.standards.calibration(settled.model, cohort.version)
    except NotFound:
        return None
