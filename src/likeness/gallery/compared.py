"""What a search compares a probe with: references, or subjects whose references are fused.

What an older Likeness, or another cohort, evened out is evened out anew on the way.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, select

from likeness.gallery import proofs
from likeness.gallery.collection_rows import CollectionRows
from likeness.gallery.references import Reference
from likeness.gallery.rows_as_vectors import reference_vectors, subject_vectors
from likeness.gallery.subjects import Subject
from likeness.gallery.tables import REFERENCES
from likeness.storage import OneOf
from likeness.terms import (
    IDENTICAL,
    Cohort,
    CohortStatistics,
    SeenFace,
    Template,
    relative_scores,
)

# Made once: every search comes here, with hundreds of numbers.
_STATISTICS = OneOf(
    REFERENCES.c.number,
    lambda some: select(
        REFERENCES.c.number,
        REFERENCES.c.subject_number,
        REFERENCES.c.cohort_mean,
        REFERENCES.c.cohort_version,
    ).where(REFERENCES.c.collection_id == bindparam("collection_id"), some),
)

Named = tuple[Reference | None, Subject | None]
"""Who is at a number: a reference and whose it is, or a subject alone."""


class Scores(NamedTuple):
    """What is proposed, by (n,) numbers, the groups of which the best is wanted, and scores."""

    numbers: NDArray[np.int64]
    groups: NDArray[np.int64]
    raw: NDArray[np.float64]
    even: NDArray[np.float64]

    def without(self, numbers: Collection[int]) -> "Scores":
        """Leave some numbers out."""
        here = ~np.isin(self.numbers, list(numbers))
        return Scores(self.numbers[here], self.groups[here], self.raw[here], self.even[here])


class Compared(Protocol):
    """Rows of one kind, which an index knows by their numbers, in one transaction."""

    def same(self, seen: SeenFace | None) -> frozenset[int]:
        """Find the numbers that are a very face of a very picture."""

    def scores(
        self, proposed: Mapping[int, float], probe: Template, same: frozenset[int]
    ) -> Scores:
        """Even out the raw scores that were proposed by number; `same` are the probe itself."""

    def named(self, numbers: Iterable[int]) -> dict[int, Named]:
        """Read who is at some numbers, and hold that to its proofs; what is damaged is left out."""

    def templates(self, ids: Sequence[UUID]) -> dict[int, Template]:
        """Read what some ids are compared by, by number; those that do not exist are left out."""


@dataclass(frozen=True, slots=True)
class ComparedReferences:
    """Every reference by itself; `best_of_each` takes the best of each subject alone."""

    rows: CollectionRows
    cohort_of: Callable[[], Cohort]
    best_of_each: bool

    def same(self, seen: SeenFace | None) -> frozenset[int]:
        """Find the references that are this very face of this very picture."""
        return frozenset(one.number for one in _enrolled(self.rows, seen))

    def scores(
        self, proposed: Mapping[int, float], probe: Template, same: frozenset[int]
    ) -> Scores:
        """Score by the statistics that are kept."""
        rows = _STATISTICS.all(
            self.rows.connection, list(proposed), collection_id=self.rows.collection.id
        )
        # What is of another type was changed from outside, and could not be computed with.
        sound = [row for row in rows if isinstance(row.cohort_mean, float)]
        numbers, subject_numbers, means, versions = zip(*sound, strict=True) if sound else [()] * 4
        groups = [
            # Numbers of references and of subjects are apart by their sign.
            -number if subject_number is None or not self.best_of_each else subject_number
            for number, subject_number in zip(numbers, subject_numbers, strict=True)
        ]
        present = self.rows.collection.cohort_version
        anew = self._means(
            [n for n, version in zip(numbers, versions, strict=True) if version != present]
        )
        return _scores(
            numbers,
            groups,
            raw=[proposed[number] for number in numbers],
            means=[anew.get(number, mean) for number, mean in zip(numbers, means, strict=True)],
            probe=probe.cohort,
            same=same,
        )

    def named(self, numbers: Iterable[int]) -> dict[int, Named]:
        """Read references and whose they are; nobody is named whose subject cannot be read."""
        found = self.rows.references.by_numbers(numbers)
        known = self.rows.subjects.of(found.values())
        return {
            number: (one, known.get(one.subject_number or 0))
            for number, one in found.items()
            if one.subject_number is None or one.subject_number in known
        }

    def templates(self, ids: Sequence[UUID]) -> dict[int, Template]:
        """Read templates, evened out by the collection's cohort."""
        numbers = [one.number for one in self.rows.references.page(ids=ids)]
        found = self.rows.references.templates(numbers)
        version = self.rows.collection.cohort_version
        older = {n: one for n, one in found.items() if one.cohort.version != version}
        if not older:
            return found
        means = self.cohort_of().means(np.stack([one.vector for one in older.values()])).tolist()
        return found | {
            number: replace(one, cohort=CohortStatistics(mean, version))
            for (number, one), mean in zip(older.items(), means, strict=True)
        }

    def _means(self, numbers: list[int]) -> dict[int, float]:
        """Hold references against the collection's cohort: the mean of each, by number."""
        if not numbers:
            return {}
        found = reference_vectors(self.rows.connection, self.rows.seal, numbers)
        means = self.cohort_of().means(found.vectors).tolist()
        return dict(zip(found.ids.tolist(), means, strict=True))


@dataclass(frozen=True, slots=True)
class ComparedSubjects:
    """Every subject by the mean of their references."""

    rows: CollectionRows
    cohort_of: Callable[[], Cohort]

    def same(self, seen: SeenFace | None) -> frozenset[int]:
        """Find the subjects who have this very face of this very picture."""
        return frozenset(
            one.subject_number for one in _enrolled(self.rows, seen) if one.subject_number
        )

    def scores(
        self, proposed: Mapping[int, float], probe: Template, same: frozenset[int]
    ) -> Scores:
        """Fuse anew: no statistics of a mean are kept, and its raw score is exact so."""
        templates = self.fused(list(proposed))
        numbers, those = list(templates), templates.values()
        raw = [float(one.vector @ probe.vector) for one in those]
        means = [one.cohort.mean for one in those]
        return _scores(numbers, numbers, raw=raw, means=means, probe=probe.cohort, same=same)

    def named(self, numbers: Iterable[int]) -> dict[int, Named]:
        """Read subjects, and hold all that is said to be theirs to its proofs."""
        wanted = proofs.proven_subjects(self.rows.connection, self.rows.seal, list(numbers))
        known = self.rows.subjects.by_numbers(wanted)
        return {number: (None, one) for number, one in known.items()}

    def templates(self, ids: Sequence[UUID]) -> dict[int, Template]:
        """Fuse the templates of subjects; those without references are left out."""
        found = self.rows.subjects.by_ids(ids)
        return self.fused([one.number for one in found])

    def fused(self, numbers: list[int]) -> dict[int, Template]:
        """Fuse the templates of subjects, by number; those without references are left out."""
        found = subject_vectors(self.rows.connection, self.rows.seal, numbers)
        if not len(found.ids):
            return {}
        means = self.cohort_of().means(found.vectors).tolist()
        version = self.rows.collection.cohort_version
        return {
            number: Template(vector, self.rows.collection.model, CohortStatistics(mean, version))
            for number, vector, mean in zip(found.ids.tolist(), found.vectors, means, strict=True)
        }


def _enrolled(rows: CollectionRows, seen: SeenFace | None) -> list[Reference]:
    """Find the references that are a very face of a very picture."""
    if seen is None:
        return []
    return [
        one
        for one in rows.references.of_samples([seen.sample_sha256])
        if seen.is_of(SeenFace(one.details.sample_sha256, one.details.face.box))
    ]


def _scores(
    numbers: Sequence[int],
    groups: Sequence[int],
    *,
    raw: Sequence[float],
    means: Sequence[float],
    probe: CohortStatistics,
    same: frozenset[int],
) -> Scores:
    """Even scores out; `same` are the very face that is searched for."""
    raws = np.array(raw, float)
    even = relative_scores(raws, np.array(means, float), np.array(probe.mean))
    if same:
        is_same = np.isin(np.array(numbers, np.int64), list(same))
        raws, even = np.where(is_same, 1.0, raws), np.where(is_same, IDENTICAL, even)
    return Scores(np.array(numbers, np.int64), np.array(groups, np.int64), raws, even)
