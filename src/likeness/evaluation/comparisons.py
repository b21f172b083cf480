"""What rates are counted from: samples with their subjects and groups, and scores of their pairs.

Numbers stand for samples and subjects, so that a hundred million comparisons fit in memory. A
failure is a trial: a sample without a template scores minus infinity against every other, which is
a false non-match in a mated pair and no match in any other (ISO/IEC 19795-1; NIST counts alike).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest

UNKNOWN = -1
"""The code of a sample whose label on an axis nobody gave."""
FAILED = -np.inf
"""The score of a comparison of which one sample has no template."""


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """One way of putting samples into groups, such as sex.

    `labels` name the groups; `codes` (m,) int32 say in which each of m samples is, `UNKNOWN` where
    nobody said.
    """

    name: str
    labels: tuple[str, ...]
    codes: NDArray[np.int32]

    @classmethod
    def of(cls, name: str, values: Sequence[str]) -> "Axis":
        """Number the values of m samples; an empty one is unknown."""
        labels = tuple(sorted({value for value in values if value}))
        numbers = {label: number for number, label in enumerate(labels)}
        codes = [numbers.get(value, UNKNOWN) for value in values]
        return cls(name, labels, np.array(codes, np.int32))

    def crossed(self, other: "Axis") -> "Axis":
        """Intersect two axes; only groups that somebody is in are kept."""
        known = (self.codes >= 0) & (other.codes >= 0)
        pairs = self.codes.astype(np.int64) * max(len(other.labels), 1) + other.codes
        present, numbers = np.unique(pairs[known], return_inverse=True)
        codes = np.full(len(pairs), UNKNOWN, np.int32)
        codes[known] = numbers
        labels = tuple(
            f"{self.labels[a]} {other.labels[b]}"
            for a, b in (divmod(int(pair), len(other.labels)) for pair in present)
        )
        return Axis(f"{self.name} x {other.name}", labels, codes)


def intersection(axes: Sequence[Axis]) -> Axis:
    """Intersect all of one or more axes."""
    return reduce(Axis.crossed, axes)


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """m samples: whose each is, which have no template, and their groups.

    `subjects` is (m,) int32, numbers from 0; `failed` is (m,) bool.
    """

    subjects: NDArray[np.int32]
    failed: NDArray[np.bool_]
    axes: tuple[Axis, ...] = ()

    def __len__(self) -> int:
        """Count them."""
        return len(self.subjects)

    @property
    def subject_count(self) -> int:
        """How many numbers subjects have: one more than the highest."""
        return int(self.subjects.max(initial=-1)) + 1

    def axis(self, name: str) -> Axis:
        """Give an axis by its name.

        Raises:
            InvalidRequest: there is none.
        """
        for axis in self.axes:
            if axis.name == name:
                return axis
        there = ", ".join(axis.name for axis in self.axes) or "none"
        raise InvalidRequest(f"No such column of groups {name!r}. There is: {there}.")


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """n comparisons of samples; higher scores are more alike.

    `scores` is (n,) float32 or float64, finite or `FAILED`. `references` and `probes` are (n,)
    int32 numbers of samples, `mated` (n,) bool is whether both are of one subject.

    Raises:
        InvalidRequest: a score is no number, or they are not as many as each other.
    """

    scores: NDArray[np.floating]
    references: NDArray[np.int32]
    probes: NDArray[np.int32]
    mated: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Refuse what cannot be counted."""
        sizes = {len(self.scores), len(self.references), len(self.probes), len(self.mated)}
        if len(sizes) > 1:
            raise InvalidRequest(f"Not the same number of scores and samples: {sorted(sizes)}.")
        if len(self.scores) and not (
            np.nanmax(self.scores) < np.inf and not np.isnan(np.min(self.scores))
        ):
            raise InvalidRequest(
                "Some scores are NaN or infinite. Mark what could not be compared as failed."
            )

    def __len__(self) -> int:
        """Count them."""
        return len(self.scores)

    @property
    def mated_scores(self) -> NDArray[np.floating]:
        """Those of one subject, failures among them."""
        return self.scores[self.mated]

    @property
    def nonmated_scores(self) -> NDArray[np.floating]:
        """Those of two subjects, failures among them."""
        return self.scores[~self.mated]

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.integer] | slice) -> "Comparisons":
        """Give some of them."""
        return Comparisons(
            self.scores[chosen], self.references[chosen], self.probes[chosen], self.mated[chosen]
        )
