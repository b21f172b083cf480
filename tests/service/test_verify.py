"""What a gate does with two faces: pass, refer to a person, or no."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import ModelMismatch
from likeness.service.verify import Answer, Gate, Verification, verify
from likeness.terms.calibration import Calibration
from likeness.terms.face import Face, QualityReason
from likeness.terms.template import IDENTICAL, CohortStatistics, Template
from tests.gallery.galleries import face

CALIBRATION = Calibration(
    "m",
    "c",
    (-1.1, -0.5),
    (1.0, 1e-6),
    10**8,
    "anybody",
    misses=((-1.0, 0.0), (-0.9, 0.001), (-0.8, 0.01), (-0.5, 0.5)),
    alike=Calibration("m", "c", (-0.9, -0.3), (1.0, 1e-6), 10**6, "people who are alike"),
)
UNFIT = replace(face(), quality=replace(face().quality, reasons=(QualityReason.LOW_SHARPNESS,)))


def gate(fmr: float = 1e-4, fnmr: float = 0.001, calibration: Calibration = CALIBRATION) -> Gate:
    return Gate.of(calibration, fmr=fmr, fnmr=fnmr)


def of_score(score: float, model: str = "m") -> tuple[Template, Template]:
    """Two templates that compare with a score, where nobody crowds."""
    raw = 1.0 + score
    one, other = np.array([1.0, 0.0]), np.array([raw, np.sqrt(1.0 - raw**2)])
    nowhere = CohortStatistics(0.0, "c")
    return Template(one.astype(np.float32), "m", nowhere), Template(
        other.astype(np.float32), model, nowhere
    )


def verified(
    score: float, reference: Face | None = None, probe: Face | None = None, **changed: bool
) -> Verification:
    one, other = of_score(score)
    faces = reference or face(), probe or face()
    return verify((faces[0], one), (faces[1], other), CALIBRATION, gate(), **changed)


@pytest.mark.parametrize(
    ("score", "answer"),
    [
        (-0.2, Answer.PASS),
        (-0.69, Answer.PASS),
        (-0.71, Answer.REFER),
        (-0.89, Answer.REFER),
        (-0.91, Answer.NO),
        (-1.5, Answer.NO),
    ],
)
def test_two_rates_set_three_regions(score: float, answer: Answer) -> None:
    assert gate().answer(score) is answer
    found = verified(score)
    assert found.answer is answer
    assert found.same == (answer is Answer.PASS)


@given(st.floats(-2.0, 0.0), st.floats(-2.0, 0.0))
def test_a_higher_score_is_never_answered_more_strictly(a: float, b: float) -> None:
    order = [Answer.NO, Answer.REFER, Answer.PASS]
    low, high = sorted((a, b))
    assert order.index(gate().answer(low)) <= order.index(gate().answer(high))


def test_the_more_misses_are_allowed_the_more_is_answered_with_no() -> None:
    assert gate(fnmr=0.01).answer(-0.81) is Answer.NO
    assert gate(fnmr=0.001).answer(-0.81) is Answer.REFER


def test_where_nobody_measured_misses_nothing_is_answered_with_no() -> None:
    unmeasured = gate(calibration=replace(CALIBRATION, misses=()))
    assert unmeasured.no_below is None
    assert unmeasured.answer(-1.9) is Answer.REFER


def test_at_a_rate_that_was_not_measured_only_a_picture_with_itself_passes() -> None:
    strict = gate(fmr=1e-9)
    assert strict.answer(-0.01) is Answer.REFER
    assert strict.answer(-0.95) is Answer.NO
    assert strict.answer(IDENTICAL) is Answer.PASS
    one, other = of_score(-0.2)
    found = verify((face(), one), (face(), other), CALIBRATION, strict)
    assert (found.answer, found.same) == (Answer.REFER, False)
    assert "as rare as was asked for" in found.reason


@pytest.mark.parametrize("which", ["reference", "probe"])
def test_a_face_that_is_not_fit_to_decide_by_does_not_pass_and_may_be_a_no(which: str) -> None:
    unfit = {which: UNFIT}
    found = verified(-0.2, **unfit)
    assert (found.answer, found.same) == (Answer.REFER, True)
    assert found.reason == f"The {which} face is not fit to decide by (LOW_SHARPNESS)."
    assert verified(-1.5, **unfit).answer is Answer.NO


def test_one_face_of_one_picture_passes_however_it_looks() -> None:
    found = verified(-0.9, UNFIT, UNFIT, same_picture=True)
    assert (found.answer, found.same, found.similarity) == (Answer.PASS, True, 100.0)
    assert found.comparison.score == IDENTICAL
    assert "same face of the same picture" in found.reason


def test_a_verification_says_what_its_score_and_its_threshold_mean() -> None:
    found = verified(-0.6)
    assert found.fmr == pytest.approx(1e-5, rel=1e-3)
    assert found.fmr_alike == pytest.approx(1e-3, rel=1e-3)
    assert found.fnmr == CALIBRATION.fnmr(found.point.threshold)
    assert found.similarity == CALIBRATION.similarity(found.comparison.score)
    assert not found.extrapolated
    nobody = replace(CALIBRATION, alike=None, misses=())
    one, other = of_score(-0.6)
    unmeasured = verify((face(), one), (face(), other), nobody, gate(calibration=nobody))
    assert (unmeasured.fmr_alike, unmeasured.fnmr) == (None, None)


def test_templates_of_two_models_are_not_verified() -> None:
    one, other = of_score(-0.6, model="other")
    with pytest.raises(ModelMismatch):
        verify((face(), one), (face(), other), CALIBRATION, gate())
