"""Finds who is most like a probe: the index proposes by raw score, the rows decide by the even one.

A candidate is read from the rows, so that what is not committed, or is erased, is never one. All
rows of a search are read in one transaction, which also tells whether the index was up to date;
where it was not, it catches up and proposes anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from likeness.errors import Conflict, NotFound
from likeness.gallery import stored_collections
from likeness.gallery.collection_rows import CollectionRows
from likeness.gallery.compared import Compared, ComparedReferences, ComparedSubjects, Scores
from likeness.gallery.indexes import CollectionIndexes
from likeness.gallery.references import Reference
from likeness.gallery.rows_as_vectors import reference_vectors, subject_vectors
from likeness.gallery.seal import Seal
from likeness.gallery.stored_collections import StoredCollection
from likeness.gallery.subjects import Subject
from likeness.gallery.tables import REFERENCES, SUBJECTS
from likeness.index import Reached
from likeness.storage import Database
from likeness.terms import (
    SAME_PICTURE,
    Cohort,
    Comparison,
    SeenFace,
    Template,
    compare,
)

# Proposed by raw score, so that those whose even score is best are among them.
_FEWEST_PROPOSED = 200
_PROPOSED_A_CANDIDATE = 4
_MORE = 4


class By(StrEnum):
    """What a search compares with and gives."""

    REFERENCE = "reference"
    """Every reference by itself; a subject may come several times."""
    BEST = "best"
    """Every subject by the best of their references; unnamed references by themselves."""
    SUBJECT = "subject"
    """Every subject by the mean of their references."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody whom a probe is like; `reference` is None where all of a subject's were fused."""

    reference: Reference | None
    subject: Subject | None
    comparison: Comparison


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """Whom to search for.

    `seen` is which face of which picture it is; None where it is of what is enrolled. The reference
    or fused subject of the number `leaving_out` is no candidate.
    """

    template: Template
    seen: SeenFace | None = None
    leaving_out: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """Searches a collection that is open, by what `by` says; `cohort_of` gives its cohort."""

    database: Database
    collection: StoredCollection
    indexes: CollectionIndexes
    cohort_of: Callable[[], Cohort]
    by: By

    def find(self, probe: Probe, limit: int) -> list[Candidate]:
        """Find at most `limit` candidates, most alike first.

        Raises:
            Conflict: the collection switched to another model or cohort, or is erased.
            IndexUnavailable, DatabaseUnavailable, KeyUnusable: the index cannot be brought up to
                date with the rows.
        """
        indexes = self.indexes
        index = indexes.subjects if self.by is By.SUBJECT else indexes.references
        wanted, is_current = max(_FEWEST_PROPOSED, _PROPOSED_A_CANDIDATE * limit), False
        while True:
            reached, found = index.search(probe.template.vector, wanted)
            here = found.ids[0] >= 0
            ids, scores = found.ids[0][here].tolist(), found.scores[0][here].tolist()
            by_index = dict(zip(ids, scores, strict=True))

            def decide(
                connection: Connection,
                by_index: dict[int, float] = by_index,
                reached: Reached | None = None if is_current else reached,
            ) -> list[Candidate] | Reached:
                if reached and not reached.covers(latest := index.latest(connection)):
                    return latest
                return self._decided(connection, by_index, probe, limit)

            candidates = self.database.read(decide)
            is_current = True
            if isinstance(candidates, Reached):
                index.keep_up(candidates)
            # A subject with many references may have taken everybody's places.
            elif len(candidates) == limit or not here.all():
                return candidates
            else:
                wanted *= _MORE

    def among(self, probe: Probe, ids: Sequence[UUID]) -> list[Candidate]:
        """Compare with some references or fused subjects alone, most alike first.

        Who is erased is left out, what is damaged, and subjects without references.

        Raises:
            Conflict: the collection switched to another model or cohort, or is erased.
        """

        def read(connection: Connection) -> list[Candidate]:
            compared = self._compared(connection)
            same = compared.same(probe.seen)
            comparisons = {
                number: SAME_PICTURE if number in same else compare(template, probe.template)
                for number, template in compared.templates(ids).items()
            }
            named = compared.named(comparisons)
            found = [Candidate(*named[number], comparisons[number]) for number in named]
            return sorted(found, key=lambda one: -one.comparison.score)

        return self.database.read(read)

    def _compared(self, connection: Connection) -> Compared:
        """Read rows, but not of another model than the one whose index proposed them."""
        if not self.collection.is_comparable_with(
            stored_collections.by_id(connection, self.collection.id)
        ):
            raise Conflict(
                f"Collection {self.collection.id} was switched to another model or cohort, or"
                " erased, during the search. Search again."
            )
        rows = CollectionRows(connection, self.indexes.seal, self.collection)
        if self.by is By.SUBJECT:
            return ComparedSubjects(rows, self.cohort_of)
        return ComparedReferences(rows, self.cohort_of, best_of_each=self.by is By.BEST)

    def _decided(
        self, connection: Connection, by_index: dict[int, float], probe: Probe, limit: int
    ) -> list[Candidate]:
        compared = self._compared(connection)
        same = compared.same(probe.seen)
        proposed = by_index | dict.fromkeys(same, 1.0)
        if probe.leaving_out is not None:
            proposed.pop(probe.leaving_out, None)
        scores = compared.scores(proposed, probe.template, same)
        while True:
            best = _best(scores, limit)
            named = compared.named(best)
            if len(named) == len(best):
                return [Candidate(*named[number], best[number]) for number in best]
            # What is damaged leaves its place to whoever comes next.
            scores = scores.without(best.keys() - named.keys())


def vectors_of(
    connection: Connection, seal: Seal, candidates: Sequence[Candidate]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Open what candidates were compared by: (n, d), and the numbers of their subjects, 0 for none.

    What is damaged is zeros, which is like nobody.

    Raises:
        NotFound: one was erased meanwhile.
    """
    references = [one.reference.number for one in candidates if one.reference is not None]
    fused = [one.subject.number for one in candidates if one.subject and one.reference is None]
    by_number: dict[int, NDArray[np.float32]] = {}
    # Numbers of references and of subjects are apart by their sign.
    for sign, found in (
        (1, reference_vectors(connection, seal, references)),
        (-1, subject_vectors(connection, seal, fused)),
    ):
        by_number |= dict(zip((sign * found.ids).tolist(), found.vectors, strict=True))
    if len(by_number) < len(references) + len(fused):
        there = _there(connection, references, fused)
        if len(there) < len(references) + len(fused):
            raise NotFound("A candidate was erased during the search. Search again.")
        dimensions = max((len(one) for one in by_number.values()), default=1)
        by_number = dict.fromkeys(there, np.zeros(dimensions, np.float32)) | by_number
    owners = [one.subject.number if one.subject else 0 for one in candidates]
    places = [
        one.reference.number if one.reference else -owner
        for one, owner in zip(candidates, owners, strict=True)
    ]
    return np.stack([by_number[place] for place in places]), np.array(owners, np.int64)


def _there(connection: Connection, references: list[int], fused: list[int]) -> list[int]:
    """Give those of some references and, negated, of some subjects that exist."""
    return [
        sign * number
        for sign, column, numbers in (
            (1, REFERENCES.c.number, references),
            (-1, SUBJECTS.c.number, fused),
        )
        for number in connection.execute(select(column).where(column.in_(numbers))).scalars()
    ]


def _best(scores: Scores, limit: int) -> dict[int, Comparison]:
    """Give the best of each group by number, most alike first, equal ones by number."""
    best: dict[int, Comparison] = {}
    groups: set[int] = set()
    for place in np.lexsort((scores.numbers, -scores.even)).tolist():
        group = int(scores.groups[place])
        if group not in groups:
            groups.add(group)
            raw, even = float(scores.raw[place]), float(scores.even[place])
            best[int(scores.numbers[place])] = Comparison(raw, even)
        if len(best) == limit:
            break
    return best
