"""Verify that a face is that of a person in a picture: pass, no, or let a person look.

1. Every face of the picture is a chance for strangers, so the threshold is that of a rate so much
   lower that a picture of strangers passes no more often than was asked for, however many they are.
2. The person is missed as often as with one face at that threshold: other faces take nothing away.
3. A face that is not fit to decide by is referred, however it scores, but for the same face of the
   same picture: no rate was measured on such faces.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from likeness.service.search.faces import ComparedPicture, FaceInPicture
from likeness.terms import (
    Calibration,
    Comparison,
    Face,
    GroupWarning,
    OperatingPoint,
    rate_of_any,
)


class Answer(StrEnum):
    """What a gate does with two faces."""

    PASS = "pass"  # noqa: S105  # an answer, not a password
    """Strangers hardly ever score as high."""
    REFER = "refer"
    """A person decides: the score or a picture does not settle it."""
    NO = "no"
    """Pictures of one person hardly ever score as low."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Two rates that set three regions of scores.

    `point` is passed from its score on, which one of so many strangers as there are `faces` reaches
    with the rate `fmr`, and each of them with the point's. Below `no_below`, which pictures of one
    person miss with the rate `fnmr`, the answer is no; None where nobody measured that, and then
    every other score is referred. In between a person decides.
    """

    point: OperatingPoint
    fmr: float
    fnmr: float
    no_below: float | None
    faces: int = 1

    @classmethod
    def of(cls, calibration: Calibration, *, fmr: float, fnmr: float, faces: int = 1) -> "Gate":
        """Set the regions by the false match rate to pass and the rate of misses to say no.

        Both are rates of the whole picture, which has so many `faces` to compare.
        """
        several = faces > 1
        point = calibration.point_for_gallery(faces, fmr) if several else calibration.point(fmr)
        return cls(point, fmr, fnmr, calibration.score_missed_by(fnmr), faces)

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

    `fmr` is how often two strangers score as high, `fmr_any` how often any of so many strangers as
    faces were compared does, `fmr_alike` how often two of one sex, race and age do, `fnmr` how
    often two pictures of one person score less than the threshold in force; None where nobody
    measured them. `extrapolated` is whether one of the first two is too rare to have
    been counted, and `fmr_interval` the 95% interval of the first where it is. `same` is whether
    the score reaches the threshold of `point`, and is never true where that was not calibrated, but
    for a picture with itself. `answer` is what a gate does, and `reason` why. `reference_faces` and
    `probe_faces` are how many faces the two pictures have; `others` are the other faces of the
    probe that were compared, best first. `group_warning` is of groups whose strangers reach the
    threshold in force far more often than was asked for. `reference_remarks` and `probe_remarks`
    say what of the pictures was lost or guessed in decoding.
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
    reference_remarks: tuple[str, ...] = ()
    probe_remarks: tuple[str, ...] = ()
    others: tuple["Verification", ...] = ()
    group_warning: GroupWarning | None = None

    @property
    def fmr_any(self) -> float:
        """How often any of so many strangers as faces were compared scores as high."""
        return rate_of_any(self.gate.faces, self.fmr)

    @property
    def point(self) -> OperatingPoint:
        """The threshold in force."""
        return self.gate.point


def verify_pictures(
    reference: ComparedPicture,
    probe: ComparedPicture,
    calibration: Calibration,
    *,
    fmr: float,
    fnmr: float,
    warn_from: float = 0.0,
) -> Verification:
    """Compare the foremost face of the reference with the faces of the probe, and give the best.

    The best is the one with the highest score of those that pass, or of all where none does.

    Args:
        reference: the picture of the person.
        probe: the picture in which the person is looked for.
        calibration: what a score means.
        fmr: how often a picture of strangers may pass, however many they are.
        fnmr: how often a picture of the person may be answered with no.
        warn_from: at which multiple of the rate asked for a group's is warned of; 0 never.

    Raises:
        ModelMismatch: their templates come from different models or cohorts.
    """
    gate = Gate.of(calibration, fmr=fmr, fnmr=fnmr, faces=len(probe.faces))
    verified = [
        replace(
            verify(reference.foremost, face, calibration, gate),
            reference_faces=reference.count,
            probe_faces=probe.count,
            reference_remarks=reference.remarks,
            probe_remarks=probe.remarks,
        )
        for face in probe.faces
    ]
    verified.sort(key=lambda one: (one.answer is not Answer.PASS, -one.comparison.score))
    return replace(
        verified[0],
        others=tuple(verified[1:]),
        group_warning=calibration.group_warning(gate.point, warn_from),
    )


def verify(
    reference: FaceInPicture, probe: FaceInPicture, calibration: Calibration, gate: Gate
) -> Verification:
    """Compare two faces at a gate.

    Raises:
        ModelMismatch: their templates come from different models or cohorts.
    """
    comparison = reference.compared(probe)
    score = comparison.score
    answer, reason = _answered(gate, comparison, reference.face, probe.face)
    alike = calibration.alike
    return Verification(
        reference.face,
        probe.face,
        comparison,
        fmr=calibration.fmr(score),
        fmr_alike=None if alike is None else alike.fmr(score),
        fnmr=calibration.fnmr(gate.point.threshold),
        similarity=calibration.similarity(score),
        gate=gate,
        same=gate.point.is_reached(score),
        extrapolated=calibration.rests_on_tail(score),
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
    # Rates were measured on faces that are fit: of others they say nothing, yes or no.
    unfit = [
        f"the {which} face is not fit to decide by ({', '.join(face.quality.reasons)})"
        for which, face in (("reference", reference), ("probe", probe))
        if not face.quality.fit_to_enrol
    ]
    if unfit:
        said = " and ".join(unfit)
        return Answer.REFER, f"{said[0].upper()}{said[1:]}."
    answer = gate.answer(comparison.score)
    if answer is Answer.NO:
        return (
            answer,
            f"Pictures of one person score as low in {100 * gate.fnmr:.2g}% of cases at most.",
        )
    if answer is Answer.PASS:
        whose = "Strangers score" if gate.faces == 1 else f"One of {gate.faces} strangers scores"
        return answer, f"{whose} as high in {100 * gate.fmr:.2g}% of cases at most."
    if not gate.point.calibrated:
        return answer, "Nobody knows from which score on strangers are as rare as was asked for."
    return answer, "Neither strangers nor pictures of one person usually score like this."
