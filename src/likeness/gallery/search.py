"""Who is most like a probe? The index proposes by raw score, the rows decide by the even one.

A candidate is read from the rows, so that what is not committed, or is erased, is never one. What
an older Likeness, or another cohort, evened out is evened out anew on the way.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, select

from likeness.errors import Conflict, NotFound, required
from likeness.gallery import collections, proofs, references, subjects
from likeness.gallery.collections import StoredCollection
from likeness.gallery.following_index import FollowingIndex
from likeness.gallery.open_collection import CollectionIndexes
from likeness.gallery.references import Reference
from likeness.gallery.rows_as_vectors import reference_vectors, subject_vectors
from likeness.gallery.seal import Seal
from likeness.gallery.subjects import Subject
from likeness.gallery.tables import REFERENCES
from likeness.storage import Database, OneOf
from likeness.terms import (
    IDENTICAL,
    SAME_PICTURE,
    Cohort,
    CohortStatistics,
    Comparison,
    SeenFace,
    Template,
    compare,
    relative_scores,
)

# Proposed by raw score, so that those whose even score is best are among them.
_FEWEST_PROPOSED = 200
_PROPOSED_A_CANDIDATE = 4
_MORE = 4

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
class Sought:
    """A probe, and which face of which picture it is; None where it is of what is enrolled."""

    template: Template
    seen: SeenFace | None = None

    def references(self, connection: Connection, seal: Seal) -> frozenset[int]:
        """Find the references that are this very face of this very picture, by number."""
        return frozenset(one.number for one in self._enrolled(connection, seal))

    def subjects(self, connection: Connection, seal: Seal) -> frozenset[int]:
        """Find the subjects whose references are, by number."""
        return frozenset(_subjects_of(self._enrolled(connection, seal)))

    def _enrolled(self, connection: Connection, seal: Seal) -> list[Reference]:
        seen = self.seen
        if seen is None:
            return []
        return [
            one
            for one in references.of_samples(connection, seal, [seal.sample_id(seen.sample_sha256)])
            if seen.is_of(SeenFace(one.details.sample_sha256, one.details.face.box))
        ]


CohortOf = Callable[[], Cohort]
"""Gives the cohort of the collection, where it is needed."""


class _Scores(NamedTuple):
    """What is proposed, by (n,) numbers, the groups of which the best is wanted, and scores."""

    numbers: NDArray[np.int64]
    groups: NDArray[np.int64]
    raw: NDArray[np.float64]
    even: NDArray[np.float64]


def search_references(
    database: Database,
    collection: StoredCollection,
    opened: CollectionIndexes,
    probe: Sought,
    limit: int,
    cohort_of: CohortOf,
    *,
    best_of_each: bool,
    leaving_out: int | None = None,
) -> list[Candidate]:
    """Find the references most like a probe; only the best of each subject if `best_of_each`.

    The reference of number `leaving_out` is none of them.
    """
    seal = opened.seal

    def read(connection: Connection, proposed: dict[int, float], same: frozenset[int]) -> _Scores:
        rows = _STATISTICS.all(connection, list(proposed), collection_id=seal.collection_id)
        columns = zip(*rows, strict=True) if rows else [()] * 4
        numbers, subject_numbers, means, versions = columns
        groups = [
            # Numbers of references and of subjects are apart by their sign.
            -number if subject_number is None or not best_of_each else subject_number
            for number, subject_number in zip(numbers, subject_numbers, strict=True)
        ]
        raw = [proposed[number] for number in numbers]
        older = [
            number
            for number, version in zip(numbers, versions, strict=True)
            if version != collection.cohort_version
        ]
        anew = _means_anew(connection, seal, older, cohort_of)
        present = [anew.get(number, mean) for number, mean in zip(numbers, means, strict=True)]
        return _scores(numbers, groups, raw, present, probe.template.cohort, same)

    def name(connection: Connection, best: dict[int, Comparison]) -> list[Candidate]:
        found = references.by_numbers(connection, seal, best)
        known = subjects.by_numbers(connection, seal, _subjects_of(found.values()))
        return [
            Candidate(found[number], known.get(found[number].subject_number or 0), comparison)
            for number, comparison in best.items()
        ]

    same = partial(probe.references, seal=seal)
    search = _Search(opened.references, probe.template, same, limit, leaving_out)
    return _search(database, collection, search, read, name)


def search_subjects(
    database: Database,
    collection: StoredCollection,
    opened: CollectionIndexes,
    probe: Sought,
    limit: int,
    cohort_of: CohortOf,
    *,
    leaving_out: int | None = None,
) -> list[Candidate]:
    """Find the subjects whose fused templates are most like a probe.

    The subject of number `leaving_out` is none of them.
    """
    seal = opened.seal

    def read(connection: Connection, proposed: dict[int, float], same: frozenset[int]) -> _Scores:
        # Fused anew: no cohort statistics of a mean are kept, and its raw score is exact so.
        templates = fused(connection, collection, seal, list(proposed), cohort_of())
        numbers, those = list(templates), templates.values()
        raw = [float(one.vector @ probe.template.vector) for one in those]
        means = [one.cohort.mean for one in those]
        return _scores(numbers, numbers, raw, means, probe.template.cohort, same)

    def name(connection: Connection, best: dict[int, Comparison]) -> list[Candidate]:
        proofs.require_references_of(connection, seal, best)
        known = subjects.by_numbers(connection, seal, best)
        return [Candidate(None, known[number], comparison) for number, comparison in best.items()]

    same = partial(probe.subjects, seal=seal)
    search = _Search(opened.subjects, probe.template, same, limit, leaving_out)
    return _search(database, collection, search, read, name)


def compare_references(
    database: Database,
    collection: StoredCollection,
    seal: Seal,
    probe: Sought,
    ids: Sequence[UUID],
    cohort_of: CohortOf,
) -> list[Candidate]:
    """Compare a probe with some references alone, most alike first; erased ones are left out."""

    def read(connection: Connection) -> list[Candidate]:
        _require_unchanged(connection, collection)
        numbers = [one.number for one in references.page(connection, seal, ids=ids)]
        found = references.by_numbers(connection, seal, numbers)
        templates = evened_out(
            references.templates(connection, collection, seal, numbers), collection, cohort_of
        )
        known = subjects.by_numbers(connection, seal, _subjects_of(found.values()))
        same = probe.references(connection, seal)
        return _most_alike_first(
            Candidate(
                one,
                known.get(one.subject_number or 0),
                SAME_PICTURE
                if one.number in same
                else compare(templates[one.number], probe.template),
            )
            for one in found.values()
        )

    return database.read(read)


def compare_subjects(
    database: Database,
    collection: StoredCollection,
    seal: Seal,
    probe: Sought,
    ids: Sequence[UUID],
    cohort_of: CohortOf,
) -> list[Candidate]:
    """Compare a probe with some fused subjects alone, most alike first; who is erased is left out.

    Subjects without references are left out, too.
    """

    def read(connection: Connection) -> list[Candidate]:
        _require_unchanged(connection, collection)
        found = {one.number: one for one in subjects.by_ids(connection, seal, ids)}
        proofs.require_references_of(connection, seal, found)
        templates = fused(connection, collection, seal, list(found), cohort_of())
        same = probe.subjects(connection, seal)
        return _most_alike_first(
            Candidate(
                None,
                found[number],
                SAME_PICTURE if number in same else compare(template, probe.template),
            )
            for number, template in templates.items()
        )

    return database.read(read)


def evened_out(
    templates: dict[int, Template], collection: StoredCollection, cohort_of: CohortOf
) -> dict[int, Template]:
    """Even out anew, of templates by number, those that another cohort evened out."""
    older = {
        number: one
        for number, one in templates.items()
        if one.cohort.version != collection.cohort_version
    }
    if not older:
        return templates
    means = cohort_of().means(np.stack([one.vector for one in older.values()])).tolist()
    return templates | {
        number: replace(one, cohort=CohortStatistics(mean, collection.cohort_version))
        for (number, one), mean in zip(older.items(), means, strict=True)
    }


def vectors_of(
    connection: Connection, seal: Seal, candidates: Sequence[Candidate]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Open what candidates were compared by: (n, d), and the numbers of their subjects, 0 for none.

    Raises:
        KeyUnusable: one is damaged, or another's.
        NotFound: one was erased meanwhile.
    """
    rows, owners = [], []
    for one in candidates:
        if one.reference is not None:
            found = reference_vectors(connection, seal, [one.reference.number])
            owners.append(one.reference.subject_number or 0)
        else:
            subject = required(one.subject, "whom a search found")
            found = subject_vectors(connection, seal, [subject.number])
            owners.append(subject.number)
        if not len(found.ids):
            raise NotFound("A candidate was erased during the search: search again.")
        rows.append(found.vectors[0])
    return np.stack(rows), np.array(owners, np.int64)


def _means_anew(
    connection: Connection, seal: Seal, numbers: list[int], cohort_of: CohortOf
) -> dict[int, float]:
    """Hold references against the collection's cohort: the mean of each, by number."""
    if not numbers:
        return {}
    found = reference_vectors(connection, seal, numbers)
    return dict(zip(found.ids.tolist(), cohort_of().means(found.vectors).tolist(), strict=True))


def _most_alike_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda one: -one.comparison.score)


def _subjects_of(found: Iterable[Reference]) -> set[int]:
    return {one.subject_number for one in found if one.subject_number is not None}


def fused(
    connection: Connection,
    collection: StoredCollection,
    seal: Seal,
    numbers: list[int],
    cohort: Cohort,
) -> dict[int, Template]:
    """Fuse the templates of subjects, by number; those without references are left out."""
    found = subject_vectors(connection, seal, numbers)
    if not len(found.ids):
        return {}
    means = cohort.means(found.vectors).tolist()
    return {
        number: Template(
            vector, collection.model, CohortStatistics(mean, collection.cohort_version)
        )
        for number, vector, mean in zip(found.ids.tolist(), found.vectors, means, strict=True)
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """What is searched and for what; `same` finds the numbers that are the very face of it."""

    index: FollowingIndex
    probe: Template
    same: Callable[[Connection], frozenset[int]]
    limit: int
    leaving_out: int | None


def _search(
    database: Database,
    collection: StoredCollection,
    search: _Search,
    read: Callable[[Connection, dict[int, float], frozenset[int]], _Scores],
    name: Callable[[Connection, dict[int, Comparison]], list[Candidate]],
) -> list[Candidate]:
    limit = search.limit
    wanted = max(_FEWEST_PROPOSED, _PROPOSED_A_CANDIDATE * limit)
    while True:
        found = search.index.search(search.probe.vector, wanted)
        here = found.ids[0] >= 0
        ids, scores = found.ids[0][here].tolist(), found.scores[0][here].tolist()
        by_index = dict(zip(ids, scores, strict=True))

        def decide(
            connection: Connection, by_index: dict[int, float] = by_index
        ) -> list[Candidate]:
            _require_unchanged(connection, collection)
            same = search.same(connection)
            proposed = by_index | dict.fromkeys(same, 1.0)
            if search.leaving_out is not None:
                proposed.pop(search.leaving_out, None)
            return name(connection, _best(read(connection, proposed, same), limit))

        candidates = database.read(decide)
        # A subject with many references may have taken everybody's places.
        if len(candidates) == limit or not here.all():
            return candidates
        wanted *= _MORE


def _require_unchanged(connection: Connection, collection: StoredCollection) -> None:
    """Refuse rows of another model than the one whose index proposed them."""
    if not collection.is_comparable_with(collections.by_id(connection, collection.id)):
        raise Conflict(
            f"collection {collection.id} was expected to stay as it is during a search and was"
            " switched to another model or cohort, or erased: search again"
        )


def _scores(
    numbers: Sequence[int],
    groups: Sequence[int],
    raw: Sequence[float],
    means: Sequence[float],
    probe: CohortStatistics,
    same: frozenset[int],
) -> _Scores:
    """Even scores out; `same` are the very face that is searched for."""
    raws = np.array(raw, float)
    even = relative_scores(raws, np.array(means, float), np.array(probe.mean))
    if same:
        is_same = np.isin(np.array(numbers, np.int64), list(same))
        raws, even = np.where(is_same, 1.0, raws), np.where(is_same, IDENTICAL, even)
    return _Scores(np.array(numbers, np.int64), np.array(groups, np.int64), raws, even)


def _best(scores: _Scores, limit: int) -> dict[int, Comparison]:
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
