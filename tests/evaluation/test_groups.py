import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.errors import InvalidRequest
from likeness.evaluation import (
    Axis,
    Comparisons,
    Samples,
    count_by_group,
    count_by_group_at,
    count_failures,
    groups,
    rates_of,
)
from tests.evaluation.pairs import every_pair, samples_of


@st.composite
def populations(draw: st.DrawFn) -> tuple[Samples, Comparisons]:
    number = draw(st.integers(2, 12))
    subjects = draw(st.lists(st.integers(0, 5), min_size=number, max_size=number))
    labels = draw(st.lists(st.sampled_from(["", "a", "b", "c"]), min_size=number, max_size=number))
    failed = draw(st.sets(st.integers(0, number - 1), max_size=3))
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    scores = random.integers(0, 5, (number, number)) / 4
    samples = samples_of(subjects, labels, sorted(failed))
    return samples, every_pair(samples, scores)


def test_only_pairs_of_one_group_count_for_it() -> None:
    scores = np.zeros((5, 5))
    scores[0, 1] = 0.9  # both of a
    scores[0, 3] = 0.9  # of a and b
    samples = samples_of(range(5), ["a", "a", "a", "b", "b"])
    counts = count_by_group(every_pair(samples, scores), samples, samples.axes[0], 0.5)
    assert counts.labels == ("a", "b")
    assert counts.within_errors.tolist() == [1, 0]
    assert counts.within_trials.tolist() == [3, 1]
    assert counts.nonmated_errors.tolist() == [[1, 1], [0, 0]]
    assert counts.nonmated_trials.tolist() == [[3, 6], [0, 1]]
    assert counts.same_group == (1, 4)
    assert counts.every_nonmated == (2, 10)
    assert np.isnan(counts.fnmrs).all()


def test_pairs_across_groups_count_in_both_cells_where_there_is_no_order() -> None:
    scores = np.zeros((4, 4))
    scores[0, 2] = 0.9
    samples = samples_of(range(4), ["a", "b", "b", "a"])
    counts = count_by_group(every_pair(samples, scores), samples, samples.axes[0], 0.5)
    assert counts.nonmated_trials.tolist() == [[1, 2], [2, 1]]
    both = counts.symmetric()
    assert both.nonmated_trials.tolist() == [[1, 4], [4, 1]]
    assert both.nonmated_errors.tolist() == [[0, 1], [1, 0]]
    assert both.cross_fmrs.tolist() == [[0, 0.25], [0.25, 0]]


def test_failed_mates_are_false_non_matches_of_their_group() -> None:
    samples = samples_of([0, 0, 1, 1], ["a", "a", "b", "b"], failed=[1])
    counts = count_by_group(every_pair(samples, np.ones((4, 4))), samples, samples.axes[0], 0.5)
    assert counts.mated_errors.tolist() == [1, 0]
    assert counts.mated_failures.tolist() == [1, 0]
    assert counts.fnmrs.tolist() == [1, 0]
    assert counts.every_mated == (1, 2)
    assert counts.every_nonmated == (2, 4)


def test_failures_match_at_no_threshold() -> None:
    samples = samples_of([0, 1], ["a", "a"], failed=[1])
    counts = count_by_group(every_pair(samples, np.ones((2, 2))), samples, samples.axes[0], -np.inf)
    assert counts.within_errors.tolist() == [0]


def test_mates_of_two_groups_are_counted_apart() -> None:
    samples = samples_of([0, 0, 0], ["child", "adult", "adult"])
    counts = count_by_group(every_pair(samples, np.zeros((3, 3))), samples, samples.axes[0], 0.5)
    assert counts.mated_trials.tolist() == [1, 0]
    assert counts.mated_across == (2, 2)
    assert counts.every_mated == (3, 3)


def test_who_has_no_label_counts_in_the_totals_alone() -> None:
    samples = samples_of([0, 1, 1], ["", "a", ""])
    counts = count_by_group(every_pair(samples, np.ones((3, 3))), samples, samples.axes[0], 0.5)
    assert counts.nonmated_trials.tolist() == [[0]]
    assert counts.mated_trials.tolist() == [0]
    assert counts.every_nonmated == (2, 2)
    assert counts.every_mated == (0, 1)


def test_axis_without_any_label_has_totals_alone() -> None:
    samples = samples_of([0, 1, 1], ["", "", ""])
    counts = count_by_group(every_pair(samples, np.ones((3, 3))), samples, samples.axes[0], 0.5)
    assert counts.labels == ()
    assert counts.same_group == (0, 0)
    assert counts.every_nonmated == (2, 2)


def test_threshold_is_met_as_it_is_elsewhere_in_the_type_of_the_scores() -> None:
    samples = samples_of([0, 1], ["a", "a"])
    comparisons = every_pair(samples, np.full((2, 2), 0.7, np.float32))
    # As a float64 it is a little less than 0.7.
    assert (comparisons.scores >= 0.7).all()
    assert count_by_group(comparisons, samples, samples.axes[0], 0.7).within_errors.tolist() == [1]


@settings(max_examples=25)
@given(populations(), st.lists(st.sampled_from([0.0, 0.3, 0.5, 1.0, 2.0]), min_size=1, max_size=4))
def test_counts_are_those_of_one_comparison_after_the_other(
    population: tuple[Samples, Comparisons], thresholds: list[float]
) -> None:
    samples, comparisons = population
    axis = samples.axes[0]
    for threshold, counts in zip(
        thresholds, count_by_group_at(comparisons, samples, axis, thresholds), strict=True
    ):
        size = len(axis.labels)
        errors, trials = np.zeros((2, size, size), int)
        own_errors, own_trials = np.zeros((2, size), int)
        for score, one, other, mated in zip(
            comparisons.scores,
            axis.codes[comparisons.references],
            axis.codes[comparisons.probes],
            comparisons.mated,
            strict=True,
        ):
            if one < 0 or other < 0:
                continue
            if not mated:
                trials[one, other] += 1
                errors[one, other] += score >= threshold
            elif one == other:
                own_trials[one] += 1
                own_errors[one] += score < threshold
        assert counts.threshold == threshold
        assert counts.nonmated_errors.tolist() == errors.tolist()
        assert counts.nonmated_trials.tolist() == trials.tolist()
        assert counts.mated_errors.tolist() == own_errors.tolist()
        assert counts.mated_trials.tolist() == own_trials.tolist()
        strangers = comparisons.nonmated_scores
        mates = comparisons.mated_scores
        assert counts.every_nonmated == ((strangers >= threshold).sum(), len(strangers))
        assert counts.every_mated == ((mates < threshold).sum(), len(mates))


@settings(max_examples=25)
@given(populations(), st.integers(1, 7))
def test_neither_order_nor_chunks_change_anything(
    population: tuple[Samples, Comparisons], at_a_time: int
) -> None:
    samples, comparisons = population
    order = np.random.default_rng(at_a_time).permutation(len(comparisons))
    axis = samples.axes[0]
    with pytest.MonkeyPatch.context() as patch:
        at_once = count_by_group(comparisons, samples, axis, 0.5)
        patch.setattr(groups, "_AT_A_TIME", at_a_time)
        in_turn = count_by_group(comparisons.only(order), samples, axis, 0.5)
    assert at_once.nonmated_errors.tolist() == in_turn.nonmated_errors.tolist()
    assert at_once.nonmated_trials.tolist() == in_turn.nonmated_trials.tolist()
    assert at_once.mated_errors.tolist() == in_turn.mated_errors.tolist()
    assert at_once.every_nonmated == in_turn.every_nonmated


def test_axis_of_other_samples_is_refused() -> None:
    samples = samples_of([0, 1], ["a", "b"])
    other = Axis.of("sex", ["F"])
    comparisons = every_pair(samples, np.ones((2, 2)))
    with pytest.raises(InvalidRequest, match="'sex' has 1 values for 2 samples"):
        count_by_group(comparisons, samples, other, 0.5)
    with pytest.raises(InvalidRequest, match="Give one for each"):
        count_failures(samples, other)


def test_failures_are_counted_by_image_and_by_subject() -> None:
    samples = samples_of([0, 0, 1, 1, 2, 3], ["a", "a", "a", "a", "b", ""], failed=[0, 2, 3, 5])
    counts = count_failures(samples, samples.axes[0])
    assert counts.labels == ("a", "b")
    assert counts.images.tolist() == [4, 1]
    assert counts.failed_images.tolist() == [3, 0]
    assert counts.subjects.tolist() == [2, 1]
    assert counts.failed_subjects.tolist() == [1, 0]
    assert counts.ftas.tolist() == [0.75, 0]
    assert counts.ftes.tolist() == [0.5, 0]

    everybody = count_failures(samples)
    assert everybody.images.tolist() == [6]
    assert everybody.failed_images.tolist() == [4]
    assert everybody.subjects.tolist() == [4]
    assert everybody.failed_subjects.tolist() == [2]


def test_subject_of_two_groups_can_fail_in_one() -> None:
    samples = samples_of([0, 0], ["child", "adult"], failed=[0])
    counts = count_failures(samples, samples.axes[0])
    assert counts.labels == ("adult", "child")
    assert counts.failed_subjects.tolist() == [0, 1]


def test_nobody_fails_among_nobody() -> None:
    counts = count_failures(samples_of([], []))
    assert counts.images.tolist() == [0]
    assert np.isnan(counts.ftas).all()


def test_rates_of_no_trials_are_unknown() -> None:
    rates = rates_of(np.array([1, 0]), np.array([4, 0]))
    assert rates[0] == 0.25
    assert np.isnan(rates[1])
