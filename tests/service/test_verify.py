"""What a gate does with two faces: pass, refer to a person, or no."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import ModelMismatch
from likeness.service.search.faces import ComparedPicture, FaceInPicture
from likeness.service.search.verify import Answer, Gate, Verification, verify, verify_pictures
from likeness.terms import (
    IDENTICAL,
    Calibration,
    CohortStatistics,
    Face,
    QualityReason,
    SeenFace,
    Template,
)
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


def person(looks: Face | None = None) -> FaceInPicture:
    """The face that others are compared with, where nobody crowds."""
    return scoring(0.0, looks, picture=b"reference")


def scoring(
    score: float, looks: Face | None = None, *, picture: bytes = b"probe", model: str = "m"
) -> FaceInPicture:
    """A face that compares with the person's with a score."""
    raw = 1.0 + score
    vector = np.array([raw, np.sqrt(1.0 - raw**2)], np.float32)
    found = looks or face()
    template = Template(vector, model, CohortStatistics(0.0, "c"))
    return FaceInPicture(found, template, SeenFace(picture, found.box))


def verified(
    score: float, reference: Face | None = None, probe: Face | None = None
) -> Verification:
    return verify(person(reference), scoring(score, probe), CALIBRATION, gate())


def verified_among(*faces: FaceInPicture, fmr: float = 1e-4) -> Verification:
    ours = ComparedPicture(person(), (person(),), 2)
    theirs = ComparedPicture(faces[0], faces, len(faces))
    return verify_pictures(ours, theirs, CALIBRATION, fmr=fmr, fnmr=0.001)


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
    found = verify(person(), scoring(-0.2), CALIBRATION, strict)
    assert (found.answer, found.same) == (Answer.REFER, False)
    assert "as rare as was asked for" in found.reason


@pytest.mark.parametrize("which", ["reference", "probe"])
def test_a_face_that_is_not_fit_to_decide_by_is_referred_however_it_scores(which: str) -> None:
    unfit = {which: UNFIT}
    found = verified(-0.2, **unfit)
    assert (found.answer, found.same) == (Answer.REFER, True)
    assert found.reason == f"The {which} face is not fit to decide by (LOW_SHARPNESS)."
    low = verified(-1.5, **unfit)
    assert (low.answer, low.same, low.reason) == (Answer.REFER, False, found.reason)


def test_one_face_of_one_picture_passes_however_it_looks() -> None:
    found = verify(person(UNFIT), scoring(-0.9, UNFIT, picture=b"reference"), CALIBRATION, gate())
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
    unmeasured = verify(person(), scoring(-0.6), nobody, gate(calibration=nobody))
    assert (unmeasured.fmr_alike, unmeasured.fnmr) == (None, None)


def test_templates_of_two_models_are_not_verified() -> None:
    with pytest.raises(ModelMismatch):
        verify(person(), scoring(-0.6, model="other"), CALIBRATION, gate())


def test_of_several_faces_the_best_is_given_and_then_the_others() -> None:
    found = verified_among(scoring(-0.95), scoring(-0.3), scoring(-0.75))
    assert found.answer is Answer.PASS
    assert [round(one.comparison.score, 2) for one in (found, *found.others)] == [
        -0.3,
        -0.75,
        -0.95,
    ]
    assert [one.answer for one in found.others] == [Answer.REFER, Answer.NO]
    assert (found.reference_faces, found.probe_faces, found.gate.faces) == (2, 3, 3)
    assert found.reason == "One of 3 strangers scores as high in 0.01% of cases at most."


def test_a_face_that_passes_comes_before_one_that_scores_higher_and_is_not_fit() -> None:
    found = verified_among(scoring(-0.3, UNFIT), scoring(-0.4))
    assert (found.answer, round(found.comparison.score, 2)) == (Answer.PASS, -0.4)
    assert found.others[0].answer is Answer.REFER


def test_where_no_face_passes_the_one_with_the_highest_score_is_answered_for() -> None:
    assert verified_among(scoring(-0.95, UNFIT), scoring(-1.2)).answer is Answer.REFER
    assert verified_among(scoring(-0.95), scoring(-1.2, UNFIT)).answer is Answer.NO


@pytest.mark.parametrize("faces", [1, 2, 7, 100])
def test_a_picture_of_strangers_passes_as_rarely_however_many_they_are(faces: int) -> None:
    found = verified_among(*[scoring(-0.3)] * faces)
    at_threshold = CALIBRATION.fmr(found.point.threshold)
    assert 1 - (1 - at_threshold) ** faces == pytest.approx(1e-4, rel=1e-3)
    assert found.fmr_any == pytest.approx(1 - (1 - found.fmr) ** faces, rel=1e-3)
    assert found.fmr == CALIBRATION.fmr(found.comparison.score)


def test_where_the_rate_for_so_many_faces_is_not_known_none_passes_but_the_same_face() -> None:
    strangers = [scoring(-0.505)] * 3
    assert verified_among(strangers[0], fmr=2e-6).answer is Answer.PASS
    assert verified_among(*strangers, fmr=2e-6).answer is Answer.REFER
    itself = scoring(-0.9, picture=b"reference")
    found = verified_among(*strangers, itself, fmr=2e-6)
    assert (found.answer, found.similarity) == (Answer.PASS, 100.0)
