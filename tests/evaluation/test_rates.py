import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from likeness.errors import InvalidRequest
from likeness.evaluation import (
    FAILED,
    Comparisons,
    SortedScores,
    count_matches,
    equal_error,
    error_curve,
    errors_by_threshold,
    fmr_at,
    fnmr_at,
    generalised_rates,
    most_errors,
    threshold_at_fmr,
)
from likeness.evaluation.rates import lowest_allowed, threshold_in_order

FINITE = st.integers(-9, 9).map(lambda value: value / 4)
SCORES = npst.arrays(np.float64, st.integers(1, 60), elements=FINITE)
SOME_FAILED = npst.arrays(
    np.float32, st.integers(1, 60), elements=st.one_of(FINITE, st.just(FAILED))
)


def test_rates_count_scores_that_reach_the_threshold() -> None:
    scores = np.array([0.1, 0.2, 0.5, 0.5, 0.9])
    assert count_matches(0.5, scores) == 3
    assert fmr_at(0.5, scores) == pytest.approx(3 / 5)
    assert fnmr_at(0.5, scores) == pytest.approx(2 / 5)


def test_failures_are_false_non_matches() -> None:
    assert fnmr_at(0.5, np.array([0.4, 0.6, 0.7]), failures=1) == pytest.approx(2 / 4)
    assert fnmr_at(0.5, np.array([]), failures=3) == 1


def test_failures_never_match_whatever_the_threshold() -> None:
    scores = np.array([FAILED, 0.1, 0.9])
    assert fmr_at(-np.inf, scores) == pytest.approx(2 / 3)
    assert fnmr_at(-np.inf, scores) == pytest.approx(1 / 3)


def test_no_comparisons_have_no_rate() -> None:
    none = np.array([])
    with pytest.raises(InvalidRequest, match="no non-mated"):
        fmr_at(0.5, none)
    with pytest.raises(InvalidRequest, match="no mated"):
        fnmr_at(0.5, none)
    with pytest.raises(InvalidRequest, match="no non-mated"):
        threshold_at_fmr(none, 0.1)
    for curve in (error_curve, errors_by_threshold, equal_error):
        with pytest.raises(InvalidRequest, match="no mated"):
            curve(none, np.array([0.5]))
        with pytest.raises(InvalidRequest, match="no non-mated"):
            curve(np.array([0.5]), none)


@settings(max_examples=40)
@given(SOME_FAILED, st.floats(0, 1))
def test_threshold_is_the_lowest_score_whose_rate_is_not_above_the_target(
    nonmated: np.ndarray, target: float
) -> None:
    threshold = threshold_at_fmr(nonmated, target)
    assert np.isfinite(threshold)
    assert fmr_at(threshold, nonmated) <= target
    lower = nonmated[(nonmated < threshold) & (nonmated > FAILED)]
    if len(lower):
        assert fmr_at(float(lower.max()), nonmated) > target


def test_threshold_that_no_score_allows_is_just_above_the_highest() -> None:
    nonmated = np.array([0.1, 0.7, 0.7], np.float32)
    threshold = threshold_at_fmr(nonmated, 0.5)
    assert 0.7 < threshold < 0.7000002


def test_threshold_for_every_stranger_lets_no_failure_in() -> None:
    nonmated = np.array([FAILED, 0.1, 0.7])
    assert threshold_at_fmr(nonmated, 1) == 0.1
    only_failures = np.array([FAILED, FAILED], np.float32)
    assert fmr_at(threshold_at_fmr(only_failures, 1), only_failures) == 0


@given(st.integers(1, 10**9), st.floats(0, 1))
def test_most_errors_are_all_that_the_target_allows(trials: int, target: float) -> None:
    errors = int(most_errors(target, trials))
    assert 0 <= errors <= trials
    assert errors / trials <= target
    assert errors == trials or (errors + 1) / trials > target


def test_most_errors_are_not_fewer_by_rounding() -> None:
    assert most_errors(0.29, 100) == 29
    assert most_errors(np.array([0.29, 1e-4]), np.array([[100], [300_000], [0]])).tolist() == [
        [29, 0],
        [87_000, 30],
        [0, 0],
    ]


@pytest.mark.slow
@given(SCORES, SCORES)
def test_curve_has_every_point_of_scikit_learns(mated: np.ndarray, nonmated: np.ndarray) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    labels = np.r_[np.ones(len(mated)), np.zeros(len(nonmated))]
    scores = np.r_[mated, nonmated]
    curve = error_curve(mated, nonmated)

    fpr, tpr, thresholds = metrics.roc_curve(labels, scores, drop_intermediate=False)
    anybody = fpr > 0
    np.testing.assert_array_equal(curve.thresholds, thresholds[anybody])
    np.testing.assert_allclose(curve.fmrs, fpr[anybody], rtol=1e-12)
    np.testing.assert_allclose(curve.fnmrs, 1 - tpr[anybody], rtol=1e-12, atol=1e-12)

    fpr, fnr, thresholds = metrics.det_curve(labels, scores)
    for rate, miss, threshold in zip(fpr, fnr, thresholds, strict=True):
        if rate > 0:
            (at,) = np.flatnonzero(curve.thresholds == threshold)
            assert (curve.fmrs[at], curve.fnmrs[at]) == pytest.approx((rate, miss))


@pytest.mark.slow
@settings(max_examples=25)
@given(SOME_FAILED, SOME_FAILED, st.integers(4, 20))
def test_thinned_curve_has_true_points_and_its_tail(
    mated: np.ndarray, nonmated: np.ndarray, most: int
) -> None:
    curve = error_curve(mated, nonmated, most)
    assert len(curve) <= most
    assert (np.diff(curve.thresholds) < 0).all()
    assert (np.diff(curve.fmrs) >= 0).all()
    assert (np.diff(curve.fnmrs) <= 0).all()
    for threshold, fmr, fnmr in zip(curve.thresholds, curve.fmrs, curve.fnmrs, strict=True):
        assert fmr == fmr_at(threshold, nonmated) >= 1 / len(nonmated)
        assert fnmr == fnmr_at(threshold, mated)
    seen = nonmated[nonmated > FAILED]
    assert len(curve) > 0 or not len(seen)
    if len(seen):
        assert curve.thresholds[0] == seen.max()
        assert curve.fmrs[-1] == len(seen) / len(nonmated)


def test_thinned_curve_keeps_each_of_the_rarest_false_matches() -> None:
    random = np.random.default_rng(0)
    nonmated, mated = random.normal(size=100_000), random.normal(4, 1, 10_000)
    curve = error_curve(mated, nonmated, 200)
    counts = np.rint(curve.fmrs * len(nonmated)).astype(int)
    assert set(range(1, 9)) <= set(counts.tolist())
    assert len(curve) <= 200


def test_curve_does_not_mind_two_types_of_scores() -> None:
    mated, nonmated = np.array([0.1, 0.7]), np.array([0.1, 0.7], np.float32)
    curve = error_curve(mated, nonmated)
    np.testing.assert_array_equal(curve.thresholds, [np.float32(0.7), np.float32(0.1), 0.1])
    np.testing.assert_allclose(curve.fnmrs, [0.5, 0.5, 0])


def test_curve_of_too_few_points_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="4 or more"):
        error_curve(np.array([0.5]), np.array([0.5]), 3)


def test_errors_by_threshold_go_from_all_match_to_none() -> None:
    random = np.random.default_rng(0)
    nonmated = random.normal(size=1000).astype(np.float32)
    mated = np.append(random.normal(2, 1, 500), FAILED).astype(np.float32)
    curve = errors_by_threshold(mated, nonmated, 50)
    assert len(curve) == 50
    assert (curve.fmrs[0], curve.fnmrs[0]) == (0, 1)
    assert curve.fmrs[-1] == 1
    assert curve.fnmrs[-1] == pytest.approx(1 / 501)
    steps = np.diff(curve.thresholds)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-3)


def test_errors_by_threshold_of_nothing_but_failures_have_no_points() -> None:
    failed = np.full(3, FAILED)
    assert len(errors_by_threshold(failed, failed)) == 0
    assert len(error_curve(failed, failed)) == 0


@settings(max_examples=25)
@given(SOME_FAILED, SOME_FAILED)
def test_equal_error_is_where_the_rates_differ_least(
    mated: np.ndarray, nonmated: np.ndarray
) -> None:
    seen = np.union1d(mated, nonmated)
    seen = seen[seen > FAILED]
    assume(len(seen))
    pairs = [(fmr_at(float(t), nonmated), fnmr_at(float(t), mated)) for t in seen]
    least = min(abs(fmr - fnmr) for fmr, fnmr in pairs)
    rate, threshold = equal_error(mated, nonmated)
    fmr, fnmr = fmr_at(threshold, nonmated), fnmr_at(threshold, mated)
    assert threshold in seen
    assert abs(fmr - fnmr) == least
    assert rate == (fmr + fnmr) / 2


def test_equal_error_of_what_is_apart_is_zero() -> None:
    assert equal_error(np.array([0.8, 0.9]), np.array([0.1, 0.2])) == (0, 0.8)


def test_equal_error_of_nothing_but_failures_is_refused() -> None:
    failed = np.full(3, FAILED)
    with pytest.raises(InvalidRequest, match="failed"):
        equal_error(failed, failed)


def test_generalised_rates_are_those_of_the_standard() -> None:
    gfar, gfrr = generalised_rates(fmr=0.01, fnmr=0.1, fta=0.05, fte=0.02)
    assert gfar == pytest.approx(0.01 * 0.95 * 0.98)
    assert gfrr == pytest.approx(0.02 + 0.98 * 0.05 + 0.98 * 0.95 * 0.1)


@given(*[st.floats(0, 1)] * 4)
def test_generalised_rates_are_rates(fmr: float, fnmr: float, fta: float, fte: float) -> None:
    gfar, gfrr = generalised_rates(fmr, fnmr, fta, fte)
    assert 0 <= gfar <= fmr
    assert fnmr * (1 - fta) * (1 - fte) <= gfrr <= 1 + 1e-12


@settings(max_examples=25)
@given(SOME_FAILED, st.floats(0, 1))
def test_lowest_score_allowed_is_that_of_the_whole_as_of_the_top(
    nonmated: np.ndarray, target: float
) -> None:
    allowed = int(most_errors(target, len(nonmated)))
    if allowed < len(nonmated):
        assert lowest_allowed(np.sort(nonmated), allowed) == threshold_at_fmr(nonmated, target)


def test_scores_of_comparisons_give_the_curves_of_their_two_kinds() -> None:
    random = np.random.default_rng(0)
    scores, mated = random.normal(size=400), np.arange(400) < 100
    numbers = np.zeros(400, np.int32)
    comparisons = Comparisons(scores + mated, numbers, numbers, mated)
    ordered = SortedScores.of_comparisons(comparisons)
    two = comparisons.mated_scores, comparisons.nonmated_scores
    assert ordered.equal_error() == equal_error(*two)
    assert ordered.det(50).fnmrs.tolist() == error_curve(*two, 50).fnmrs.tolist()
    assert ordered.by_threshold().fmrs.tolist() == errors_by_threshold(*two).fmrs.tolist()
    with pytest.raises(InvalidRequest, match="no mated"):
        SortedScores.of_comparisons(comparisons.only(~mated))


@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=40),
    st.floats(0.0, 1.0),
    st.integers(0, 3),
)
def test_a_threshold_in_ascending_scores_is_that_of_any_order(
    scores: list[int], target: float, failed: int
) -> None:
    nonmated = np.array([*scores, *[FAILED] * failed], np.float32)
    expected = threshold_at_fmr(nonmated, target)
    assert threshold_in_order(np.sort(nonmated), target) == expected
