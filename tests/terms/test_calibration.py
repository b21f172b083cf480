import json
import math
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import InvalidRequest
from likeness.terms import IDENTICAL, Calibration, TailRates, rate_for_search, rate_of, similarity

TABLE = Calibration(
    model="m",
    cohort_version="c",
    scores=(-2.0, -0.9, -0.8, -0.6),
    fmrs=(1.0, 1e-2, 1e-3, 1e-6),
    pairs=30_000_000,
    measured_on="nobody",
)
TAIL = TailRates(
    scores=(-0.6, -0.5, -0.4),
    fmrs=(3e-6, 1e-7, 1e-8),
    lows=(1e-7, 1e-9, 1e-11),
    estimates=(5e-7, 1e-8, 1e-10),
    highs=(3e-6, 1e-7, 1e-8),
)
EXTRAPOLATED = replace(TABLE, tail=TAIL)
MISSES = replace(TABLE, misses=((-0.9, 0.0), (-0.8, 0.01), (-0.6, 0.5)))
ALIKE = replace(EXTRAPOLATED, fmrs=(1.0, 0.5, 0.1, 1e-3), tail=None)
scores = st.floats(-3.0, 0.0)


@pytest.mark.parametrize(("fmr", "shown"), [(1e-3, 80.0), (1e-5, 99.0), (1.0, 0.0)])
def test_similarity_of_the_published_rates(fmr: float, shown: float) -> None:
    assert similarity(fmr) == pytest.approx(shown, abs=0.02)


@given(st.floats(1e-9, 0.01))
def test_similarity_rises_where_fewer_strangers_score_as_high(fmr: float) -> None:
    assert similarity(fmr) < similarity(0.9 * fmr) < 100.0


@given(st.floats(1e-9, 0.01))
def test_rate_of_a_similarity_is_the_rate_that_has_it(fmr: float) -> None:
    assert rate_of(similarity(fmr)) == pytest.approx(fmr, rel=1e-6)


def test_everybody_is_at_least_not_alike_at_all() -> None:
    assert rate_of(0.0) == 1.0
    assert rate_of(0.01) < 0.012


@pytest.mark.parametrize("score", TABLE.scores)
def test_score_at_a_knot_has_the_rate_of_the_knot(score: float) -> None:
    assert TABLE.fmr(score) == pytest.approx(TABLE.fmrs[TABLE.scores.index(score)])


@pytest.mark.parametrize("score", [-1.9, -0.85, -0.7])
def test_score_between_knots_has_a_rate_between_theirs(score: float) -> None:
    right = next(place for place, knot in enumerate(TABLE.scores) if knot > score)
    assert TABLE.fmrs[right] < TABLE.fmr(score) < TABLE.fmrs[right - 1]


@pytest.mark.parametrize("table", [TABLE, EXTRAPOLATED])
@given(a=scores, b=scores)
def test_higher_scores_never_have_higher_rates(table: Calibration, a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert table.fmr(low) >= table.fmr(high)
    assert table.similarity(low) <= table.similarity(high)


@given(st.floats(1e-6, 1.0))
def test_threshold_is_the_score_that_has_the_rate(fmr: float) -> None:
    assert TABLE.fmr(TABLE.threshold(fmr)) == pytest.approx(fmr, rel=1e-6)


@given(st.floats(1e-8, 1.0))
def test_threshold_of_a_rate_beyond_the_counted_has_at_most_that_rate(fmr: float) -> None:
    assert EXTRAPOLATED.fmr(EXTRAPOLATED.threshold(fmr)) <= fmr * (1 + 1e-6)


def test_no_score_is_said_to_be_rarer_than_was_measured() -> None:
    assert TABLE.fmr(-0.1) == 1e-6
    assert TABLE.interval(-0.1) is None
    assert not TABLE.is_extrapolated(-0.1)
    with pytest.raises(InvalidRequest, match=r"not measured for m\. Give one from 1e-06 to 1"):
        TABLE.threshold(1e-7)


def test_the_upper_bound_of_a_tail_decides_and_never_raises_what_was_counted() -> None:
    # The bound begins above what was counted there.
    assert EXTRAPOLATED.fmr(-0.59) == TABLE.least_counted == 1e-6
    assert EXTRAPOLATED.fmr(-0.5) == pytest.approx(1e-7)
    assert EXTRAPOLATED.fmr(-0.4) == EXTRAPOLATED.fmr(-0.01) == EXTRAPOLATED.lowest_fmr == 1e-8
    assert [EXTRAPOLATED.is_extrapolated(score) for score in (-0.6, -0.59)] == [False, True]


def test_interval_is_the_tails_and_none_is_given_for_what_was_counted() -> None:
    assert EXTRAPOLATED.interval(-0.6) is None
    assert EXTRAPOLATED.interval(-0.5) == pytest.approx((1e-9, 1e-7))
    assert EXTRAPOLATED.interval(-0.01) == pytest.approx((1e-11, 1e-8))


def test_point_beyond_what_was_measured_is_uncalibrated_and_as_strict_as_can_be() -> None:
    assert TABLE.point(1e-3).calibrated
    beyond = TABLE.point(1e-9)
    assert (beyond.calibrated, beyond.threshold, beyond.fmr) == (False, -0.6, 1e-9)


def test_point_in_the_tail_is_calibrated_and_says_that_it_is_extrapolated() -> None:
    counted, beyond, unknown = map(EXTRAPOLATED.point, (1e-5, 1e-7, 1e-9))
    assert (counted.calibrated, counted.extrapolated) == (True, False)
    assert (beyond.calibrated, beyond.extrapolated) == (True, True)
    assert beyond.threshold == pytest.approx(-0.5)
    assert (unknown.calibrated, unknown.threshold) == (False, -0.4)


@given(scores)
def test_a_point_is_reached_from_its_threshold_on_if_it_is_calibrated(score: float) -> None:
    assert TABLE.point(1e-3).is_reached(score) == (score >= -0.8)
    assert TABLE.point(1e-9).is_reached(score) == (score >= IDENTICAL)


def test_a_picture_with_itself_reaches_every_point_and_is_wholly_alike() -> None:
    assert TABLE.point(1e-9).is_reached(IDENTICAL)
    assert TABLE.similarity(IDENTICAL) == 100.0
    assert TABLE.similarity(-1e-3) < 100.0


def test_misses_are_the_share_of_pairs_of_one_person_below_a_score() -> None:
    assert MISSES.fnmr(-1.5) == MISSES.fnmr(-0.9) == 0.0
    assert MISSES.fnmr(-0.7) == pytest.approx(0.255)
    assert MISSES.fnmr(-0.1) == 0.5
    assert TABLE.fnmr(-0.7) is None


@given(scores, scores)
def test_stricter_scores_never_miss_less(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert (MISSES.fnmr(low) or 0.0) <= (MISSES.fnmr(high) or 0.0)


@pytest.mark.parametrize(("fnmr", "score"), [(0.005, -0.9), (0.01, -0.8), (0.4, -0.8), (1, -0.6)])
def test_score_that_few_pairs_of_one_person_miss_is_the_highest_such(
    fnmr: float, score: float
) -> None:
    assert MISSES.score_missed_by(fnmr) == score


def test_no_score_is_missed_by_so_few_where_none_was_measured() -> None:
    assert TABLE.score_missed_by(0.5) is None
    assert replace(MISSES, misses=MISSES.misses[1:]).score_missed_by(0.005) is None


@pytest.mark.parametrize("misses", [((-0.8, 0.1), (-0.8, 0.2)), ((-0.9, 0.2), (-0.8, 0.1))])
def test_misses_that_fall_with_the_score_are_refused(
    misses: tuple[tuple[float, float], ...],
) -> None:
    with pytest.raises(InvalidRequest, match="scores that do not ascend"):
        replace(TABLE, misses=misses)


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
    assert fmr == rate_for_search(subjects, fpir)
    assert 1 - math.pow(1 - fmr, subjects) == pytest.approx(fpir, rel=1e-3)


FULL = replace(EXTRAPOLATED, misses=MISSES.misses, alike=ALIKE, one_person=0.7)


@pytest.mark.parametrize("table", [TABLE, EXTRAPOLATED, MISSES, FULL, replace(FULL, alike=FULL)])
def test_table_survives_json(table: Calibration) -> None:
    assert Calibration.from_json(json.loads(json.dumps(table.as_json()))) == table


def test_table_of_an_older_likeness_is_read_as_one_that_knows_less() -> None:
    older = {
        name: TABLE.as_json()[name]
        for name in ("model", "cohort_version", "scores", "fmrs", "pairs", "measured_on")
    }
    assert Calibration.from_json(json.loads(json.dumps(older))) == TABLE
    assert (TABLE.tail, TABLE.misses, TABLE.alike, TABLE.one_person) == (None, (), None, 1.0)


@pytest.mark.parametrize(
    "changed", [{"surprise": 1}, {"tail": {"scores": [1, 2]}}, {"scores": "a"}]
)
def test_json_that_says_something_else_is_no_table(changed: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError)):
        Calibration.from_json({**TABLE.as_json(), **changed})


@pytest.mark.parametrize(
    "changed",
    [
        {"scores": (-0.6, -0.6, -0.4)},
        {"scores": (-0.6, -0.5)},
        {"fmrs": (1e-7, 1e-7, 1e-8)},
        {"fmrs": (2.0, 1e-7, 1e-8)},
        {"lows": (1e-7, 1e-9, 0.0)},
        {"highs": (3e-6, 1e-7)},
    ],
)
def test_what_is_no_tail_is_refused(changed: dict[str, tuple[float, ...]]) -> None:
    with pytest.raises(InvalidRequest, match="tail of a calibration"):
        TailRates(**{**asdict(TAIL), **changed})


@pytest.mark.parametrize(
    ("scores", "fmrs"),
    [
        ((-2.0,), (1.0,)),
        ((-2.0, -2.0), (1.0, 0.5)),
        ((-2.0, -1.0), (0.5, 0.5)),
        ((-2.0, -1.0), (1.0, 0.0)),
        ((-2.0, -1.0), (1.5, 0.5)),
        ((-3.0, -2.0, -1.0), (1.0, 0.5)),
    ],
)
def test_what_is_no_table_is_refused(scores: tuple[float, ...], fmrs: tuple[float, ...]) -> None:
    with pytest.raises(InvalidRequest, match="scores that do not ascend"):
        Calibration("m", "c", scores, fmrs, 1, "nobody")
