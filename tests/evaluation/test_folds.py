import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.errors import InvalidRequest
from likeness.evaluation import FAILED, accuracy_by_folds


def test_each_fold_is_decided_at_the_threshold_of_the_others() -> None:
    scores = np.array([0.1, 0.9, 0.2, 0.8, 0.5, 0.3])
    mated = np.array([False, True, False, True, False, True])
    folds = np.array([0, 0, 1, 1, 2, 2])
    found = accuracy_by_folds(scores, mated, folds)
    # Folds 0 and 1 are decided at 0.3, fold 2 at 0.8, which its mated pair does not reach.
    assert found.by_fold == (1.0, 1.0, 0.5)
    assert found.mean == pytest.approx(2.5 / 3)
    assert found.standard_error == pytest.approx(np.std([1, 1, 0.5], ddof=1) / np.sqrt(3))


def test_a_failure_is_no_match() -> None:
    scores = np.array([FAILED, FAILED, 0.9, 0.1])
    found = accuracy_by_folds(scores, np.array([True, False, True, False]), np.array([0, 0, 1, 1]))
    assert found.by_fold[0] == 0.5


def test_one_fold_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="Too few folds"):
        accuracy_by_folds(np.array([1.0]), np.array([True]), np.array([0]))


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=4, max_size=40))
def test_no_other_threshold_does_better_on_the_other_fold(rows: list[tuple[int, bool]]) -> None:
    scores = np.array([float(score) for score, _ in rows])
    mated = np.array([same for _, same in rows])
    folds = np.arange(len(rows)) % 2
    found = accuracy_by_folds(scores, mated, folds)
    other = folds == 1
    best = max(float(np.mean((scores[other] >= t) == mated[other])) for t in scores[other])
    chosen = [
        t for t in np.unique(scores[other]) if np.mean((scores[other] >= t) == mated[other]) == best
    ]
    expected = np.mean((scores[~other] >= chosen[0]) == mated[~other])
    assert found.by_fold[0] == pytest.approx(expected)
