import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from likeness.evaluation import (
    Axis,
    Comparisons,
    Samples,
    columns_of,
    count_by_group_at,
    fdr,
    garbe,
    geomean_variation,
    gini,
    groups_carried,
    max_minus_min,
    max_over_geomean,
    max_over_mean,
    max_over_min,
    rates_of,
    wilson,
    worst_and_best,
    yields,
)

# FMRs of eight groups with one algorithm, of NIST's Annex 15, in tenths of a decade: the only eight
# of which NIST's columns are the figures below.
FMRS = 10.0 ** np.array([-3.2, -4, -4, -4.3, -5, -5, -5, -5])
# Eight that have the figures of the same algorithm's FNMRs; whose they are is not known.
FNMRS = np.array([0.003, 0.0047, 0.0081, 0.010899893, 0.0138, 0.019999551, 0.0246, 0.0331])
COLUMNS = (max_over_min, max_minus_min, max_over_mean, max_over_geomean, geomean_variation, gini)
RATES = npst.arrays(
    np.float64, st.integers(2, 12), elements=st.floats(1e-6, 1, allow_subnormal=False)
)


def test_columns_of_nists_false_match_rates() -> None:
    assert max_over_min(FMRS) == pytest.approx(63.0957, abs=5e-5)
    assert max_over_geomean(FMRS) == pytest.approx(17.2783, abs=5e-5)
    assert gini(FMRS) == pytest.approx(0.792058, abs=5e-7)


def test_columns_of_nists_false_non_match_rates() -> None:
    assert max_over_min(FNMRS) == pytest.approx(11.0333, abs=5e-5)
    assert max_over_geomean(FNMRS) == pytest.approx(2.910579, abs=5e-7)
    assert gini(FNMRS) == pytest.approx(0.421562, abs=5e-7)


def test_both_errors_in_one_figure() -> None:
    assert fdr(FMRS, FNMRS) == pytest.approx(0.9846395, abs=5e-8)
    assert garbe(FMRS, FNMRS) == pytest.approx(0.6068098, abs=5e-7)
    assert garbe(FMRS, FNMRS, a=1) == gini(FMRS)
    assert fdr(FMRS, FNMRS, a=0) == 1 - max_minus_min(FNMRS)


def test_columns_of_a_factor_of_ten() -> None:
    rates = np.array([0.01, 0.1])
    assert [float(column(rates)) for column in COLUMNS] == pytest.approx(
        [10, 0.09, 0.1 / 0.055, 10**0.5, 0.5, 0.09 / 0.11]
    )


@given(st.floats(1e-6, 1), st.integers(2, 12))
def test_even_rates_are_even_in_every_column(rate: float, number: int) -> None:
    even = np.full(number, rate)
    assert [float(column(even)) for column in COLUMNS] == pytest.approx(
        [1, 0, 1, 1, 0, 0], abs=1e-9
    )
    assert fdr(even, even) == 1


@settings(max_examples=25)
@given(RATES, st.floats(0.01, 1))
def test_columns_mind_neither_order_nor_scale(rates: np.ndarray, scale: float) -> None:
    for column in COLUMNS:
        value = column(rates)
        assert column(rates[::-1]) == pytest.approx(value, rel=1e-9, abs=1e-12)
        times = scale if column is max_minus_min else 1
        assert column(rates * scale) == pytest.approx(value * times, rel=1e-6, abs=1e-9)
        assert value >= -1e-12
    assert max_over_geomean(rates) * (1 + 1e-12) >= 1
    assert max_over_mean(rates) <= max_over_geomean(rates) * (1 + 1e-9)
    assert max_over_geomean(rates) <= max_over_min(rates) * (1 + 1e-9)
    assert gini(rates) <= 1 + 1e-12
    plain = np.abs(rates[:, None] - rates).sum() / (2 * len(rates) ** 2 * rates.mean())
    assert gini(rates) == pytest.approx(len(rates) / (len(rates) - 1) * plain, rel=1e-9, abs=1e-9)


@settings(max_examples=25)
@given(RATES)
def test_groups_without_trials_are_left_out_of_each_resample(rates: np.ndarray) -> None:
    resamples = np.stack([np.append(rates, np.nan), np.append(np.nan, rates)])
    for column in COLUMNS:
        np.testing.assert_allclose(column(resamples), column(rates), rtol=1e-9, atol=1e-12)


def test_ratio_to_nothing_is_infinite_in_a_resample() -> None:
    rates = np.array([[0.0, 0.1], [0.0, 0.0], [np.nan, np.nan]])
    for column in (max_over_min, max_over_geomean, geomean_variation):
        assert column(rates)[0] == np.inf
        assert np.isnan(column(rates)[1:]).all()
    assert max_over_mean(rates)[0] == 2
    assert gini(rates)[0] == 1
    assert max_minus_min(rates).tolist()[:2] == [0.1, 0]


def test_columns_of_counts_are_those_of_their_rates() -> None:
    errors, trials = np.array([30, 60, 90]), np.array([1000, 1000, 1000])
    columns = columns_of(("a", "b", "c"), errors, trials)
    rates = rates_of(errors, trials)
    assert columns.max_over_min.value == 3
    assert columns.max_minus_min.value == pytest.approx(0.06)
    assert columns.max_over_mean.value == pytest.approx(1.5)
    assert columns.max_over_geomean.value == max_over_geomean(rates)
    assert columns.geomean_variation.value == geomean_variation(rates)
    assert columns.gini.value == gini(rates)
    assert columns.gini.says == ""


def test_group_without_an_error_makes_ratios_undefined_with_a_bound() -> None:
    columns = columns_of(
        ("women", "men", "nobody"), np.array([50, 0, 0]), np.array([1000, 3000, 0])
    )
    ratio = columns.max_over_min
    assert ratio.value is None
    # 3.8% to 6.5% of women, by Wilson, and at most 0.1% of men.
    least = wilson(50, 1000).low / 0.001
    assert ratio.least == pytest.approx(least) == pytest.approx(38, abs=0.5)
    assert ratio.says == (
        "undefined, lower bound 38.1: no error in 3,000 trials of men, upper bound 0.001"
        " (rule of 3)"
    )
    assert columns.max_over_geomean.least == pytest.approx(least * (0.001 / 0.05) ** 0.5)
    assert columns.geomean_variation.value is None
    assert columns.geomean_variation.least is None
    assert columns.max_minus_min.value == 0.05
    assert columns.gini.value == 1


def test_too_few_trials_without_an_error_bound_nothing() -> None:
    ratio = columns_of(("a", "b"), np.array([1, 0]), np.array([1000, 10])).max_over_min
    assert (ratio.value, ratio.least) == (None, None)
    assert ratio.says.startswith("undefined, no bound: no error in 10 trials of b")


def test_many_groups_without_an_error_are_counted() -> None:
    labels = tuple("abcdefg")
    says = columns_of(labels, np.array([9, 0, 0, 0, 0, 0, 0]), np.full(7, 100)).max_over_min.says
    assert "of d, upper bound 0.03; and 3 more groups (rule of 3)" in says


def test_no_errors_at_all_leave_ratios_undefined() -> None:
    columns = columns_of(("a", "b"), np.array([0, 0]), np.array([100, 100]))
    assert columns.max_over_min.says == "undefined: no group has an error"
    assert columns.gini.value is None
    assert columns.max_minus_min.value == 0


@pytest.mark.parametrize("trials", [(100, 0), (0, 0)])
def test_one_group_has_no_evenness(trials: tuple[int, int]) -> None:
    columns = columns_of(("a", "b"), np.array([0, 0]), np.array(trials))
    assert columns.max_minus_min.says == "undefined: fewer than two groups have trials"


def test_groups_carry_a_rate_by_the_rule_of_thirty() -> None:
    errors, trials = np.array([30, 1, 0, 0]), np.array([100, 4000, 3000, 0])
    # 31 of 7,100: 3,000 trials would have 13, 4,000 would have 17; only the first has 30.
    assert groups_carried(errors, trials).tolist() == [True, False, False, False]
    assert worst_and_best(errors, trials) is None
    errors = np.array([30, 40, 5, 9])
    trials = np.array([1000, 1000, 2000, 10])
    # The last is far the worst, but of ten trials.
    assert worst_and_best(errors, trials) == (1, 2)


def test_yield_lost_stands_beside_evenness_gained() -> None:
    samples = Samples(
        np.arange(4, dtype=np.int32),
        np.zeros(4, np.bool_),
        (Axis.of("group", ["a", "a", "b", "b"]),),
    )
    # Each pair of strangers of `a`, of `b`, and mates, of which more are needed than there are.
    scores = np.array([0.9, 0.4, 0.2, 0.5, 0.3, 0.2, 0.95, 0.6, 0.45, 0.35])
    ones = np.array([0, 0, 0, 2, 2, 2, 0, 0, 0, 0], np.int32)
    others = np.array([1, 1, 1, 3, 3, 3, 0, 0, 0, 0], np.int32)
    comparisons = Comparisons(scores, ones, others, np.arange(10) >= 6)
    counts = count_by_group_at(comparisons, samples, samples.axes[0], [0.25, 0.35, 0.55, 1.0])

    loose, fair, strict, shut = yields(counts)

    assert loose.fmr == pytest.approx(4 / 6)
    assert (loose.true_positives, loose.yield_lost) == (1, 0)
    assert (loose.worst_fmr, loose.max_over_geomean) == (pytest.approx(2 / 3), pytest.approx(1))
    assert (fair.worst_group, fair.worst_fmr) == ("a", pytest.approx(2 / 3))
    assert fair.max_over_geomean == pytest.approx(2**0.5)
    assert fair.yield_lost == 0
    assert strict.worst_group == "a"
    assert strict.max_over_geomean is None
    assert strict.yield_lost == pytest.approx(0.5)
    assert (shut.fmr, shut.worst_fmr, shut.yield_lost) == (0, 0, 1)


def test_yield_of_data_without_mates_is_unknown() -> None:
    samples = Samples(
        np.arange(2, dtype=np.int32), np.zeros(2, np.bool_), (Axis.of("group", ["a", "a"]),)
    )
    pair = (np.array([0], np.int32), np.array([1], np.int32), np.array([False]))
    comparisons = Comparisons(np.array([0.5]), *pair)
    (row,) = yields(count_by_group_at(comparisons, samples, samples.axes[0], [0.5]))
    assert (row.true_positives, row.yield_lost) == (None, None)


def test_yield_where_nobody_has_a_label_has_no_rows() -> None:
    samples = Samples(
        np.arange(2, dtype=np.int32), np.zeros(2, np.bool_), (Axis.of("group", ["", ""]),)
    )
    pair = (np.array([0], np.int32), np.array([1], np.int32), np.array([False]))
    comparisons = Comparisons(np.array([0.5]), *pair)
    assert yields(count_by_group_at(comparisons, samples, samples.axes[0], [0.5])) == ()


def test_bound_of_a_ratio_counts_what_trials_are_worth() -> None:
    ratio = columns_of(
        ("a", "b"), np.array([990, 0]), np.array([4950, 4950]), np.array([50.0, 50.0])
    ).max_over_min
    assert ratio.least == pytest.approx(wilson(10, 50).low / 0.06)
