"""Samples and all pairs of them, of a few people in groups."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation import FAILED, Axis, Comparisons, Samples


def samples_of(
    subjects: Sequence[int], labels: Sequence[str], failed: Sequence[int] = ()
) -> Samples:
    marks = np.zeros(len(subjects), np.bool_)
    marks[list(failed)] = True
    return Samples(np.array(subjects, np.int32), marks, (Axis.of("group", labels),))


def every_pair(samples: Samples, scores: NDArray[np.floating]) -> Comparisons:
    """Every pair once, of (m, m) scores; those of a failed sample fail."""
    ones, others = np.triu_indices(len(samples), 1)
    failed = samples.failed[ones] | samples.failed[others]
    return Comparisons(
        np.where(failed, FAILED, scores[ones, others]).astype(scores.dtype),
        ones.astype(np.int32),
        others.astype(np.int32),
        samples.subjects[ones] == samples.subjects[others],
    )
