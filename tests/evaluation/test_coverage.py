"""What a set holds, counted by hand and by listing every pair."""

from itertools import combinations

import numpy as np
import pytest

from likeness.evaluation import (
    Axis,
    Samples,
    cover_groups,
    missing_groups,
    shannon_evenness,
    simpson_evenness,
    subjects_needed,
)


def test_pairs_are_those_that_a_list_has() -> None:
    random = np.random.default_rng(3)
    subjects = random.integers(0, 20, 90).astype(np.int32)
    axis = Axis("sex", ("a", "b", "c"), random.integers(-1, 3, 90).astype(np.int32))
    samples = Samples(subjects, np.zeros(90, bool), (axis,))
    for code, group in enumerate(cover_groups(samples, axis)):
        members = np.flatnonzero(axis.codes == code)
        pairs = [bool(subjects[a] == subjects[b]) for a, b in combinations(members, 2)]
        assert (group.group, group.images) == (axis.labels[code], len(members))
        assert group.subjects == len(set(subjects[members].tolist()))
        assert (group.mated.all, group.nonmated.all) == (sum(pairs), len(pairs) - sum(pairs))
        assert group.nonmated.independent == group.subjects // 2
        repeated = np.bincount(subjects[members]) > 1
        assert group.mated.independent == np.count_nonzero(repeated)
        assert (group.acquired.all, group.acquired.independent) == (len(members), group.subjects)


def test_rates_are_those_of_the_rules_of_30_and_3() -> None:
    subjects = np.arange(2000, dtype=np.int32)
    axis = Axis.of("sex", ["f"] * 2000)
    (group,) = cover_groups(Samples(subjects, np.zeros(2000, bool), (axis,)), axis)
    assert group.nonmated.countable_rate(surely=False) == pytest.approx(30 / 1_999_000)
    assert group.nonmated.countable_rate(surely=True) == pytest.approx(0.03)
    assert group.nonmated.bounded_rate(surely=True) == pytest.approx(0.003)
    assert group.mated.countable_rate(surely=False) is None
    assert group.mated.bounded_rate(surely=True) is None
    assert group.acquired.bounded_rate(surely=True) == pytest.approx(0.0015)


def test_the_subjects_needed_are_as_few_as_carry_the_rate() -> None:
    # Evaluation's own example: 1e-4 needs 300,000 independent comparisons in each cell.
    assert subjects_needed(1e-4, surely=True) == 600_000
    few = subjects_needed(1e-4, surely=False)
    assert few * (few - 1) // 2 >= 300_000 > (few - 1) * (few - 2) // 2


def test_groups_that_nobody_is_in_are_missing() -> None:
    sex = Axis.of("sex", ["f", "f", "m", "", "m"])
    age = Axis.of("age", ["old", "young", "young", "old", ""])
    assert missing_groups((sex, age)) == (("m", "old"),)


@pytest.mark.parametrize(
    ("counts", "shannon", "simpson"),
    [
        ([5, 5, 5, 5], 1.0, 1.0),
        ([7, 0], 0.0, 0.5),
        ([3, 1], 0.8112781, 0.8),
    ],
)
def test_evenness_is_as_ecology_measures_it(
    counts: list[int], shannon: float, simpson: float
) -> None:
    assert shannon_evenness(np.array(counts)) == pytest.approx(shannon)
    assert simpson_evenness(np.array(counts)) == pytest.approx(simpson)


@pytest.mark.parametrize("counts", [[], [4], [0, 0]])
def test_one_group_is_neither_even_nor_uneven(counts: list[int]) -> None:
    assert shannon_evenness(np.array(counts, int)) is None
    assert simpson_evenness(np.array(counts, int)) is None
