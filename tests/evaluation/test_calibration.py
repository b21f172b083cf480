from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation import (
    DECADES,
    UPPER_95,
    PairScores,
    StrangerScores,
    calibration,
    fmr_at,
    groups_of,
    misses_of,
)
from likeness.evaluation.tail import GROUPS
from likeness.terms import IDENTICAL, Calibration

Scores = NDArray[np.floating]


def pairs(scores: Scores, seed: int = 0) -> PairScores:
    """Scores of pairs of people who are in any group."""
    groups = np.random.default_rng(seed).integers(0, GROUPS, (2, len(scores)))
    return PairScores(scores, *groups)


def strangers(count: int, seed: int = 0) -> Scores:
    """Scores of strangers that are rarer by ten for every 0.1 above -1."""
    return -1.0 + np.random.default_rng(seed).exponential(0.1 / np.log(10), count)


def count_scores(batches: Iterable[PairScores]) -> StrangerScores:
    counts = StrangerScores()
    for batch in batches:
        counts.add(batch)
    return counts


def calibrated(batches: list[Scores]) -> Calibration:
    counts = count_scores(pairs(batch, seed) for seed, batch in enumerate(batches))
    scores, fmrs = counts.knots()
    return Calibration("m", "c", scores, fmrs, counts.total, "noise")


def test_table_says_of_every_score_what_share_of_strangers_reach_it() -> None:
    scores = np.random.default_rng(0).normal(size=300_000)
    table = calibrated(list(scores.reshape(30, -1)))
    assert table.lowest_fmr == pytest.approx(1e-4, rel=0.05)
    for score in np.linspace(-3, 3.5, 40):
        assert table.fmr(score) == pytest.approx(fmr_at(score, scores), rel=0.06)


def test_rate_at_a_knot_is_never_said_to_be_less_than_it_is() -> None:
    scores = np.random.default_rng(1).normal(size=50_000).astype(np.float32)
    table = calibrated([scores])
    for score, rate in zip(table.scores, table.fmrs, strict=True):
        assert rate >= fmr_at(score, scores)


def test_table_ends_where_thirty_strangers_reach_the_score() -> None:
    scores = np.arange(10_000) / 100
    table = calibrated([scores])
    assert table.lowest_fmr == pytest.approx(30 / 10_000)
    assert table.fmrs[0] == 1


def test_too_few_or_senseless_scores_make_no_table() -> None:
    with pytest.raises(InvalidRequest, match="at least 300"):
        calibrated([np.arange(299.0)])
    with pytest.raises(InvalidRequest, match="finite"):
        calibrated([np.array([1.0, np.nan])])


def test_tail_goes_on_where_the_table_ends_and_errs_on_the_safe_side() -> None:
    counts = count_scores([pairs(strangers(1_000_000))])
    scores, fmrs = counts.knots()

    tail = counts.tail(scores[-1], fmrs[-1] / 10**DECADES, UPPER_95)

    assert tail is not None
    assert tail.scores[0] == scores[-1]
    assert tail.scores[-1] < IDENTICAL
    assert tail.fmrs[-1] <= fmrs[-1] / 10**DECADES * 1.001
    for columns in zip(tail.scores, tail.lows, tail.estimates, tail.fmrs, strict=True):
        score, low, estimate, deciding = columns
        true = 10 ** (-10 * (score + 1))
        assert low <= true <= deciding
        assert low <= estimate <= deciding
    table = Calibration("m", "c", scores, fmrs, counts.total, "noise", tail)
    assert table.lowest_fmr == tail.fmrs[-1] < table.least_counted


def test_fewer_errors_make_a_less_careful_tail() -> None:
    counts = count_scores([pairs(strangers(20_000))])
    scores, fmrs = counts.knots()
    careful, bold = (counts.tail(scores[-1], fmrs[-1] / 100, by) for by in (UPPER_95, 0.5))
    assert careful is not None and bold is not None
    assert bold.fmrs[0] < careful.fmrs[0] == careful.highs[0]
    # What one needs a higher score for, the other grants sooner.
    assert bold.scores[-1] < careful.scores[-1]


def test_few_scores_have_no_tail() -> None:
    counts = count_scores([pairs(strangers(30))])
    assert counts.tail(-0.9, 1e-6, UPPER_95) is None


def test_scores_without_a_spread_have_no_tail() -> None:
    counts = count_scores([pairs(np.full(1000, -0.5))])
    assert counts.tail(-0.5, 1e-6, UPPER_95) is None


def test_the_highest_of_many_batches_are_those_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "_MOST_IN_TAIL", 100)
    every = pairs(strangers(20_000))
    batches = [every.only(some) for some in np.array_split(np.arange(20_000), 200)]
    at_once, in_turn = count_scores([every]), count_scores(batches)
    assert in_turn.knots() == at_once.knots()
    assert in_turn.total == at_once.total == 20_000
    start = at_once.knots()[0][-1]
    assert in_turn.tail(start, 1e-6, 1.0) == at_once.tail(start, 1e-6, 1.0)


def test_nothing_counted_has_neither_table_nor_tail() -> None:
    counts = StrangerScores()
    counts.add(pairs(np.empty(0)))
    assert counts.tail(-1.0, 1e-6, UPPER_95) is None
    with pytest.raises(InvalidRequest, match="Too few"):
        counts.knots()


@given(st.lists(st.integers(0, 300), min_size=1, max_size=400))
def test_all_of_a_person_is_in_one_group_and_groups_are_nearly_as_large(people: list[int]) -> None:
    groups = groups_of(np.array(people))
    of_person = {person: group for person, group in zip(people, groups.tolist(), strict=True)}
    assert [of_person[person] for person in people] == groups.tolist()
    sizes = np.bincount(list(of_person.values()), minlength=GROUPS)
    assert sizes.max() - sizes.min() <= 1
    assert groups_of(np.array(people)).tolist() == groups.tolist()


def test_misses_say_what_share_of_pairs_of_one_person_score_less() -> None:
    mated = np.random.default_rng(3).normal(-0.4, 0.1, 5_000)
    table = Calibration("m", "c", (-1.0, -0.5), (1.0, 0.1), 1, "noise", misses=misses_of(mated))
    for score in np.linspace(-0.7, -0.1, 20):
        assert table.fnmr(score) == pytest.approx(float((mated < score).mean()), abs=0.01)
    missed = table.score_missed_by(1e-3)
    assert missed is not None
    # Scores are rounded: one more may lie just below.
    assert 5 <= np.count_nonzero(mated < missed) <= 6


def test_of_few_pairs_of_one_person_no_misses_are_told() -> None:
    assert misses_of(np.linspace(-0.5, -0.1, 29)) == ()
    assert len(misses_of(np.linspace(-0.5, -0.1, 30))) == 30
    assert len(misses_of(np.full(50, -0.3))) == 1
