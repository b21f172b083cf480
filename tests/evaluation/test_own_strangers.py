"""Rates of a gallery's own: how alike its different people look to each other."""

import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation import calibrate_own_strangers
from likeness.terms import Calibration, Joining
from likeness.vision.cohorts.cohort import Cohort

KNOWN = Calibration(
    "m",
    "rd1-known",
    (-2.0, -0.9),
    (1.0, 1e-3),
    10**6,
    "anybody",
    misses=((-0.9, 0.0), (-0.5, 0.4)),
    one_person=0.99,
)


def people(count: int, spread: float, seed: int) -> NDArray[np.float32]:
    """Around one place in 64 dimensions: the smaller the spread, the more alike."""
    draws = np.random.default_rng(seed)
    vectors = np.eye(1, 64) + spread * draws.normal(size=(count, 64))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return Cohort.of(people(400, 0.3, 1), "m", "nobody")


def joining(vectors: NDArray[np.float32], one_person: float = 0.99) -> Joining:
    numbers = np.arange(1, len(vectors) + 1)
    return Joining(numbers, numbers, vectors, one_person)


def test_what_is_measured_are_all_pairs_of_those_who_join(cohort: Cohort) -> None:
    those = joining(people(60, 0.3, 2))
    own, plain = calibrate_own_strangers(those, cohort, KNOWN)
    own_scores, plain_scores = those.pair_scores(cohort)
    upper = np.triu_indices(60, 1)
    for found, scores in ((own, own_scores[upper]), (plain, plain_scores[upper])):
        assert found.pairs == 60 * 59 // 2
        assert "60 people" in found.measured_on
        for score in np.quantile(scores, [0.1, 0.5, 0.9]):
            assert found.fmr(score) == pytest.approx(float((scores >= score).mean()), rel=0.15)


def test_what_it_cannot_measure_it_takes_from_what_is_known(cohort: Cohort) -> None:
    own, plain = calibrate_own_strangers(joining(people(60, 0.3, 2)), cohort, KNOWN)
    for found in (own, plain):
        assert (found.model, found.cohort_version) == (KNOWN.model, KNOWN.cohort_version)
        assert (found.alike, found.one_person) == (None, KNOWN.one_person)
    assert plain.misses == KNOWN.misses
    # Of own scores, at the score that strangers here reach as often.
    for (score, rate), (own_score, own_rate) in zip(KNOWN.misses, own.misses, strict=True):
        assert own_rate == rate
        assert own.fmr(own_score) == pytest.approx(plain.fmr(score), rel=0.01)


def test_rates_reach_beyond_the_pairs_that_were_counted(cohort: Cohort) -> None:
    own, _ = calibrate_own_strangers(joining(people(60, 0.3, 2)), cohort, KNOWN)
    assert own.tail is not None
    assert own.lowest_fmr < 1 / own.pairs < own.least_counted


def test_people_who_are_more_alike_have_higher_rates_by_plain_scores(cohort: Cohort) -> None:
    _, loose = calibrate_own_strangers(joining(people(60, 0.3, 2)), cohort, KNOWN)
    _, alike = calibrate_own_strangers(joining(people(60, 0.15, 2)), cohort, KNOWN)
    assert alike.fmr(-0.8) > 2 * loose.fmr(-0.8)


def test_the_same_people_are_measured_alike_every_time(cohort: Cohort) -> None:
    those = joining(people(40, 0.3, 3))
    assert calibrate_own_strangers(those, cohort, KNOWN) == calibrate_own_strangers(
        those, cohort, KNOWN
    )


def test_who_may_be_one_person_under_two_names_is_no_stranger(cohort: Cohort) -> None:
    vectors = people(60, 0.3, 2)
    twice = np.vstack([vectors, vectors[:5]])
    own, _ = calibrate_own_strangers(joining(twice), cohort, KNOWN)
    assert own.pairs == 65 * 64 // 2 - 5
    assert own.scores[-1] < -0.3


def test_those_who_may_all_be_one_person_are_not_measured(cohort: Cohort) -> None:
    with pytest.raises(InvalidRequest, match="Too few"):
        calibrate_own_strangers(joining(people(40, 0.01, 3)), cohort, KNOWN)
