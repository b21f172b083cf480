from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.errors import InvalidRequest
from likeness.evaluation import (
    Axis,
    Comparisons,
    Samples,
    caution,
    columns_of,
    count_by_group,
    groups,
    independent_trials,
)


def samples_of(subjects: Sequence[int], labels: Sequence[str]) -> Samples:
    axes = (Axis.of("group", labels),)
    return Samples(np.array(subjects, np.int32), np.zeros(len(subjects), np.bool_), axes)


def pairs_of(samples: Samples, ones: Sequence[int], others: Sequence[int]) -> Comparisons:
    a, b = np.array(ones, np.int32), np.array(others, np.int32)
    return Comparisons(np.zeros(len(a)), a, b, samples.subjects[a] == samples.subjects[b])


def every_pair(samples: Samples) -> Comparisons:
    return pairs_of(samples, *np.triu_indices(len(samples), 1))


def test_all_pairs_of_people_are_worth_half_as_many_as_people() -> None:
    samples = samples_of(range(30), ["a"] * 10 + ["b"] * 20)
    worth = independent_trials(every_pair(samples), samples, samples.axes[0])
    assert worth.within.tolist() == pytest.approx([5, 10])
    assert worth.nonmated[0, 1] == pytest.approx(2 * 10 * 20 / 30)
    assert worth.nonmated[1, 0] == 0
    assert worth.every_nonmated == pytest.approx(15)
    assert worth.mated.tolist() == [0, 0]


def test_more_pictures_of_the_same_people_are_worth_no_more() -> None:
    samples = samples_of([n // 3 for n in range(30)], ["a"] * 9 + ["b"] * 15 + [""] * 6)
    worth = independent_trials(every_pair(samples), samples, samples.axes[0])
    assert worth.within.tolist() == pytest.approx([1.5, 2.5])
    assert worth.mated.tolist() == pytest.approx([3, 5])
    assert (worth.every_nonmated, worth.every_mated) == (pytest.approx(5), pytest.approx(10))


def test_pairs_that_share_nobody_are_worth_themselves() -> None:
    samples = samples_of(range(20), ["a"] * 20)
    pairs = pairs_of(samples, range(0, 20, 2), range(1, 20, 2))
    worth = independent_trials(pairs, samples, samples.axes[0])
    assert worth.within.tolist() == [10]


def test_one_person_against_all_is_worth_next_to_nothing() -> None:
    samples = samples_of(range(100), ["a"] * 100)
    star = pairs_of(samples, [0] * 99, range(1, 100))
    assert independent_trials(star, samples, samples.axes[0]).within[0] < 2


def test_cells_that_are_the_same_pairs_are_put_together() -> None:
    samples = samples_of(range(6), ["a", "b"] * 3)
    comparisons = every_pair(samples)
    worth = independent_trials(comparisons, samples, samples.axes[0], symmetric=True)
    assert worth.nonmated.tolist() == [pytest.approx([1.5, 3]), pytest.approx([3, 1.5])]


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.sampled_from(["", "a", "b"])), min_size=2, max_size=14
    ),
    st.integers(1, 30),
    st.booleans(),
)
def test_worth_is_at_most_the_trials_and_minds_no_order(
    people: list[tuple[int, str]], at_a_time: int, symmetric: bool
) -> None:
    samples = samples_of([subject for subject, _ in people], [label for _, label in people])
    comparisons, axis = every_pair(samples), samples.axes[0]
    order = np.random.default_rng(at_a_time).permutation(len(comparisons))
    worth = independent_trials(comparisons, samples, axis, symmetric=symmetric)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "_AT_A_TIME", at_a_time)
        again = independent_trials(comparisons.only(order), samples, axis, symmetric=symmetric)
    assert worth.nonmated.tolist() == again.nonmated.tolist()
    assert worth.mated.tolist() == again.mated.tolist()
    assert worth.every_nonmated == again.every_nonmated
    counts = count_by_group(comparisons, samples, axis, 0.5)
    if symmetric:
        counts = counts.symmetric()
    for value, trials in (
        (worth.nonmated, counts.nonmated_trials),
        (worth.mated, counts.mated_trials),
        (np.array(worth.every_nonmated), np.array(counts.every_nonmated.trials)),
        (np.array(worth.every_mated), np.array(counts.every_mated.trials)),
    ):
        assert (value <= trials + 1e-9).all()
        assert ((value > 0) == (trials > 0)).all()


@pytest.mark.slow
def test_means_of_scores_by_people_vary_as_much_as_of_so_many_independent_ones() -> None:
    random = np.random.default_rng(0)
    ones, others = np.triu_indices(40, 1)
    effects = random.normal(size=(20_000, 40))
    means = (effects[:, ones] + effects[:, others]).mean(axis=1)
    # One comparison varies by 2; all pairs of 40 people are worth 20.
    assert means.var() == pytest.approx(2 / 20, rel=0.05)


def test_axis_of_other_samples_is_refused() -> None:
    samples = samples_of([0, 1], ["a", "b"])
    with pytest.raises(InvalidRequest, match="Give one for each"):
        independent_trials(every_pair(samples), samples, Axis.of("sex", ["F"]))


def test_rule_of_three_counts_what_trials_are_worth() -> None:
    assert (
        "4,950 trials, worth 50 independent ones: at 95% confidence the rate is at most 0.06"
        in (caution(0, 4950, 50.0))
    )
    columns = columns_of(
        ("a", "b"), np.array([990, 0]), np.array([4950, 4950]), np.array([50.0, 50.0])
    )
    assert columns.max_over_min.least == pytest.approx(0.2 / 0.06)
