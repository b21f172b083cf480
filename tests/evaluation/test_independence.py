from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.errors import InvalidRequest
from likeness.evaluation import (
    Axis,
    Comparisons,
    IndependentTrials,
    Samples,
    caution,
    columns_of,
    count_by_group,
    groups,
    independent_in_all,
    independent_trials,
    rule_of_three,
)


def samples_of(subjects: Sequence[int], labels: Sequence[str]) -> Samples:
    axes = (Axis.of("group", labels),)
    return Samples(np.array(subjects, np.int32), np.zeros(len(subjects), np.bool_), axes)


def pairs_of(samples: Samples, ones: Sequence[int], others: Sequence[int]) -> Comparisons:
    a, b = np.array(ones, np.int32), np.array(others, np.int32)
    return Comparisons(np.zeros(len(a)), a, b, samples.subjects[a] == samples.subjects[b])


def every_pair(samples: Samples) -> Comparisons:
    return pairs_of(samples, *np.triu_indices(len(samples), 1))


def worth_of(comparisons: Comparisons, samples: Samples) -> IndependentTrials:
    axis = samples.axes[0]
    counts = count_by_group(comparisons, samples, axis, 0.5).symmetric()
    return independent_trials(comparisons, samples, axis, counts)


def test_pairs_of_people_with_one_picture_each_are_worth_themselves() -> None:
    samples = samples_of(range(30), ["a"] * 10 + ["b"] * 20)
    worth = worth_of(every_pair(samples), samples)
    assert worth.nonmated.tolist() == [pytest.approx([45, 200]), pytest.approx([200, 190])]
    assert worth.within.tolist() == pytest.approx([45, 190])
    assert worth.mated.tolist() == [0, 0]
    assert independent_in_all(every_pair(samples), samples) == (pytest.approx(435), 0)


def test_more_pictures_of_the_same_people_are_worth_no_more() -> None:
    samples = samples_of([n // 3 for n in range(30)], ["a"] * 9 + ["b"] * 15 + [""] * 6)
    worth = worth_of(every_pair(samples), samples)
    assert worth.within.tolist() == pytest.approx([3, 10])
    assert worth.nonmated[0, 1] == pytest.approx(15)
    assert worth.mated.tolist() == pytest.approx([3, 5])
    assert independent_in_all(every_pair(samples), samples) == (
        pytest.approx(45),
        pytest.approx(10),
    )


def test_somebody_with_most_of_the_pictures_makes_the_others_worth_little() -> None:
    samples = samples_of([0] * 100 + [1, 1, 2, 2], ["a"] * 104)
    worth = worth_of(every_pair(samples), samples)
    assert 1 < worth.mated[0] < 1.001
    assert 2 < worth.within[0] < 2.1


def test_pairs_of_a_list_are_worth_no_more_than_there_are() -> None:
    samples = samples_of([n // 2 for n in range(40)], ["a"] * 40)
    pairs = pairs_of(samples, [0, 4, 8, 12, 12], [2, 6, 10, 14, 13])
    worth = worth_of(pairs, samples)
    assert worth.within.tolist() == [4]
    assert worth.mated.tolist() == [1]


def test_nobody_is_worth_nothing() -> None:
    samples = samples_of([], [])
    assert worth_of(every_pair(samples), samples).mated.tolist() == []
    assert independent_in_all(every_pair(samples), samples) == (0, 0)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.sampled_from(["", "a", "b"])), min_size=2, max_size=14
    ),
    st.integers(1, 30),
)
def test_worth_is_at_most_the_trials_and_minds_no_order(
    people: list[tuple[int, str]], at_a_time: int
) -> None:
    samples = samples_of([subject for subject, _ in people], [label for _, label in people])
    comparisons, axis = every_pair(samples), samples.axes[0]
    order = np.random.default_rng(at_a_time).permutation(len(comparisons))
    worth = worth_of(comparisons, samples)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "_AT_A_TIME", at_a_time)
        again = worth_of(comparisons.only(order), samples)
    assert worth.nonmated.tolist() == again.nonmated.tolist()
    assert worth.mated.tolist() == again.mated.tolist()
    in_all = independent_in_all(comparisons, samples)
    assert in_all == pytest.approx(independent_in_all(comparisons.only(order), samples))
    counts = count_by_group(comparisons, samples, axis, 0.5).symmetric()
    for value, trials in (
        (worth.nonmated, counts.nonmated_trials),
        (worth.mated, counts.mated_trials),
        (np.array(in_all.nonmated), np.array(counts.every_nonmated.trials)),
        (np.array(in_all.mated), np.array(counts.every_mated.trials)),
    ):
        assert (value <= trials + 1e-9).all()
        assert ((value > 0) == (trials > 0)).all()


@pytest.mark.slow
def test_rule_of_three_holds_where_some_people_look_like_many() -> None:
    """Strangers match by how common their faces are, as gamma-distributed numbers of mean one."""
    random = np.random.default_rng(0)
    people, pictures = 60, 4
    ones, others = np.triu_indices(people, 1)
    rate = rule_of_three(len(ones))
    without = 0
    for _ in range(4_000):
        common = random.gamma(4.0, 0.25, people)
        alike = random.random(len(ones)) < rate * common[ones] * common[others]
        # Two who look alike do so in all of their pictures.
        without += not alike.any()
    assert without / 4_000 < 0.065
    samples = samples_of([n // pictures for n in range(people * pictures)], ["a"] * 240)
    assert worth_of(every_pair(samples), samples).within[0] == pytest.approx(len(ones))


def test_axis_of_other_samples_is_refused() -> None:
    samples = samples_of([0, 1], ["a", "b"])
    comparisons = every_pair(samples)
    counts = count_by_group(comparisons, samples, samples.axes[0], 0.5)
    with pytest.raises(InvalidRequest, match="Give one for each"):
        independent_trials(comparisons, samples, Axis.of("sex", ["F"]), counts)


def test_rule_of_three_counts_what_trials_are_worth() -> None:
    assert caution(0, 4950, 50.0) == (
        "No error in 4,950 trials, worth 50 independent ones: at 95% confidence the rate is at most"
        " 0.06 (rule of 3)."
    )
    assert "worth" not in caution(0, 4950, 4950.0)
    columns = columns_of(
        ("a", "b"), np.array([990, 0]), np.array([4950, 4950]), np.array([50.0, 50.0])
    )
    assert columns.max_over_min.least == pytest.approx(0.2 / 0.06)
