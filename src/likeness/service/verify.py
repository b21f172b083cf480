"""Verify: are the largest faces of two samples the same person's?"""

from dataclasses import dataclass

from likeness.terms.calibration import Calibration, OperatingPoint
from likeness.terms.face import Face
from likeness.terms.template import Comparison, compare
from likeness.vision.decode import Sample
from likeness.vision.find import FaceFinder


@dataclass(frozen=True, slots=True)
class Verification:
    """What was compared, how alike it is, and what that means.

    `fmr` is how often two strangers score as high; `same` is whether the score reaches the
    threshold of `point`.
    """

    reference: Face
    probe: Face
    comparison: Comparison
    fmr: float
    similarity: float
    point: OperatingPoint
    same: bool


class Verifier:
    """Compares samples at one operating point."""

    def __init__(self, finder: FaceFinder, calibration: Calibration, point: OperatingPoint) -> None:
        self._finder = finder
        self._calibration = calibration
        self._point = point

    def verify(self, reference: Sample, probe: Sample) -> Verification:
        """Compare the largest faces of two samples.

        Raises:
            NoFace: one of them has none.
        """
        reference_face, reference_template = self._finder.largest(reference)
        probe_face, probe_template = self._finder.largest(probe)
        comparison = compare(reference_template, probe_template)
        return Verification(
            reference_face,
            probe_face,
            comparison,
            fmr=self._calibration.fmr(comparison.score),
            similarity=self._calibration.similarity(comparison.score),
            point=self._point,
            same=comparison.score >= self._point.threshold,
        )
