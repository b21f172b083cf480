"""What a detector's score is worth: a share, between none and all, that grows with the score."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.vision.networks.centerface import CENTERFACE
from likeness.vision.networks.pyramid import SCRFD

SCORES = st.floats(0, 1)


@given(SCORES, SCORES)
def test_a_higher_score_is_no_less_likely_a_face(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 < CENTERFACE.likelihood(low) <= CENTERFACE.likelihood(high) < 1


@pytest.mark.parametrize(("score", "least", "most"), [(0.2, 0.2, 0.35), (0.5, 0.9, 0.95)])
def test_likelihood_is_what_crowds_showed(score: float, least: float, most: float) -> None:
    assert least < CENTERFACE.likelihood(score) < most


def test_a_clear_portrait_is_nearly_certain() -> None:
    assert CENTERFACE.likelihood(0.83) > 0.99


@given(SCORES)
def test_score_of_a_detector_that_nobody_measured_stays(score: float) -> None:
    assert SCRFD.likelihood(score) == score
