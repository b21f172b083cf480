"""Relative scores: how far two faces are apart, in units of how far the nearest strangers are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from likeness.errors import ModelMismatch
from likeness.terms import (
    IDENTICAL,
    SAME_PICTURE,
    CohortStatistics,
    Template,
    compare,
    relative_scores,
)
from likeness.terms.template import relative_score

raw_scores = st.floats(-1.0, 1.0)
means = st.floats(-0.2, 0.9)


def template(vector: NDArray[np.float64], mean: float, **changed: str) -> Template:
    unit = (vector / np.linalg.norm(vector)).astype(np.float32)
    statistics = CohortStatistics(mean, changed.get("cohort", "c"))
    return Template(unit, changed.get("model", "m"), statistics)


@pytest.mark.parametrize(
    ("raw", "a", "b", "score"),
    [
        (1.0, 0.3, 0.3, 0.0),
        (0.3, 0.3, 0.3, -1.0),  # as far off as the nearest strangers
        (0.5, 0.0, 0.0, -0.5),
        (0.5, 0.2, 0.3, -0.5 / 0.75),
        (-1.0, 0.0, 0.0, -2.0),
    ],
)
def test_score_is_the_distance_in_units_of_the_nearest_strangers(
    raw: float, a: float, b: float, score: float
) -> None:
    assert relative_score(raw, a, b) == pytest.approx(score)


@given(means, means)
def test_a_picture_with_itself_scores_zero_wherever_it_stands(a: float, b: float) -> None:
    assert relative_score(1.0, a, b) == IDENTICAL
    # Two runs over the same pixels differ by rounding.
    assert relative_score(1.0 - 4e-6, a, b) == relative_score(1.0 + 4e-6, a, b) == IDENTICAL


@given(raw_scores, means, means)
def test_nothing_scores_higher_than_a_picture_with_itself(raw: float, a: float, b: float) -> None:
    score = relative_score(raw, a, b)
    assert score <= IDENTICAL
    assert (score == IDENTICAL) == (1.0 - raw <= 1e-5)


@given(raw_scores, means, means)
def test_both_faces_count_alike(raw: float, a: float, b: float) -> None:
    assert relative_score(raw, a, b) == relative_score(raw, b, a)


@given(raw_scores, raw_scores, means, means)
def test_faces_that_are_more_alike_never_score_lower(
    one: float, other: float, a: float, b: float
) -> None:
    low, high = sorted((one, other))
    assert relative_score(low, a, b) <= relative_score(high, a, b)


@given(st.floats(-1.0, 0.99), means, means, means)
def test_a_more_crowded_place_makes_every_score_lower(
    raw: float, one: float, other: float, b: float
) -> None:
    loose, crowded = sorted((one, other))
    assert relative_score(raw, crowded, b) <= relative_score(raw, loose, b)


@given(raw_scores)
def test_a_place_without_room_gives_a_finite_score(raw: float) -> None:
    assert np.isfinite(relative_score(raw, 1.0, 1.0))
    assert relative_score(raw, 2.0, 2.0) == pytest.approx(relative_score(raw, 0.95, 0.95))


@given(st.lists(st.tuples(raw_scores, means, means), min_size=1, max_size=20))
def test_scores_of_arrays_are_those_of_each(three: list[tuple[float, float, float]]) -> None:
    raw, a, b = (np.array(column) for column in zip(*three, strict=True))
    assert relative_scores(raw, a, b).tolist() == [relative_score(*one) for one in three]


def test_arrays_are_broadcast_to_a_table_of_pairs() -> None:
    raw, own = np.array([[1.0, 0.2], [0.2, 1.0]]), np.array([0.1, 0.3])
    found = relative_scores(raw, own[:, None], own)
    assert found == pytest.approx(np.array([[0.0, -1.0], [-1.0, 0.0]]))


def test_comparison_of_a_template_with_itself_is_identical() -> None:
    one = template(np.arange(1.0, 9.0), 0.4)
    assert compare(one, one).is_identical
    assert SAME_PICTURE.is_identical
    other = template(np.arange(2.0, 10.0), 0.4)
    assert not compare(one, other).is_identical
    assert compare(one, other).score == pytest.approx(
        relative_score(compare(one, other).raw_score, 0.4, 0.4)
    )


@pytest.mark.parametrize("changed", [{"model": "other"}, {"cohort": "other"}])
def test_templates_of_two_models_or_cohorts_are_never_compared(changed: dict[str, str]) -> None:
    vector = np.arange(1.0, 9.0)
    with pytest.raises(ModelMismatch, match=r"of two models|by two cohorts"):
        compare(template(vector, 0.1), template(vector, 0.1, **changed))
