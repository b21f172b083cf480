"""What clusterings are measured with."""

import numpy as np
import pytest

from bench.clusterings import (
    Method,
    average_linkage,
    bcubed,
    chinese_whispers,
    single_linkage,
    wrong_joins,
)
from likeness.terms import CohortStatistics, Template

PEOPLE = ["a", "a", "a", "b", "b", "c", ""]


def test_precision_and_recall_are_those_of_a_face_on_average() -> None:
    clusters = [[0, 1, 3, 6], [2], [4], [5]]
    precision, recall = bcubed(clusters, PEOPLE)
    assert precision == pytest.approx((2 / 3 + 2 / 3 + 1 + 1 / 3 + 1 + 1) / 6)
    assert recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 / 2 + 1 / 2 + 1) / 6)
    assert wrong_joins(clusters, PEOPLE) == 1


@pytest.mark.parametrize("method", [average_linkage, single_linkage, chinese_whispers])
def test_every_method_finds_plain_clusters_and_keeps_a_pictures_faces_apart(
    method: Method,
) -> None:
    draws = np.random.default_rng(0)
    people = [0, 1, 0, 1, 0, 2, 2]
    pictures = [0, 0, 1, 1, 2, 3, 3]
    vectors = draws.normal(size=(3, 32))[people] + draws.normal(scale=0.05, size=(7, 32))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    templates = [
        Template(vector.astype(np.float32), "model", CohortStatistics(0.2, "cohort"))
        for vector in vectors
    ]
    clusters = {frozenset(each) for each in method(templates, pictures, -0.5)}
    assert clusters == {frozenset(each) for each in ([0, 2, 4], [1, 3], [5], [6])}
