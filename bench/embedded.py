"""The templates of a whole set of pictures, and the scores of all its pairs, as matrices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.workplace import settings
from likeness.app import Likeness, Workload, open_likeness
from likeness.errors import LikenessError
from likeness.service.in_parallel import in_parallel
from likeness.terms.template import CohortStatistics, Template, normalised
from likeness.vision.decode import Sample

Scores = NDArray[np.float32]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """The template of the foremost face of each of n pictures.

    `vectors` is (n, d), `means` and `deviations` are (n,), float32; `failed`, (n,) bool, marks
    pictures without a template, whose numbers mean nothing.
    """

    vectors: Scores
    means: Scores
    deviations: Scores
    failed: NDArray[np.bool_]

    def raw_scores(self) -> Scores:
        """The raw scores of all pairs, (n, n); lowest of all where one has no template."""
        return self._without_failures(self.vectors @ self.vectors.T, self)

    def scores(self) -> Scores:
        """The deciding scores of all pairs, (n, n); lowest of all where one has no template."""
        return self.scores_with(self)

    def scores_with(self, others: "Embedded") -> Scores:
        """The deciding scores with each of m others, (n, m), as `scores`."""
        # What is written for two numbers holds for whole arrays of them.
        across = CohortStatistics(others.means, others.deviations, "")  # type: ignore[arg-type]
        down = CohortStatistics(self.means[:, None], self.deviations[:, None], "")  # type: ignore[arg-type]
        raw = self.vectors @ others.vectors.T
        return self._without_failures(normalised(raw, down, across), others)  # type: ignore[arg-type]

    def _without_failures(self, scores: Scores, others: "Embedded") -> Scores:
        scores[self.failed] = scores[:, others.failed] = -np.inf
        return scores


@cache
def likeness() -> Likeness:
    """Likeness with default settings, made for many pictures."""
    return open_likeness(settings(), workload=Workload.MANY)


def embed_files(pictures: Sequence[Path]) -> Embedded:
    """Embed the foremost face of every picture file."""
    return embed(pictures, likeness().sample)


def embed(items: Sequence[Item], sample: Callable[[Item], Sample]) -> Embedded:
    """Embed the foremost face of everything that `sample` makes a sample of."""
    finder, workers = likeness().finder, likeness().workers

    def template(item: Item) -> Template | None:
        try:
            return finder.foremost(sample(item))[1]
        except LikenessError:
            return None

    templates = list(in_parallel(template, items, workers))
    made = [template for template in templates if template is not None]
    failed = np.array([template is None for template in templates])
    vectors = np.zeros((len(templates), len(made[0].vector)), np.float32)
    means, deviations = np.zeros(len(templates), np.float32), np.ones(len(templates), np.float32)
    vectors[~failed] = [template.vector for template in made]
    means[~failed] = [template.cohort.mean for template in made]
    deviations[~failed] = [template.cohort.deviation for template in made]
    return Embedded(vectors, means, deviations, failed)
