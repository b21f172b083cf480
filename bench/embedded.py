"""The templates of a whole set of pictures, and the scores of all its pairs, as matrices.

Of several faces of a picture the one portrayed is taken, not the largest: see `portrayed`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.portrayed import portrayed
from bench.workplace import settings
from likeness.app import Installation, Workload
from likeness.errors import LikenessError
from likeness.library import Likeness, open_likeness
from likeness.terms import Template, in_parallel, relative_scores
from likeness.vision.decode import Sample, read_sample
from likeness.vision.find import FaceFinder

Scores = NDArray[np.float32]
Item = TypeVar("Item")

_ROWS = 512


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """The template of the face portrayed in each of n pictures.

    `vectors` is (n, d), `means` is (n,), float32; `failed`, (n,) bool, marks pictures without a
    template, whose numbers mean nothing.
    """

    vectors: Scores
    means: Scores
    failed: NDArray[np.bool_]

    def raw_scores(self) -> Scores:
        """The raw scores of all pairs, (n, n); lowest of all where one has no template."""
        return self._without_failures(self.vectors @ self.vectors.T, self)

    def scores(self) -> Scores:
        """The deciding scores of all pairs, (n, n); lowest of all where one has no template."""
        return self.scores_with(self)

    def scores_with(self, others: "Embedded") -> Scores:
        """The deciding scores with each of m others, (n, m), as `scores`."""
        scores = np.empty((len(self.vectors), len(others.vectors)), np.float32)
        for start in range(0, len(scores), _ROWS):
            rows = slice(start, start + _ROWS)
            raw = self.vectors[rows] @ others.vectors.T
            scores[rows] = relative_scores(raw, self.means[rows, None], others.means)
        return self._without_failures(scores, others)

    def only(self, chosen: NDArray[np.integer] | NDArray[np.bool_]) -> "Embedded":
        """Give some of the pictures."""
        return Embedded(self.vectors[chosen], self.means[chosen], self.failed[chosen])

    def _without_failures(self, scores: Scores, others: "Embedded") -> Scores:
        scores[self.failed] = scores[:, others.failed] = -np.inf
        return scores


@cache
def likeness() -> Likeness:
    """Likeness with default settings, made for many pictures."""
    return open_likeness(settings(), workload=Workload.MANY)


@cache
def finder_of(recogniser: str) -> tuple[FaceFinder, int]:
    """What finds and embeds faces, calibrated or not, and how many pictures at once."""
    installation = Installation(settings(recogniser=recogniser))
    finder = installation.finder(installation.engine(Workload.MANY))
    return finder, installation.workers(Workload.MANY)


def embed_files(pictures: Sequence[Path], recogniser: str = "auto") -> Embedded:
    """Embed the face portrayed in every picture file."""
    return embed(pictures, read_sample, recogniser)


def embed(
    items: Sequence[Item], sample: Callable[[Item], Sample], recogniser: str = "auto"
) -> Embedded:
    """Embed the face portrayed in everything that `sample` makes a sample of."""
    finder, workers = finder_of(recogniser)

    def template(item: Item) -> Template | None:
        try:
            located = finder.locate(sample(item))
        except LikenessError:
            return None
        return finder.templates(located, [portrayed(located)])[0] if located.faces else None

    templates = list(in_parallel(template, items, workers))
    made = [template for template in templates if template is not None]
    failed = np.array([template is None for template in templates])
    vectors = np.zeros((len(templates), len(made[0].vector)), np.float32)
    means = np.zeros(len(templates), np.float32)
    vectors[~failed] = [template.vector for template in made]
    means[~failed] = [template.cohort.mean for template in made]
    return Embedded(vectors, means, failed)
