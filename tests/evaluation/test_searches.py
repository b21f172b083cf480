"""FPIR, FNIR, hit rates and thresholds of searches, on inputs that are counted by hand."""

import math

import numpy as np
import pytest

from likeness.errors import InvalidRequest
from likeness.evaluation import (
    Searches,
    fnir,
    fpir,
    hit_rates,
    search_curve,
    threshold_at_fpir,
)

NONE = -math.inf


def searches(
    mates: list[tuple[float, int]], strangers: list[float], depth: int = 5, others: float = 0.1
) -> Searches:
    """Mated searches by score and rank of the mate, and the best score of each stranger."""
    size = len(mates) + len(strangers)
    nothing = [NONE] * len(strangers)
    return Searches(
        probes=np.arange(size, dtype=np.int32),
        mated=np.arange(size) < len(mates),
        mate_scores=np.array([score for score, _ in mates] + nothing),
        mate_ranks=np.array([rank for _, rank in mates] + [0] * len(strangers), np.int32),
        other_scores=np.array([others] * len(mates) + strangers),
        gallery=100,
        subjects=100,
        depth=depth,
    )


# Sets of our own with the figures of bob.measure's: at 0.5 FNIR 0, 1/7, 1/7 and FPIR 0, 0, 0.5.
FOUND = [(0.9, 1), (0.8, 1), (0.7, 1), (0.6, 1), (0.6, 1), (0.55, 1)]


@pytest.mark.parametrize(
    ("seventh", "strangers", "misses", "alarms"),
    [
        ((0.5, 1), [0.4, 0.2], 0, 0),
        ((0.8, 2), [0.4, 0.2], 1, 0),
        ((0.45, 1), [0.5, 0.2], 1, 1),
    ],
)
def test_open_sets_have_the_rates_that_a_hand_counts(
    seventh: tuple[float, int], strangers: list[float], misses: int, alarms: int
) -> None:
    given = searches([*FOUND, seventh], strangers)
    assert fnir(given, 0.5, rank=1) == (misses, 7)
    assert fpir(given, 0.5) == (alarms, 2)
    assert fpir(given, 0.5).value == alarms / 2


def test_hit_rates_are_those_of_the_cmc_that_bob_measure_has() -> None:
    ranks = [1] * 76 + [2] * 13 + [3] * 7 + [4] * 2 + [5] * 2
    given = searches([(0.1, rank) for rank in ranks], [], depth=5)
    assert [share.value for share in hit_rates(given)] == [0.76, 0.89, 0.96, 0.98, 1.0]


def test_a_mate_outside_the_list_is_never_hit() -> None:
    given = searches([(0.9, 1), (NONE, 0)], [], depth=3)
    assert [tuple(share) for share in hit_rates(given)] == [(1, 2)] * 3
    assert fnir(given) == (1, 2)


def test_a_mate_below_the_threshold_is_missed_at_any_rank() -> None:
    given = searches([(0.5, 1), (0.4, 1), (0.6, 3)], [])
    assert fnir(given, 0.5) == (1, 3)
    assert fnir(given, 0.5, rank=2) == (2, 3)
    assert fnir(given, rank=1) == (1, 3)


def test_failed_searches_count() -> None:
    given = searches([(0.9, 1), (NONE, 0)], [NONE, 0.3])
    assert fnir(given, 0.5) == (1, 2)
    assert fpir(given, NONE) == (1, 2)


def test_a_threshold_never_exceeds_its_target() -> None:
    given = searches([(0.9, 1)], [0.1, 0.2, 0.3, 0.3, 0.4])
    assert threshold_at_fpir(given, 0.2) == 0.4
    assert threshold_at_fpir(given, 0.4) == 0.4  # 0.3 would be three of five
    assert threshold_at_fpir(given, 0.6) == 0.3
    assert threshold_at_fpir(given, 1.0) == 0.1
    above = threshold_at_fpir(given, 0.1)
    assert above == np.nextafter(0.4, 1)
    assert fpir(given, above).number == 0


def test_a_target_that_a_float_cannot_hold_counts_as_what_it_says() -> None:
    strangers = np.linspace(0, 1, 1000).tolist()
    given = searches([(0.9, 1)], strangers)
    for errors in (3, 7, 29, 58, 570):
        assert fpir(given, threshold_at_fpir(given, errors / 1000)).number == errors


def test_where_no_stranger_has_a_candidate_every_threshold_does() -> None:
    given = searches([(0.9, 1), (0.8, 1)], [NONE, NONE])
    assert threshold_at_fpir(given, 0.003) == 0.8


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (searches([(0.9, 1)], []), "not enrolled"),
        (searches([(NONE, 0)], [NONE], others=NONE), "any candidate"),
    ],
)
def test_there_is_no_threshold_without_searches(given: Searches, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        threshold_at_fpir(given, 0.01)


def test_there_is_no_rate_of_no_searches() -> None:
    assert fpir(searches([(0.9, 1)], []), 0.5).value is None
    assert fnir(searches([], [0.4]), 0.5).value is None
    assert len(search_curve(searches([], [0.4])).fpirs) == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_scores_that_are_no_numbers_are_refused(bad: float) -> None:
    with pytest.raises(InvalidRequest, match="NaN or infinite"):
        searches([(bad, 1)], [0.1])


def test_as_many_scores_as_searches_are_needed() -> None:
    one = np.zeros(1)
    with pytest.raises(InvalidRequest, match="same number"):
        Searches(np.zeros(2, np.int32), one > 1, one, np.zeros(1, np.int32), one, 1, 1, 1)


@pytest.mark.parametrize("most_points", [40, 5000])
def test_the_curve_has_the_rates_of_its_thresholds(most_points: int) -> None:
    random = np.random.default_rng(8)
    mates = [(float(score), int(rank)) for score, rank in zip(
        random.normal(2, 1, 300).round(2), random.integers(0, 4, 300), strict=True
    )]  # fmt: skip
    strangers = [*random.normal(0, 1, 900).round(2).tolist(), NONE]
    given = searches([(score if rank else NONE, rank) for score, rank in mates], strangers)
    curve = search_curve(given, rank=2, most_points=most_points)
    assert 20 <= len(curve.thresholds) <= most_points
    assert curve.thresholds[0] == max(strangers)
    assert curve.thresholds[-1] == min(strangers[:-1])
    assert (np.diff(curve.thresholds) < 0).all()
    for threshold, alarms, misses in zip(*curve, strict=True):
        assert fpir(given, threshold).value == alarms
        assert fnir(given, threshold, rank=2).value == misses
