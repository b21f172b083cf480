"""Two systems on the same trials: what differs is found, and what does not is not."""

import numpy as np
import pytest

from likeness.errors import InvalidRequest
from likeness.evaluation import (
    Axis,
    Comparisons,
    PairedDifference,
    Samples,
    Searches,
    equal_error,
    fnir,
    paired_difference,
    paired_search_difference,
    threshold_at_fpir,
)


def trials(
    better: float = 0.0, subjects: int = 60, seed: int = 0
) -> tuple[Comparisons, Comparisons, Samples]:
    """Two systems that see the same people; the mated scores of the second are `better`."""
    random = np.random.default_rng(seed)
    owners = np.repeat(np.arange(subjects, dtype=np.int32), 3)
    ones, others = (part.astype(np.int32) for part in np.triu_indices(len(owners), 1))
    mated = owners[ones] == owners[others]
    shared = random.normal(size=subjects)[owners[ones]] + 2.5 * mated
    axis = Axis.of("sex", np.where(owners % 2, "f", "m").tolist())
    first, second = (
        Comparisons(
            (shared + 0.5 * random.normal(size=len(ones)) + more * mated).astype(np.float32),
            ones,
            others,
            mated,
        )
        for more in (0.0, better)
    )
    return first, second, Samples(owners, np.zeros(len(owners), bool), (axis,))


def differences(a: Comparisons, b: Comparisons, samples: Samples) -> list[PairedDifference]:
    return list(
        paired_difference(a, b, samples, 0.01, samples.axes, resamples=120, seed=1, workers=1)
    )


def test_a_system_that_misses_less_is_told_from_the_other() -> None:
    found = differences(*trials(better=1.0))
    assert [one.figure for one in found] == [
        "FNMR at FMR 0.01",
        "Equal error rate",
        "FMR within one group, sex",
        "FMR of the worst group, sex",
        "FNMR of the worst group, sex",
    ]
    for one in (found[0], found[1], found[4]):
        assert one.difference == pytest.approx(one.b - one.a)
        assert one.interval[0] <= one.difference <= one.interval[1] < 0
        assert one.p_value < 0.02


def test_systems_that_differ_by_chance_alone_are_not_told_apart() -> None:
    found = differences(*trials(better=0.0))
    assert all(one.interval[0] <= 0 <= one.interval[1] for one in found)
    assert all(one.p_value > 0.05 for one in found)


def test_a_system_does_not_differ_from_itself() -> None:
    a, _, samples = trials()
    for one in differences(a, a, samples):
        assert (one.difference, one.interval, one.p_value) == (0.0, (0.0, 0.0), 1.0)


def test_the_order_of_trials_does_not_matter() -> None:
    a, b, samples = trials(better=0.3, subjects=20)
    shuffled = b.only(np.random.default_rng(0).permutation(len(b)))
    assert differences(a, shuffled, samples) == differences(a, b, samples)


def test_trials_that_only_one_has_are_refused() -> None:
    a, b, samples = trials(subjects=10)
    with pytest.raises(InvalidRequest, match=r"2 are the first one's alone, 0 the second"):
        differences(a, b.only(np.arange(2, len(b))), samples)


def test_systems_that_disagree_about_who_is_who_are_refused() -> None:
    a, b, samples = trials(subjects=10)
    other = Comparisons(b.scores, b.references, b.probes, np.roll(b.mated, 1))
    with pytest.raises(InvalidRequest, match="disagree"):
        differences(a, other, samples)


def test_the_same_two_systems_are_told_apart_by_their_searches() -> None:
    random = np.random.default_rng(0)
    samples = Samples(np.arange(400, dtype=np.int32), np.zeros(400, bool))

    def searched(mean: float) -> Searches:
        mates = random.normal(mean, 1.0, 400)
        others = random.normal(0.0, 1.0, 400)
        mated = np.arange(400) < 200
        ranks = np.where(mated, np.where(mates > others, 1, 2), 0).astype(np.int32)
        mates = np.where(mated, mates, -np.inf)
        probes = np.arange(400, dtype=np.int32)
        return Searches(probes, mated, mates, ranks, others, 200, 200, 10)

    a, b = searched(2.0), searched(4.0)
    fnir, rank_1 = paired_search_difference(a, b, samples, 0.05, resamples=200)
    assert fnir.interval[1] < 0 < rank_1.interval[0]
    assert fnir.p_value < 0.02
    alone = Searches(
        np.zeros(400, np.int32), a.mated, a.mate_scores, a.mate_ranks, a.other_scores, 200, 200, 10
    )
    with pytest.raises(InvalidRequest, match="same samples"):
        paired_search_difference(a, alone, samples, 0.05)


@pytest.mark.slow
def test_differences_by_chance_alone_are_hardly_ever_called_more() -> None:
    told = np.array(
        [[one.p_value <= 0.05 for one in differences(*trials(seed=seed))] for seed in range(60)]
    )
    assert (told.mean(axis=0) <= 0.05).all()


@pytest.mark.slow
def test_differences_that_were_planted_are_nearly_always_found() -> None:
    told = [differences(*trials(better=0.7, seed=seed))[0].p_value <= 0.05 for seed in range(60)]
    assert np.mean(told) >= 0.9


def test_figures_of_many_trials_are_those_of_the_data_to_the_last_one() -> None:
    random = np.random.default_rng(3)
    count = 20_000
    samples = Samples(np.arange(count, dtype=np.int32), np.zeros(count, bool))
    mated = np.arange(count) % 2 == 0
    mates = np.where(mated, random.normal(2.0, 1.0, count), -np.inf)
    ranks = mated.astype(np.int32)
    probes = np.arange(count, dtype=np.int32)
    one = Searches(probes, mated, mates, ranks, random.normal(size=count), 1, 1, 10)
    for target in (0.07, 0.1, 0.3):
        missed = paired_search_difference(one, one, samples, target, resamples=2)[0]
        assert missed.a == pytest.approx(fnir(one, threshold_at_fpir(one, target)).value)

    a, b, people = trials(subjects=120)
    equal = differences(a, b, people)[1]
    assert equal.a == pytest.approx(equal_error(a.mated_scores, a.nonmated_scores).rate)
    assert equal.b == pytest.approx(equal_error(b.mated_scores, b.nonmated_scores).rate)


def test_systems_without_an_error_may_still_differ() -> None:
    subjects = np.repeat(np.arange(20, dtype=np.int32), 2)
    samples = Samples(subjects, np.zeros(40, np.bool_))
    one, other = (each.astype(np.int32) for each in np.triu_indices(40, 1))
    mated = subjects[one] == subjects[other]
    scores = np.where(mated, 9.0, np.linspace(0, 1, len(one))).astype(np.float32)
    same = Comparisons(scores, one, other, mated)
    missed = paired_difference(same, same, samples, 0.1, resamples=100)[0]
    assert (missed.a, missed.b, missed.difference) == (0.0, 0.0, 0.0)
    assert missed.a_interval.high > 0.1
    assert missed.interval.low < -0.1 and missed.interval.high > 0.1
