"""Verify that two faces are one person's: pass, no, or let a person look."""

from dataclasses import dataclass
from enum import StrEnum

from likeness.terms.calibration import Calibration, OperatingPoint
from likeness.terms.face import Face
from likeness.terms.template import SAME_PICTURE, Comparison, Template, compare


class Answer(StrEnum):
    """What a gate does with two faces."""

    PASS = "pass"
    """Strangers hardly ever score as high."""
    REFER = "refer"
    """A person decides: the score or a picture does not settle it."""
    NO = "no"
    """Pictures of one person hardly ever score as low."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Two rates that set three regions of scores.

    `point` is passed from its score on, which strangers reach with its rate. Below `no_below`,
    which pictures of one person miss with the rate `fnmr`, the answer is no; None where nobody
    measured that, and then every other score is referred. In between a person decides.
    """

    point: OperatingPoint
    fnmr: float
    no_below: float | None

    @classmethod
    def of(cls, calibration: Calibration, *, fmr: float, fnmr: float) -> "Gate":
        """Set the regions by the false match rate to pass and the rate of misses to say no."""
        return cls(calibration.point(fmr), fnmr, calibration.score_missed_by(fnmr))

    def answer(self, score: float) -> Answer:
        """Answer a score, whatever the pictures are like."""
        if self.point.is_reached(score):
            return Answer.PASS
        if self.no_below is not None and score < self.no_below:
            return Answer.NO
        return Answer.REFER


@dataclass(frozen=True, slots=True)
class Verification:
    """What was compared, how alike it is, and what that means.

    `fmr` is how often two strangers score as high, `fmr_alike` how often two of one sex, race and
    age do, `fnmr` how often two pictures of one person score less than the threshold in force; None
    where nobody measured them. `extrapolated` is whether one of the first two is too rare to have
    been counted, and `fmr_interval` the 95% interval of the first where it is. `same` is whether
    the score reaches the threshold of `point`, and is never true where that was not calibrated, but
    for a picture with itself. `answer` is what a gate does, and `reason` why. `reference_faces` and
    `probe_faces` are how many faces the two were chosen among.
    """

    reference: Face
    probe: Face
    comparison: Comparison
    fmr: float
    fmr_alike: float | None
    fnmr: float | None
    similarity: float
    gate: Gate
    same: bool
    extrapolated: bool
    fmr_interval: tuple[float, float] | None
    answer: Answer
    reason: str
    reference_faces: int = 1
    probe_faces: int = 1

    @property
    def point(self) -> OperatingPoint:
        """The threshold in force."""
        return self.gate.point


def verify(
    reference: tuple[Face, Template],
    probe: tuple[Face, Template],
    calibration: Calibration,
    gate: Gate,
    *,
    same_picture: bool = False,
) -> Verification:
    """Compare two faces at a gate; `same_picture` says that both are one face of one picture.

    Raises:
        ModelMismatch: their templates come from different models or cohorts.
    """
    comparison = SAME_PICTURE if same_picture else compare(reference[1], probe[1])
    score = comparison.score
    answer, reason = _answered(gate, comparison, reference[0], probe[0])
    alike = calibration.alike
    return Verification(
        reference[0],
        probe[0],
        comparison,
        fmr=calibration.fmr(score),
        fmr_alike=None if alike is None else alike.fmr(score),
        fnmr=calibration.fnmr(gate.point.threshold),
        similarity=calibration.similarity(score),
        gate=gate,
        same=gate.point.is_reached(score),
        extrapolated=calibration.is_extrapolated(score)
        or (alike is not None and alike.is_extrapolated(score)),
        fmr_interval=calibration.interval(score),
        answer=answer,
        reason=reason,
    )


def _answered(
    gate: Gate, comparison: Comparison, reference: Face, probe: Face
) -> tuple[Answer, str]:
    """Answer, and say why: by the score, and by whether both pictures can carry it."""
    if comparison.is_identical:
        return Answer.PASS, "Both are the same face of the same picture."
    answer = gate.answer(comparison.score)
    if answer is Answer.NO:
        return (
            answer,
            f"Pictures of one person score as low in {100 * gate.fnmr:.2g}% of cases at most.",
        )
    unfit = [
        f"the {which} face is not fit to decide by ({', '.join(face.quality.reasons)})"
        for which, face in (("reference", reference), ("probe", probe))
        if not face.quality.fit_to_enrol
    ]
    if unfit:
        said = " and ".join(unfit)
        return Answer.REFER, f"{said[0].upper()}{said[1:]}."
    if answer is Answer.PASS:
        return answer, f"Strangers score as high in {100 * gate.point.fmr:.2g}% of cases at most."
    if not gate.point.calibrated:
        return answer, "Nobody knows from which score on strangers are as rare as was asked for."
    return answer, "Neither strangers nor pictures of one person usually score like this."
