"""How likely is it that what a detector found is a face? Its score, as a share that was measured.

A detector's score orders what it finds and means nothing by itself: at 0.8 a network may be wrong
once in 500 times. A curve over the score says how often such a find was a face. It is logistic
(J. Platt, Probabilistic Outputs for Support Vector Machines, 1999), fitted to the pictures of
crowds that `make bench ONLY=face-likelihood` reads, where faces nobody labelled count as mistakes.
"""

import math
from dataclasses import dataclass

from likeness.vision.models.cards import Form


@dataclass(frozen=True, slots=True)
class Curve:
    """A logistic curve over a score."""

    offset: float
    slope: float

    def at(self, score: float) -> float:
        """Give the share of finds of this score that are faces, 0 to 1."""
        return 1 / (1 + math.exp(-(self.offset + self.slope * score)))


CURVES = {Form.CENTERFACE: Curve(-3.26, 11.40)}
"""Of the detectors that were measured."""


def face_likelihood(score: float, detector: Form) -> float:
    """Give the share of a detector's finds of this score that are faces, 0 to 1.

    Of a detector that nobody measured, the score itself.
    """
    curve = CURVES.get(detector)
    return score if curve is None else curve.at(score)
