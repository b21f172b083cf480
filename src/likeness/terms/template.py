"""What is compared: a template that never forgets its model, evened out by a cohort."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.errors import ModelMismatch

IDENTICAL = 0.0
"""The score of a picture with itself, which nothing exceeds."""
# Two runs over the same pixels differ by rounding, and by no more than this.
_SAME_BUT_FOR_ROUNDING = 1e-5
# Where strangers are as alike as this, a distance from them is no unit any more.
LEAST_UNIT = 0.05


@dataclass(frozen=True, slots=True)
class CohortStatistics:
    """Where one template stands towards a cohort of other people's templates.

    `mean` is that of its highest raw scores against the cohort; `version` names the cohort and the
    way it was computed.
    """

    mean: float
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

    `raw_score` is their cosine, -1 to 1. `score` is the relative distance, negated: 0 for a face
    compared with itself, -1 for one as far off as the nearest strangers usually are. It decides,
    because one value of it means nearly one error rate for everybody.
    """

    raw_score: float
    score: float

    @property
    def is_identical(self) -> bool:
        """Whether both are the same face of the same picture."""
        return self.score >= IDENTICAL


SAME_PICTURE = Comparison(1.0, IDENTICAL)
"""What comparing a face with itself comes to, by whatever processor each template was made."""


def compare(reference: Template, probe: Template) -> Comparison:
    """Compare two templates of one model and one cohort.

    Raises:
        ModelMismatch: they come from different models or cohorts.
    """
    if reference.model != probe.model:
        raise ModelMismatch(
            f"These templates are of two models, {reference.model} and {probe.model}. Make both"
            " with the same model."
        )
    if reference.cohort.version != probe.cohort.version:
        raise ModelMismatch(
            f"These templates are evened out by two cohorts, {reference.cohort.version} and"
            f" {probe.cohort.version}. Even one of them out again."
        )
    raw = float(reference.vector @ probe.vector)
    return Comparison(raw, relative_score(raw, reference.cohort.mean, probe.cohort.mean))


def relative_score(raw_score: float, a_mean: float, b_mean: float) -> float:
    """Give the relative distance of two templates, negated: 0 when they are one.

    It is -(1 - s) / (1 - (a + b) / 2) for a raw score s: a distance in units of how far off the
    nearest strangers usually are. Local scaling (Zelnik-Manor and Perona, Self-Tuning Spectral
    Clustering, NIPS 2004) is its relative.
    """
    return float(relative_scores(np.array([raw_score]), np.array([a_mean]), np.array([b_mean]))[0])


def relative_scores(
    raw_scores: NDArray[np.floating],
    a_means: NDArray[np.floating],
    b_means: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Give `relative_score` of whole arrays, which NumPy broadcasts against each other."""
    distance = 1.0 - np.asarray(raw_scores, np.float64)
    distance = np.where(distance <= _SAME_BUT_FOR_ROUNDING, 0.0, distance)
    units = 1.0 - (np.asarray(a_means, np.float64) + np.asarray(b_means, np.float64)) / 2.0
    return np.asarray(-distance / np.maximum(units, LEAST_UNIT) + 0.0, np.float64)
