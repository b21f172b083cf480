"""How alike are strangers? Every pair of templates of different people once, many at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Rows of scores made at a time: a few megabytes for ten thousand templates.
_ROWS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Some templates against those that follow: (r, c) scores, and which are of strangers.

    Row i is template `first` + i, and so is column i.
    """

    first: int
    scores: NDArray[np.float64]
    strangers: NDArray[np.bool_]


def pairs_of_strangers(
    vectors: NDArray[np.floating],
    means: NDArray[np.floating],
    deviations: NDArray[np.floating],
    people: NDArray[np.integer],
) -> Iterator[Pairs]:
    """Score every pair of n templates, as `terms.template.compare` does.

    Args:
        vectors: (n, d), of length one.
        means: (n,), as a cohort gives them.
        deviations: (n,), likewise.
        people: (n,), whose each is.
    """
    vectors, means, deviations = (
        np.asarray(one, np.float64) for one in (vectors, means, deviations)
    )
    for start in range(0, len(vectors), _ROWS):
        rows = slice(start, start + _ROWS)
        raw = vectors[rows] @ vectors[start:].T
        by_row = (raw - means[rows, None]) / deviations[rows, None]
        by_column = (raw - means[start:]) / deviations[start:]
        later = np.triu(np.ones(raw.shape, bool), k=1)
        strangers = later & (people[rows, None] != people[start:])
        yield Pairs(start, (by_row + by_column) / 2, strangers)
