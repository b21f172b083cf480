import numpy as np
import pytest

from likeness.errors import InvalidRequest
from likeness.evaluation import (
    FAILED,
    QUANTILES,
    Axis,
    Comparisons,
    Samples,
    groups,
    score_quantiles,
)
from tests.evaluation.pairs import every_pair, samples_of


def population(
    people: int, pictures: int, shift: float, seed: int, failed: tuple[int, ...] = ()
) -> tuple[Samples, Comparisons]:
    """Strangers and mates whose scores depend on who they are; the second half's are shifted."""
    random = np.random.default_rng(seed)
    subjects = np.repeat(np.arange(people), pictures)
    labels = np.where(subjects < people // 2, "a", "b").tolist()
    samples = samples_of(subjects.tolist(), labels, failed)
    own = np.repeat(random.normal(size=people), pictures)
    scores = own[:, None] + own + random.normal(size=(len(own), len(own)))
    scores += shift * (subjects >= people // 2) * (subjects[:, None] >= people // 2)
    return samples, every_pair(samples, scores)


def test_scores_of_a_group_that_scores_higher_are_shifted() -> None:
    samples, comparisons = population(80, 2, 2.0, 0, failed=(0,))
    found = score_quantiles(comparisons, samples, samples.axes[0])
    assert found.labels == ("a", "b")
    assert found.nonmated.shape == found.mated.shape == (2, 5)
    assert (np.diff(found.nonmated, axis=1) >= 0).all()
    for shifts in (found.mated_shifts, found.nonmated_shifts):
        assert (shifts.lows <= shifts.values).all()
        assert (shifts.values <= shifts.highs).all()
        assert shifts.highs[0] < shifts.lows[1]


def test_groups_that_score_alike_are_not_shifted_for_certain() -> None:
    samples, comparisons = population(60, 2, 0.0, 1)
    shifts = score_quantiles(comparisons, samples, samples.axes[0]).nonmated_shifts
    assert (shifts.lows < 0).all()
    assert (shifts.highs > 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("people", [5, 30])
def test_intervals_of_shifts_hold_the_true_shift_as_often_as_they_say(people: int) -> None:
    """Of groups among many others, so that the middle of all is all but known."""
    held = np.zeros(2)
    for seed in range(300):
        random = np.random.default_rng(seed)
        subjects = np.repeat(np.arange(200), 2)
        samples = samples_of(subjects.tolist(), np.where(subjects < people, "a", "b").tolist())
        own = np.repeat(random.normal(size=200), 2)
        noise = random.normal(size=(400, 400))
        comparisons = every_pair(samples, own[:, None] + own + noise)
        found = score_quantiles(comparisons, samples, samples.axes[0])
        for number, shifts in enumerate((found.nonmated_shifts, found.mated_shifts)):
            held[number] += shifts.lows[0] <= 0 <= shifts.highs[0]
    assert (held / 300 > 0.9).all()
    assert (held / 300 < 0.995).all()


def test_quantiles_are_scores_that_were_seen_as_numpy_finds_them() -> None:
    samples, comparisons = population(20, 2, 1.0, 2, failed=(3, 4))
    found = score_quantiles(comparisons, samples, samples.axes[0])
    strangers = comparisons.nonmated_scores
    expected = np.quantile(strangers[strangers > FAILED], QUANTILES, method="inverted_cdf")
    assert found.every_nonmated.tolist() == expected.tolist()


def test_neither_order_nor_chunks_change_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    samples, comparisons = population(12, 3, 1.0, 3, failed=(5,))
    at_once = score_quantiles(comparisons, samples, samples.axes[0])
    monkeypatch.setattr(groups, "_AT_A_TIME", 7)
    order = np.random.default_rng(0).permutation(len(comparisons))
    in_turn = score_quantiles(comparisons.only(order), samples, samples.axes[0])
    for one, other in (
        (at_once.mated, in_turn.mated),
        (at_once.nonmated, in_turn.nonmated),
        (at_once.nonmated_shifts.lows, in_turn.nonmated_shifts.lows),
        (at_once.mated_shifts.highs, in_turn.mated_shifts.highs),
    ):
        np.testing.assert_array_equal(one, other)


def test_group_without_scores_has_no_quantiles() -> None:
    samples = samples_of([0, 1, 1], ["a", "b", "b"])
    found = score_quantiles(every_pair(samples, np.ones((3, 3))), samples, samples.axes[0])
    assert np.isnan(found.nonmated).all()
    assert np.isnan(found.mated[0]).all()
    assert found.mated[1].tolist() == [1] * 5
    assert np.isnan(found.mated_shifts.values[0])
    # Of one person alone nobody knows how much people differ.
    assert found.mated_shifts.values[1] == 0
    assert np.isnan(found.mated_shifts.lows[1])


def test_scores_of_nobody_with_a_label_are_those_of_all() -> None:
    samples = samples_of([0, 1, 1], ["", "", ""])
    found = score_quantiles(every_pair(samples, np.ones((3, 3))), samples, samples.axes[0])
    assert found.labels == ()
    assert found.every_nonmated.tolist() == [1] * 5
    assert len(found.nonmated_shifts.values) == 0


def test_axis_of_other_samples_is_refused() -> None:
    samples = samples_of([0, 1], ["a", "b"])
    comparisons = every_pair(samples, np.ones((2, 2)))
    with pytest.raises(InvalidRequest, match="'sex' has 1 values for 2 samples"):
        score_quantiles(comparisons, samples, Axis.of("sex", ["F"]))
