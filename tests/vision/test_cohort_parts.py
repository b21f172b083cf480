"""A cohort of the very people compared: nobody is held against themselves."""

import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.errors import InvalidRequest, ModelTampered
from likeness.vision.cohort import Cohort, crowds
from likeness.vision.cohort_parts import CohortInParts


def people(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Unit templates of 64 numbers, in places that are crowded and places that are not."""
    drawn = np.random.default_rng(seed)
    places = np.random.default_rng(99).normal(size=(8, 64))
    vectors = 0.6 * places[drawn.integers(0, 8, count)] + drawn.normal(size=(count, 64))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_whoever_is_in_it_stands_as_whoever_is_not() -> None:
    inside, outside = people(600), people(600, seed=1)
    in_parts = CohortInParts.of(inside, "net@1", "a test", seed=3)
    in_one = Cohort.of(crowds(inside[None]), "net@1", "a test")

    def gap(cohort: Cohort | CohortInParts) -> float:
        """How much higher insiders stand, in deviations of the outsiders' means."""
        means, others = cohort.statistics(inside)[0], cohort.statistics(outside)[0]
        return float((means.mean() - others.mean()) / others.std())

    assert gap(in_one) > 0.5
    assert abs(gap(in_parts)) < 0.25 * gap(in_one)


def test_it_comes_back_as_it_went_and_its_version_names_it() -> None:
    cohort = CohortInParts.of(people(500), "net@1", "a test", seed=3)
    again = CohortInParts.from_bytes(cohort.as_bytes())

    assert again.version == cohort.version
    assert len(cohort.version) == 12
    for ours, theirs in zip(
        cohort.statistics(people(9, seed=2)), again.statistics(people(9, seed=2)), strict=True
    ):
        assert (ours == theirs).all()
    other = CohortInParts.of(people(500), "net@1", "a test", seed=4)
    assert other.version != cohort.version


def test_too_few_people_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="needs 500"):
        CohortInParts.of(people(499), "net@1", "a test", seed=3)


def test_bytes_that_are_none_are_refused() -> None:
    content = CohortInParts.of(people(500), "net@1", "a test", seed=3).as_bytes()
    one = Cohort.of(crowds(people(100)[None]), "net@1", "a test").as_bytes()
    for wrong in (b"", b"no archive", content[:-200], one):
        with pytest.raises(ModelTampered, match="again"):
            CohortInParts.from_bytes(wrong)
