"""What a score means: its false match rate, and the similarity shown for it."""

import math
from dataclasses import dataclass

SIMILARITY_EXPONENT = math.log10(20) / 2


def similarity(fmr: float) -> float:
    """Similarity, 0 to 100, for a false match rate: 80 is 1e-3, 99 is 1e-5 (floored at 0)."""
    return max(0.0, 100.0 * (1.0 - math.sqrt(320.0) * math.pow(fmr, SIMILARITY_EXPONENT)))


def fmr_of_similarity(value: float) -> float:
    """The false match rate that a similarity, 0 to 100, stands for; inverse of `similarity`."""
    return float(((1.0 - value / 100.0) / math.sqrt(320.0)) ** (1.0 / SIMILARITY_EXPONENT))


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold and the false match rate that it was chosen for.

    `calibrated` is false where the rate asked for lies beyond what was measured: then nothing may
    be called a match.
    """

    threshold: float
    fmr: float
    calibrated: bool
