"""How much more crowded a place becomes with people of one's own: against plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from likeness.terms import Joining
from likeness.terms.crowding import LEFT_OUT, OWN_NEAREST, lift, lift_without_each
from likeness.terms.template import relative_score

Vectors = NDArray[np.float32]
seeds = st.integers(0, 2**32 - 1)
joined = st.integers(1, 60)


def drawn(seed: int, rows: int, joining: int) -> tuple[Vectors, Vectors]:
    """The highest scores of some templates with a cohort, and all with those who join it."""
    draws = np.random.default_rng(seed)
    cohort = -np.sort(-draws.uniform(0.2, 0.5, (rows, OWN_NEAREST)), axis=1)
    # Some of those who join do not count, and some scores are the same.
    own = draws.uniform(0.1, 0.6, (rows, joining)).round(2)
    own[draws.random(own.shape) < 0.2] = LEFT_OUT
    return cohort.astype(np.float32), own.astype(np.float32)


def mean_of_highest(scores: list[float]) -> float:
    return float(np.mean(sorted(scores, reverse=True)[:OWN_NEAREST]))


class Places:
    """A cohort by its definition: crowded is who is like any of its vectors."""

    version = "rd1-places"
    followed = 1.2

    def __init__(self, vectors: Vectors) -> None:
        self.vectors = vectors

    def means(self, vectors: Vectors) -> NDArray[np.float64]:
        return self.highest(vectors, 10).mean(axis=1, dtype=np.float64)

    def highest(self, vectors: Vectors, count: int) -> Vectors:
        return np.asarray(-np.sort(-(vectors @ self.vectors.T), axis=1)[:, :count], np.float32)


def units(seed: int, count: int, dimensions: int = 16) -> Vectors:
    vectors = np.random.default_rng(seed).normal(0.3, 1.0, (count, dimensions))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


@given(seeds, joined)
def test_lift_is_how_much_the_mean_of_the_highest_rises(seed: int, joining: int) -> None:
    cohort, own = drawn(seed, 3, joining)
    expected = [
        mean_of_highest([*there, *here]) - mean_of_highest(list(there))
        for there, here in zip(cohort.astype(float), own.astype(float), strict=True)
    ]
    assert lift(cohort, own) == pytest.approx(np.array(expected), abs=1e-6)


@given(seeds, joined)
def test_lift_without_each_is_that_of_the_others(seed: int, joining: int) -> None:
    cohort, own = drawn(seed, 3, joining)
    expected = np.stack(
        [lift(cohort, np.delete(own, each, axis=1)) for each in range(joining)], axis=1
    )
    assert lift_without_each(cohort, own) == pytest.approx(expected, abs=1e-6)


@given(seeds, joined)
def test_who_joins_never_makes_a_place_less_crowded(seed: int, joining: int) -> None:
    cohort, own = drawn(seed, 3, joining)
    assert (lift(cohort, own) >= -1e-9).all()
    assert (lift_without_each(cohort, own) >= -1e-9).all()


@given(seeds)
def test_who_is_farther_than_the_cohort_or_left_out_changes_nothing(seed: int) -> None:
    cohort, _ = drawn(seed, 2, 1)
    far = np.full((2, 30), 0.19)
    assert lift(cohort, far) == pytest.approx(np.zeros(2), abs=1e-6)
    assert lift(cohort, np.full((2, 30), LEFT_OUT)) == pytest.approx(np.zeros(2), abs=1e-6)
    assert lift_without_each(cohort, far) == pytest.approx(np.zeros((2, 30)), abs=1e-6)


def joining_of(vectors: Vectors, subjects: list[int] | None = None) -> Joining:
    count = len(vectors)
    whose = np.array(subjects or range(1, count + 1), np.int64)
    return Joining(np.arange(1, count + 1), whose, vectors, one_person=0.95)


@settings(max_examples=20)
@given(seeds)
def test_own_score_is_that_of_a_plain_loop(seed: int) -> None:
    cohort, people = Places(units(seed, 50)), units(seed + 1, 25)
    probe, candidates = units(seed + 2, 1)[0], people[:4]
    joining = joining_of(people)

    found = joining.own_scores(cohort, probe, candidates, np.array([1, 2, 3, 4]))

    for number, (score, candidate) in enumerate(zip(found, candidates, strict=True), start=1):

        def crowded(vector: Vectors, number: int = number, alike_too: bool = True) -> float:
            there = cohort.highest(vector[None], OWN_NEAREST)[0].tolist()
            here = [
                float(one @ vector)
                for whose, one in zip(joining.subjects, people, strict=True)
                if whose != number and (not alike_too or one @ vector < joining.one_person)
            ]
            rise = mean_of_highest(there + here) - mean_of_highest(there)
            return float(cohort.means(vector[None])[0]) + cohort.followed * rise

        expected = relative_score(
            float(candidate @ probe), crowded(candidate), crowded(probe, alike_too=False)
        )
        assert score == pytest.approx(expected, abs=1e-5)


def test_a_candidates_own_references_never_count_against_it() -> None:
    cohort, people = Places(units(1, 50)), units(2, 25)
    probe = units(3, 1)[0]
    alone = joining_of(people[1:], [*range(2, 26)])
    with_own = joining_of(people)

    left_out = with_own.own_scores(cohort, probe, people[:1], np.array([1]))
    absent = alone.own_scores(cohort, probe, people[:1], np.array([1]))

    assert left_out == pytest.approx(absent)


def test_who_may_be_the_candidate_under_another_name_does_not_count_for_it() -> None:
    cohort, people = Places(units(1, 50)), units(2, 25)
    twin = people[0] + 0.01 * people[1]
    twin /= np.linalg.norm(twin)
    # A probe far off, for which nobody who joins counts but the candidate's place does.
    probe = -people[0]
    plain = joining_of(people).own_scores(cohort, probe, people[:1], np.array([1]))
    twice = joining_of(np.vstack([people, twin[None]]))

    assert twice.own_scores(cohort, probe, people[:1], np.array([1])) == pytest.approx(plain)


def test_copies_of_a_picture_do_not_crowd_whom_it_shows() -> None:
    cohort, people = Places(units(1, 50)), units(2, 25)
    probe, other = units(3, 2)
    copies = probe + 0.01 * units(4, 20)
    copies /= np.linalg.norm(copies, axis=1, keepdims=True)
    nobody = np.zeros(1, np.int64)
    few, crowd = joining_of(people), joining_of(np.vstack([people, copies]))
    assert crowd.own_scores(cohort, probe, other[None], nobody) == pytest.approx(
        few.own_scores(cohort, probe, other[None], nobody)
    )


def test_whoever_is_nobody_is_held_against_all_who_join() -> None:
    cohort, people = Places(units(1, 50)), units(2, 25)
    probe, other = units(3, 2)
    nobody = np.zeros(1, np.int64)
    crowd = joining_of(np.vstack([people, units(4, 200)]))
    few = joining_of(people)
    assert crowd.own_scores(cohort, probe, other[None], nobody) <= few.own_scores(
        cohort, probe, other[None], nobody
    )


def test_pair_scores_are_own_scores_with_the_probe_left_out() -> None:
    cohort, people = Places(units(5, 50)), units(6, 25)
    own, plain = joining_of(people).pair_scores(cohort)
    means = cohort.means(people)
    for one, other in [(0, 1), (3, 17), (24, 2)]:
        # As in a search for somebody who is not among those who join.
        others = np.delete(people, one, axis=0)
        whose = [number + 1 for number in range(25) if number != one]
        searched = joining_of(others, whose).own_scores(
            cohort, people[one], people[other : other + 1], np.array([other + 1])
        )
        assert own[one, other] == pytest.approx(searched[0], abs=1e-5)
        raw = float(people[one] @ people[other])
        assert plain[one, other] == pytest.approx(
            relative_score(raw, means[one], means[other]), abs=1e-6
        )
    assert own == pytest.approx(own.T)
    assert (own <= plain + 1e-9).all()


def test_who_may_be_one_person_is_no_pair_of_strangers() -> None:
    people = units(6, 25)
    people[7] = people[3]
    own, plain = joining_of(people).pair_scores(Places(units(5, 50)))
    for scores in (own, plain):
        assert np.isneginf(np.diag(scores)).all()
        assert np.isneginf(scores[[3, 7], [7, 3]]).all()
        assert np.isneginf(scores).sum() == 25 + 2
