"""Which unnamed faces are one person's?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import ModelMismatch
from likeness.service.search.clusters import Grouping, group
from likeness.terms import CohortStatistics, Template, compare

THRESHOLD = -0.6


def faces(people: Sequence[int], seed: int = 0, spread: float = 0.5) -> list[Template]:
    """A template each of these people; the more spread, the less alike are those of one."""
    draws = np.random.default_rng(seed)
    vectors = draws.normal(size=(max(people, default=0) + 1, 16))[list(people)]
    vectors += draws.normal(scale=spread, size=vectors.shape)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        Template(
            vector.astype(np.float32),
            "model",
            CohortStatistics(draws.uniform(0.1, 0.3), "cohort"),
        )
        for vector in vectors
    ]


def grouping_score(a: Template, b: Template) -> float:
    """The relative distance in units of the geometric mean of both places, negated."""
    units = np.sqrt((1.0 - a.cohort.mean) * (1.0 - b.cohort.mean))
    return (float(a.vector.astype(float) @ b.vector.astype(float)) - 1.0) / float(units)


def partition(grouping: Grouping) -> set[frozenset[int]]:
    clusters = {frozenset(cluster.members) for cluster in grouping.clusters}
    return clusters | {frozenset([face]) for face in grouping.alone}


def best_first(
    templates: Sequence[Template], pictures: Sequence[int], threshold: float
) -> set[frozenset[int]]:
    """The same by its definition: the two groups most alike are joined, one pair at a time."""
    scores = np.array([[grouping_score(a, b) for b in templates] for a in templates])
    groups = [frozenset([face]) for face in range(len(templates))]

    def score(a: frozenset[int], b: frozenset[int]) -> float:
        if {pictures[face] for face in a} & {pictures[face] for face in b}:
            return -np.inf
        return float(scores[np.ix_(list(a), list(b))].mean())

    while len(groups) > 1:
        a, b = max(combinations(groups, 2), key=lambda pair: score(*pair))
        if score(a, b) < threshold:
            break
        groups = [each for each in groups if each not in (a, b)] + [a | b]
    return set(groups)


crowds = st.lists(st.integers(0, 5), max_size=24)
seeds = st.integers(0, 2**32 - 1)


def pictures_of(count: int, seed: int) -> list[int]:
    return np.random.default_rng(seed).integers(0, max(1, count // 2), count).tolist()


def test_faces_of_one_person_are_a_cluster_and_a_stranger_is_alone() -> None:
    grouping = group(faces([0, 1, 0, 2, 1, 0], spread=0.1), range(6), THRESHOLD)
    assert [set(cluster.members) for cluster in grouping.clusters] == [{0, 2, 5}, {1, 4}]
    assert grouping.alone == (3,)


@given(crowds, seeds, st.sampled_from([0.1, 0.5, 1.0]), st.sampled_from([-1.1, -0.8, -0.3]))
def test_groups_are_those_of_joining_the_most_alike_first(
    people: list[int], seed: int, spread: float, threshold: float
) -> None:
    templates, pictures = faces(people, seed, spread), pictures_of(len(people), seed)
    assert partition(group(templates, pictures, threshold)) == best_first(
        templates, pictures, threshold
    )


@given(crowds, seeds)
def test_two_faces_of_a_picture_are_never_in_one_cluster(people: list[int], seed: int) -> None:
    pictures = pictures_of(len(people), seed)
    # Everybody is like everybody, and copies of a picture would chain what must stay apart.
    templates = [faces([0] * (seed % 3 + 1))[number % (seed % 3 + 1)] for number in people]
    grouping = group(templates, pictures, -100.0)
    assert sorted(face for each in partition(grouping) for face in each) == [*range(len(people))]
    for cluster in grouping.clusters:
        inside = [pictures[face] for face in cluster.members]
        assert len(set(inside)) == len(inside)


@given(crowds, seeds)
def test_the_order_of_the_faces_changes_nothing(people: list[int], seed: int) -> None:
    templates, pictures = faces(people, seed), pictures_of(len(people), seed)
    order = np.random.default_rng(seed).permutation(len(people)).tolist()
    shuffled = group([templates[i] for i in order], [pictures[i] for i in order], THRESHOLD)
    named = {frozenset(order[face] for face in each) for each in partition(shuffled)}
    assert named == partition(group(templates, pictures, THRESHOLD))


@given(crowds, seeds, st.integers(2, 4))
def test_copies_of_pictures_are_clustered_with_what_they_are_copies_of(
    people: list[int], seed: int, copies: int
) -> None:
    templates, pictures = faces(people, seed), pictures_of(len(people), seed)
    many = [picture + 100 * copy for copy in range(copies) for picture in pictures]
    for each in partition(group(templates * copies, many, THRESHOLD)):
        assert set(Counter(face % len(people) for face in each).values()) == {copies}


def test_a_thousand_copies_of_a_picture_are_two_clusters_if_it_shows_two() -> None:
    grouping = group(faces([0, 1]) * 1000, [face // 2 for face in range(2000)], THRESHOLD)
    assert [len(cluster.members) for cluster in grouping.clusters] == [1000, 1000]


def test_fits_and_cohesion_are_means_of_scores() -> None:
    templates = faces([0] * 5)
    (cluster,) = group(templates, range(5), -100.0).clusters
    for face, fit in zip(cluster.members, cluster.fits, strict=True):
        others = [grouping_score(templates[face], templates[i]) for i in range(5) if i != face]
        assert fit == pytest.approx(np.mean(others), abs=1e-4)
    assert list(cluster.fits) == sorted(cluster.fits, reverse=True)
    pairs = [grouping_score(a, b) for a, b in combinations(templates, 2)]
    assert cluster.cohesion == pytest.approx(np.mean(pairs), abs=1e-4)


@given(crowds, seeds)
def test_faces_are_never_grouped_by_a_higher_score_than_they_compare_with(
    people: list[int], seed: int
) -> None:
    for a, b in combinations(faces(people, seed), 2):
        score = compare(a, b).score
        assert score - 0.02 <= grouping_score(a, b) <= score + 1e-4


def test_no_face_is_no_cluster() -> None:
    assert group([], [], THRESHOLD) == Grouping((), ())


def test_templates_of_two_models_are_refused() -> None:
    one, other = faces([0, 0])
    with pytest.raises(ModelMismatch, match="of 2 models or cohorts"):
        group([one, replace(other, model="other")], [0, 1], THRESHOLD)
