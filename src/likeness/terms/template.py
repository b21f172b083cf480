"""What is compared: a template that never forgets its model, evened out by a cohort."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.errors import ModelMismatch


@dataclass(frozen=True, slots=True)
class CohortStatistics:
    """Where one template stands towards a cohort of other people's templates.

    `mean` and `deviation` are those of its highest raw scores against the cohort; `version`
    names the cohort and the way they were computed.
    """

    mean: float
    deviation: float
    version: str


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """Comparable features of one face.

    `vector` is (d,) float32 of length one. `model` names recogniser, detector, alignment and chips.
    """

    vector: NDArray[np.float32]
    model: str
    cohort: CohortStatistics


@dataclass(frozen=True, slots=True)
class Comparison:
    """How alike two templates are, higher is more alike.

    `raw_score` is their cosine, -1 to 1. `score` is the same after cohort normalisation: it
    decides, because one value of it means nearly one error rate for everybody.
    """

    raw_score: float
    score: float


def compare(reference: Template, probe: Template) -> Comparison:
    """Compare two templates of one model and one cohort.

    Adaptive symmetric score normalisation: Cumani et al., Comparison of Speaker Recognition
    Approaches for Real Applications, Interspeech 2011.

    Raises:
        ModelMismatch: they come from different models or cohorts.
    """
    if reference.model != probe.model:
        raise ModelMismatch(
            f"templates of one model are needed; these are of {reference.model} and {probe.model}:"
            " make both with the same model"
        )
    if reference.cohort.version != probe.cohort.version:
        raise ModelMismatch(
            "templates normalised against one cohort are needed; these are of"
            f" {reference.cohort.version} and {probe.cohort.version}: normalise one of them again"
        )
    raw = float(reference.vector @ probe.vector)
    return Comparison(raw, normalised(raw, reference.cohort, probe.cohort))


def normalised(raw_score: float, a: CohortStatistics, b: CohortStatistics) -> float:
    """Even a raw score out by what both templates score against strangers."""
    return ((raw_score - a.mean) / a.deviation + (raw_score - b.mean) / b.deviation) / 2


def normalised_all(
    raw_scores: NDArray[np.float64],
    means: NDArray[np.float64],
    deviations: NDArray[np.float64],
    probe: CohortStatistics,
) -> NDArray[np.float64]:
    """Even out the (n,) raw scores of a probe with templates of (n,) statistics; the same sums."""
    own = (raw_scores - means) / deviations
    return (own + (raw_scores - probe.mean) / probe.deviation) / 2
