"""Galleries of any size whose vectors spread as templates of faces do, and probes of known people.

References are drawn from the mean and covariance of the templates of `fairface540` (FairFace, CC BY
4.0): sums over 540 people, from which nobody's template can be had. Those of dlib's recogniser are
kept here; those of a recogniser whose templates have another length are made at first use, by the
one in force. A probe is its reference moved
by as much as two photographs of one person differ on LFW (pairs score about 0.96): half of it in
the directions in which faces differ, half of it in any, which is about how that scatter lies.

`python -m bench.synthetic_gallery` makes the statistics of dlib's recogniser anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.embedded import embed_files
from bench.workplace import OUT, data, pictures_in

BLOCK = 200_000
"""References are drawn in blocks of this size, each by itself, so that any can be drawn again."""

_STATISTICS = Path(__file__).with_name("fairface540_statistics.npz")
_DIMENSIONS = 128
# The variance of what sets two photographs of one person apart, over all dimensions.
_WITHIN_PERSON = 0.08


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticGallery:
    """`size` references, drawn as they are asked for; the same every time."""

    size: int
    dimensions: int = _DIMENSIONS

    def blocks(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Give all references, ids and (n, d) unit float32 vectors, a block at a time."""
        for first in range(0, self.size, BLOCK):
            count = min(BLOCK, self.size - first)
            yield np.arange(first, first + count), _references(first, count, self.dimensions)

    def probes(self, count: int) -> NDArray[np.float32]:
        """Draw other pictures, (count, d), of people all over the gallery."""
        draw = np.random.default_rng([2, self.size])
        firsts = range(0, self.size, BLOCK)
        chosen = [firsts[round(at)] for at in np.linspace(0, len(firsts) - 1, min(20, len(firsts)))]
        people = []
        for first, share in zip(chosen, np.array_split(np.arange(count), len(chosen)), strict=True):
            block = _references(first, min(BLOCK, self.size - first), self.dimensions)
            people.append(block[draw.choice(len(block), len(share), replace=False)])
        references = np.concatenate(people)
        return _unit(references + _between_photographs(len(references), self.dimensions, draw))


def _references(first: int, count: int, dimensions: int) -> NDArray[np.float32]:
    mean, spread = _statistics(dimensions)
    draw = np.random.default_rng([1, first])
    return _unit(draw.standard_normal((count, len(mean)), np.float32) @ spread + mean)


def _between_photographs(
    count: int, dimensions: int, draw: np.random.Generator
) -> NDArray[np.floating]:
    mean, spread = _statistics(dimensions)
    as_faces, anywhere = draw.standard_normal((2, count, len(mean)), np.float32)
    moved = as_faces @ spread / np.linalg.norm(spread) + anywhere / np.sqrt(len(mean))
    return np.asarray(np.sqrt(_WITHIN_PERSON / 2) * moved)


@cache
def _statistics(dimensions: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the mean, (d,), and what turns (n, d) independent draws into ones that vary alike."""
    path = _STATISTICS if dimensions == _DIMENSIONS else OUT / f"fairface540-{dimensions}.npz"
    if not path.exists():
        OUT.mkdir(exist_ok=True)
        _keep_statistics(path)
    with np.load(path) as stored:
        variances, directions = np.linalg.eigh(stored["covariance"])
        spread = np.sqrt(np.maximum(variances, 0))[:, None] * directions.T
        return np.asarray(stored["mean"]), spread.astype(np.float32)


def _keep_statistics(path: Path) -> None:
    """Write the statistics of the recogniser in force."""
    templates = embed_files(pictures_in(data("fairface540")))
    vectors = templates.vectors[~templates.failed]
    np.savez_compressed(
        path,
        mean=vectors.mean(axis=0).astype(np.float32),
        covariance=np.cov(vectors.T).astype(np.float32),
    )


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


if __name__ == "__main__":
    _keep_statistics(_STATISTICS)
