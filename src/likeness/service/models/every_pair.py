"""Scores of every pair of pictures once, many at a time: of strangers, and of one person."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation import PairScores, groups_of
from likeness.terms import relative_scores

# Rows of scores made at a time: a few megabytes for ten thousand templates.
_ROWS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Some templates against those that follow: scores of strangers, and (n,) of one person's.

    `mated_raw` are the raw scores of the latter.
    """

    strangers: PairScores
    mated: NDArray[np.float64]
    mated_raw: NDArray[np.float32]


def every_pair(
    vectors: NDArray[np.floating], means: NDArray[np.floating], people: NDArray[np.integer]
) -> Iterator[Pairs]:
    """Score every pair of n templates, as `terms.template.compare` does.

    Args:
        vectors: (n, d), of length one.
        means: (n,), as a cohort gives them.
        people: (n,), whose each is.
    """
    vectors = np.asarray(vectors, np.float32)
    groups = groups_of(people)
    for start in range(0, len(vectors), _ROWS):
        rows = slice(start, start + _ROWS)
        raw = vectors[rows] @ vectors[start:].T
        scores = relative_scores(raw, means[rows, None], means[start:])
        later = np.triu(np.ones(scores.shape, bool), k=1)
        same = people[rows, None] == people[start:]
        row, column = np.nonzero(later & ~same)
        yield Pairs(
            PairScores(scores[row, column], groups[start + row], groups[start + column]),
            scores[later & same],
            raw[later & same],
        )
