"""Scores of many pairs of templates, in blocks, as `terms.compare` gives them one by one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation import FAILED, Comparisons, Samples, Searches
from likeness.terms import relative_scores

# Rows of scores made at a time: a few megabytes for ten thousand templates.
_ROWS = 256
_PAIRS = 1 << 16
# Scores, two numbers and whether they are mated: 13 bytes a pair.
MOST_PAIRS = 300_000_000


class ScoreBlock(NamedTuple):
    """Scores of the templates from `start` on, r of them, with all from `start` on: (r, n)."""

    start: int
    raw: NDArray[np.float32]
    scores: NDArray[np.float64]


def score_blocks(
    vectors: NDArray[np.floating], means: NDArray[np.floating]
) -> Iterator[ScoreBlock]:
    """Score every pair of n templates; above a block's diagonal is each pair once.

    Args:
        vectors: (n, d), of length one.
        means: (n,), as a cohort gives them.
    """
    vectors = np.asarray(vectors, np.float32)
    for start in range(0, len(vectors), _ROWS):
        rows = slice(start, start + _ROWS)
        raw = vectors[rows] @ vectors[start:].T
        yield ScoreBlock(start, raw, relative_scores(raw, means[rows, None], means[start:]))


def pairs_of(count: int) -> int:
    """Count the pairs of so many samples.

    Raises:
        InvalidRequest: they are more than fit into memory.
    """
    total = count * (count - 1) // 2
    if total > MOST_PAIRS:
        raise InvalidRequest(
            f"{count:,} pictures are {total:,} pairs, more than the {MOST_PAIRS:,} that can be"
            " compared at once. Give a list of pairs, or fewer pictures."
        )
    return total


@dataclass(frozen=True, slots=True, eq=False)
class Templates:
    """Templates of m samples: `vectors` (m, d) float32, `means` (m,), `failed` (m,) bool.

    What has failed has numbers that mean nothing.
    """

    vectors: NDArray[np.float32]
    means: NDArray[np.float64]
    failed: NDArray[np.bool_]


def compare_every_pair(templates: Templates, samples: Samples) -> Comparisons:
    """Compare every two samples once, the first being the reference.

    Raises:
        InvalidRequest: they are more pairs than fit into memory.
    """
    count = len(samples)
    total = pairs_of(count)
    scores = np.empty(total, np.float32)
    references, probes = np.empty(total, np.int32), np.empty(total, np.int32)
    mated = np.empty(total, np.bool_)
    end = 0
    for block in score_blocks(templates.vectors, templates.means):
        for row in range(len(block.scores)):
            number = block.start + row
            place = slice(end, end := end + count - number - 1)
            scores[place] = block.scores[row, row + 1 :]
            references[place] = number
            probes[place] = np.arange(number + 1, count, dtype=np.int32)
            mated[place] = samples.subjects[number + 1 :] == samples.subjects[number]
            scores[place][templates.failed[number + 1 :]] = FAILED
            if templates.failed[number]:
                scores[place] = FAILED
    return Comparisons(scores, references, probes, mated)


def compare_pairs(templates: Templates, samples: Samples, pairs: NDArray[np.int32]) -> Comparisons:
    """Compare (n, 2) pairs of samples."""
    scores = np.empty(len(pairs), np.float32)
    for start in range(0, len(pairs), _PAIRS):
        a, b = pairs[start : start + _PAIRS].T
        raw = np.einsum("nd,nd->n", templates.vectors[a], templates.vectors[b])
        scores[start : start + _PAIRS] = relative_scores(
            raw, templates.means[a], templates.means[b]
        )
    references, probes = (np.ascontiguousarray(side, np.int32) for side in pairs.T)
    scores[templates.failed[references] | templates.failed[probes]] = FAILED
    return Comparisons(
        scores, references, probes, samples.subjects[references] == samples.subjects[probes]
    )


def search_gallery(
    templates: Templates,
    samples: Samples,
    gallery: NDArray[np.int32],
    probes: NDArray[np.int32],
    depth: int,
) -> Searches:
    """Search a gallery of samples with others: candidates are people, each by their best one."""

    def scores(some: NDArray[np.int32], references: NDArray[np.int32]) -> NDArray[np.floating]:
        raw = templates.vectors[some] @ templates.vectors[references].T
        means = templates.means
        return relative_scores(raw, means[some, None], means[references]).astype(np.float32)

    return searches_by(scores, samples, gallery, probes, depth)


def searches_by(
    scores: Callable[[NDArray[np.int32], NDArray[np.int32]], NDArray[np.floating]],
    samples: Samples,
    gallery: NDArray[np.int32],
    probes: NDArray[np.int32],
    depth: int,
) -> Searches:
    """Rank people, each by their best reference, for every probe, and list `depth` at most.

    Whose references all failed is enrolled by name alone: searches for them miss.

    Args:
        scores: gives the scores of (r,) probes with (n,) references, (r, n), minus infinity for
            those that are no candidates.
        samples: whose each is, and which failed.
        gallery: numbers of those that are enrolled.
        probes: numbers of those that are searched with.
        depth: how long a list of candidates is.
    """
    enrolled = gallery[~samples.failed[gallery]]
    enrolled = enrolled[np.argsort(samples.subjects[enrolled], kind="stable")]
    people, starts = np.unique(samples.subjects[enrolled], return_index=True)
    mate_scores = np.full(len(probes), FAILED)
    other_scores = np.full(len(probes), FAILED)
    mate_ranks = np.zeros(len(probes), np.int32)
    tried = np.flatnonzero(~samples.failed[probes]) if len(enrolled) else np.empty(0, np.intp)
    for start in range(0, len(tried), _ROWS):
        rows = tried[start : start + _ROWS]
        best = np.maximum.reduceat(scores(probes[rows], enrolled), starts, axis=1)
        own = people == samples.subjects[probes[rows]][:, None]
        mates = np.where(own, best, FAILED).max(axis=1)
        others = np.where(own, FAILED, best)
        ranks = 1 + (others >= mates[:, None]).sum(axis=1)
        listed = (mates > FAILED) & (ranks <= depth)
        mate_scores[rows] = np.where(listed, mates, FAILED)
        mate_ranks[rows] = np.where(listed, ranks, 0)
        other_scores[rows] = others.max(axis=1)
    return Searches(
        np.asarray(probes, np.int32),
        np.isin(samples.subjects[probes], samples.subjects[gallery]),
        mate_scores,
        mate_ranks,
        other_scores,
        len(enrolled),
        len(people),
        depth,
    )
