"""Verify: are two faces the same person's?"""

from dataclasses import dataclass

from likeness.terms.calibration import Calibration, OperatingPoint
from likeness.terms.face import Face
from likeness.terms.template import Comparison, Template, compare


@dataclass(frozen=True, slots=True)
class Verification:
    """What was compared, how alike it is, and what that means.

    `fmr` is how often two strangers score as high; `same` is whether the score reaches the
    threshold of `point`, and is never true where that was not calibrated. `reference_faces` and
    `probe_faces` are how many faces the two were chosen among.
    """

    reference: Face
    probe: Face
    comparison: Comparison
    fmr: float
    similarity: float
    point: OperatingPoint
    same: bool
    reference_faces: int = 1
    probe_faces: int = 1


def verify(
    reference: tuple[Face, Template],
    probe: tuple[Face, Template],
    calibration: Calibration,
    point: OperatingPoint,
) -> Verification:
    """Compare two faces at one operating point.

    Raises:
        ModelMismatch: their templates come from different models or cohorts.
    """
    comparison = compare(reference[1], probe[1])
    return Verification(
        reference[0],
        probe[0],
        comparison,
        fmr=calibration.fmr(comparison.score),
        similarity=calibration.similarity(comparison.score),
        point=point,
        same=point.calibrated and comparison.score >= point.threshold,
    )
