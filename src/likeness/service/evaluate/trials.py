"""What is to be tested: pictures with their subjects and labels, and which of them to compare.

A reader (pairs, a folder of people, a manifest, score files) makes a `Plan`; a system under test
works it off and gives `Scored`; `measure` makes findings of that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation import Axis, Comparisons, Samples, Searches
from likeness.service.evaluate.findings import DataFacts, RowProblem, Suspicion, SystemFacts


@dataclass(frozen=True, slots=True)
class PlannedSample:
    """One picture: where it lies, how reports name it, whose it is, and its labels by column."""

    path: Path
    name: str
    subject: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a system is to do.

    `pairs` are (n, 2) int32 numbers of samples, reference first; None stands for every pair once.
    `gallery` are numbers of samples to enrol and `searches` those to search with, both empty for
    1:1. Where the data have no identities every sample is another subject. `digests` are the
    SHA-256 of each sample's file, in order, empty for one that nobody gave. `folds` are (n,) int16,
    in which fold each of `pairs` is, where its list has folds. `split` says in words how the
    gallery was chosen.
    """

    samples: tuple[PlannedSample, ...]
    pairs: NDArray[np.int32] | None
    gallery: NDArray[np.int32]
    searches: NDArray[np.int32]
    data: DataFacts
    digests: tuple[str, ...]
    problems: tuple[RowProblem, ...] = ()
    suspicions: tuple[Suspicion, ...] = ()
    folds: NDArray[np.int16] | None = None
    split: str = ""

    def counted(self, failed: NDArray[np.bool_]) -> Samples:
        """Number subjects, by name, and groups of every column of labels.

        Args:
            failed: (m,), which of the samples have no template.
        """
        subjects = np.unique([sample.subject for sample in self.samples], return_inverse=True)[1]
        columns = sorted({column for sample in self.samples for column in sample.labels})
        axes = tuple(
            Axis.of(column, [sample.labels.get(column, "") for sample in self.samples])
            for column in columns
        )
        return Samples(subjects.astype(np.int32), failed, axes)


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What a system made of a plan.

    `samples` are those of the plan in its order, with their groups; `failures` are (sample number,
    reason). `seconds` is (m,) float64, how long the answer to each sample took, NaN where unknown.
    """

    system: SystemFacts
    plan: Plan
    samples: Samples
    comparisons: Comparisons | None
    searches: Searches | None
    failures: tuple[tuple[int, str], ...]
    seconds: NDArray[np.float64]
    problems: tuple[RowProblem, ...] = ()


Tell = Callable[[int, int], None]


class SystemUnderTest(Protocol):
    """Whatever can work off a plan."""

    def facts(self) -> SystemFacts:
        """Say what it is."""

    def score(self, plan: Plan, tell: Tell) -> Scored:
        """Work off a plan, resuming what an earlier run left; `tell` is told progress.

        Raises:
            LikenessError: it cannot go on; what was done is kept for the next run.
        """
