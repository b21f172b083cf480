"""Accuracy by folds, the figure of LFW's protocol: each fold at the threshold of the others.

Huang, Ramesh, Berg and Learned-Miller, Labeled Faces in the Wild (2007): the mean over the folds
and its standard error. It says how often a decision about a pair is right where half of the pairs
are of strangers, and nothing of how rarely strangers match.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class FoldAccuracy:
    """The share of pairs decided rightly in each fold, the mean, and its standard error."""

    by_fold: tuple[float, ...]
    mean: float
    standard_error: float


def accuracy_by_folds(
    scores: NDArray[np.floating], mated: NDArray[np.bool_], folds: NDArray[np.integer]
) -> FoldAccuracy:
    """Decide each fold at the threshold at which the most of all other folds are right.

    Of several such thresholds the lowest is taken. A failure is decided as no match.

    Args:
        scores: (n,).
        mated: (n,), whether each pair is of one subject.
        folds: (n,), in which fold each is.

    Raises:
        InvalidRequest: there are fewer than two folds.
    """
    numbers = np.unique(folds)
    if len(numbers) < 2:
        raise InvalidRequest(f"Too few folds for an accuracy by folds: {len(numbers)}. Give 2.")
    accuracies = []
    for number in numbers:
        inside = folds == number
        threshold = _best_threshold(scores[~inside], mated[~inside])
        accuracies.append(float(np.mean((scores[inside] >= threshold) == mated[inside])))
    spread = float(np.std(accuracies, ddof=1)) / np.sqrt(len(accuracies))
    return FoldAccuracy(tuple(accuracies), float(np.mean(accuracies)), float(spread))


def _best_threshold(scores: NDArray[np.floating], mated: NDArray[np.bool_]) -> float:
    order = np.argsort(scores, kind="stable")
    ordered, ones = scores[order], mated[order]
    # Right at a threshold: mates from there on, and strangers below it.
    right = np.cumsum(ones[::-1])[::-1] + np.concatenate([[0], np.cumsum(~ones)[:-1]])
    first = np.concatenate([[True], ordered[1:] > ordered[:-1]])
    chosen = first & (ordered > -np.inf)
    if not chosen.any():
        return np.inf
    return float(ordered[chosen][int(np.argmax(right[chosen]))])
