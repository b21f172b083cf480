import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import InvalidRequest
from likeness.terms.calibration import Calibration, similarity

TABLE = Calibration(
    model="m",
    cohort_version="c",
    scores=(-1.0, 2.0, 3.0, 5.0),
    fmrs=(1.0, 1e-2, 1e-3, 1e-6),
    pairs=30_000_000,
    measured_on="nobody",
)


@pytest.mark.parametrize(("fmr", "shown"), [(1e-3, 80.0), (1e-5, 99.0), (1.0, 0.0)])
def test_similarity_of_the_published_rates(fmr: float, shown: float) -> None:
    assert similarity(fmr) == pytest.approx(shown, abs=0.02)


@given(st.floats(1e-9, 0.01))
def test_similarity_rises_where_fewer_strangers_score_as_high(fmr: float) -> None:
    assert similarity(fmr) < similarity(0.9 * fmr) < 100.0


@pytest.mark.parametrize("score", range(-1, 6))
def test_score_at_a_knot_has_the_rate_of_the_knot(score: float) -> None:
    if score in TABLE.scores:
        assert TABLE.fmr(score) == pytest.approx(TABLE.fmrs[TABLE.scores.index(score)])
    else:
        assert TABLE.fmrs[-1] < TABLE.fmr(score) < 1


@given(st.floats(-100, 100), st.floats(-100, 100))
def test_higher_scores_never_have_higher_rates(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert TABLE.fmr(low) >= TABLE.fmr(high)
    assert TABLE.similarity(low) <= TABLE.similarity(high)


@given(st.floats(1e-6, 1.0))
def test_threshold_is_the_score_that_has_the_rate(fmr: float) -> None:
    assert TABLE.fmr(TABLE.threshold(fmr)) == pytest.approx(fmr, rel=1e-6)


def test_no_score_is_said_to_be_rarer_than_was_measured() -> None:
    assert TABLE.fmr(1e9) == 1e-6
    with pytest.raises(InvalidRequest, match="1e-06 to 1 was measured"):
        TABLE.threshold(1e-7)


def test_point_beyond_what_was_measured_is_uncalibrated_and_as_strict_as_can_be() -> None:
    assert TABLE.point(1e-3).calibrated
    beyond = TABLE.point(1e-9)
    assert (beyond.calibrated, beyond.threshold, beyond.fmr) == (False, 5.0, 1e-9)


def test_larger_galleries_get_stricter_points() -> None:
    small = TABLE.point_for_gallery(1, 0.01, at_most=1e-3)
    large = TABLE.point_for_gallery(1000, 0.01, at_most=1e-3)
    assert small.fmr == 1e-3
    assert large.fmr == pytest.approx(1e-5, rel=0.01)
    assert large.threshold > small.threshold
    assert not TABLE.point_for_gallery(10**6, 0.01, at_most=1e-3).calibrated


@given(st.integers(1, 10**6), st.floats(1e-6, 0.5))
def test_point_for_gallery_names_strangers_as_often_as_asked(subjects: int, fpir: float) -> None:
    fmr = TABLE.point_for_gallery(subjects, fpir, at_most=1.0).fmr
    assert 1 - math.pow(1 - fmr, subjects) == pytest.approx(fpir, rel=1e-3)


def test_table_survives_json() -> None:
    assert Calibration.from_json(json.loads(json.dumps(TABLE.as_json()))) == TABLE


@pytest.mark.parametrize(
    ("scores", "fmrs"),
    [
        ((1.0,), (1.0,)),
        ((1.0, 1.0), (1.0, 0.5)),
        ((1.0, 2.0), (0.5, 0.5)),
        ((1.0, 2.0), (1.0, 0.0)),
        ((1.0, 2.0), (1.5, 0.5)),
        ((1.0, 2.0, 3.0), (1.0, 0.5)),
    ],
)
def test_what_is_no_table_is_refused(scores: tuple[float, ...], fmrs: tuple[float, ...]) -> None:
    with pytest.raises(InvalidRequest, match="scores that ascend and rates that descend"):
        Calibration("m", "c", scores, fmrs, 1, "nobody")
