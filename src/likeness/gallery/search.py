"""Who is most like a probe? The index proposes by raw score, the rows decide by the even one.

A candidate is read from the rows, so that what is not committed, or is erased, is never one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, select

from likeness.errors import Conflict, ModelMismatch
from likeness.gallery import collections, proofs, references, subjects
from likeness.gallery.cohorts import Cohort
from likeness.gallery.collections import Collection
from likeness.gallery.following_index import FollowingIndex
from likeness.gallery.open_collection import OpenCollection
from likeness.gallery.references import Reference
from likeness.gallery.rows_as_vectors import subject_vectors
from likeness.gallery.seal import Seal
from likeness.gallery.subjects import Subject
from likeness.gallery.tables import REFERENCES
from likeness.storage import Database, OneOf
from likeness.terms.template import (
    CohortStatistics,
    Comparison,
    Template,
    compare,
    normalised_all,
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
        REFERENCES.c.cohort_deviation,
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


class _Scores(NamedTuple):
    """What is proposed, by (n,) numbers, the groups of which the best is wanted, and scores."""

    numbers: NDArray[np.int64]
    groups: NDArray[np.int64]
    raw: NDArray[np.float64]
    even: NDArray[np.float64]


def search_references(
    database: Database,
    collection: Collection,
    opened: OpenCollection,
    probe: Template,
    limit: int,
    *,
    best_of_each: bool,
    leaving_out: int | None = None,
) -> list[Candidate]:
    """Find the references most like a probe; only the best of each subject if `best_of_each`.

    The reference of number `leaving_out` is none of them.
    """
    seal = opened.seal

    def read(connection: Connection, proposed: dict[int, float]) -> _Scores:
        rows = _STATISTICS.all(connection, list(proposed), collection_id=seal.collection_id)
        columns = zip(*rows, strict=True) if rows else [()] * 5
        numbers, subject_numbers, means, deviations, versions = columns
        groups = [
            # Numbers of references and of subjects are apart by their sign.
            -number if subject_number is None or not best_of_each else subject_number
            for number, subject_number in zip(numbers, subject_numbers, strict=True)
        ]
        raw = [proposed[number] for number in numbers]
        return _scores(numbers, groups, raw, means, deviations, versions, probe.cohort)

    def name(connection: Connection, best: dict[int, Comparison]) -> list[Candidate]:
        found = references.by_numbers(connection, seal, best)
        known = subjects.by_numbers(connection, seal, _subjects_of(found.values()))
        return [
            Candidate(found[number], known.get(found[number].subject_number or 0), comparison)
            for number, comparison in best.items()
        ]

    return _search(database, collection, opened.references, probe, limit, leaving_out, read, name)


def search_subjects(
    database: Database,
    collection: Collection,
    opened: OpenCollection,
    probe: Template,
    limit: int,
    cohort: Cohort,
    *,
    leaving_out: int | None = None,
) -> list[Candidate]:
    """Find the subjects whose fused templates are most like a probe.

    The subject of number `leaving_out` is none of them.
    """
    seal = opened.seal

    def read(connection: Connection, proposed: dict[int, float]) -> _Scores:
        # Fused anew: no cohort statistics of a mean are kept, and its raw score is exact so.
        templates = fused(connection, collection, seal, list(proposed), cohort)
        numbers, those = list(templates), templates.values()
        raw = [float(one.vector @ probe.vector) for one in those]
        means = [one.cohort.mean for one in those]
        deviations = [one.cohort.deviation for one in those]
        versions = [one.cohort.version for one in those]
        return _scores(numbers, numbers, raw, means, deviations, versions, probe.cohort)

    def name(connection: Connection, best: dict[int, Comparison]) -> list[Candidate]:
        proofs.require_references_of(connection, seal, best)
        known = subjects.by_numbers(connection, seal, best)
        return [Candidate(None, known[number], comparison) for number, comparison in best.items()]

    return _search(database, collection, opened.subjects, probe, limit, leaving_out, read, name)


def compare_references(
    database: Database,
    collection: Collection,
    seal: Seal,
    probe: Template,
    ids: Sequence[UUID],
) -> list[Candidate]:
    """Compare a probe with some references alone, most alike first; erased ones are left out."""

    def read(connection: Connection) -> list[Candidate]:
        _require_unchanged(connection, collection)
        numbers = [one.number for one in references.page(connection, seal, ids=ids)]
        found = references.by_numbers(connection, seal, numbers)
        templates = references.templates(connection, collection, seal, numbers)
        known = subjects.by_numbers(connection, seal, _subjects_of(found.values()))
        return _most_alike_first(
            Candidate(
                one, known.get(one.subject_number or 0), compare(templates[one.number], probe)
            )
            for one in found.values()
        )

    return database.read(read)


def compare_subjects(
    database: Database,
    collection: Collection,
    seal: Seal,
    probe: Template,
    ids: Sequence[UUID],
    cohort: Cohort,
) -> list[Candidate]:
    """Compare a probe with some fused subjects alone, most alike first; who is erased is left out.

    Subjects without references are left out, too.
    """

    def read(connection: Connection) -> list[Candidate]:
        _require_unchanged(connection, collection)
        found = {one.number: one for one in subjects.by_ids(connection, seal, ids)}
        proofs.require_references_of(connection, seal, found)
        templates = fused(connection, collection, seal, list(found), cohort)
        return _most_alike_first(
            Candidate(None, found[number], compare(template, probe))
            for number, template in templates.items()
        )

    return database.read(read)


def _most_alike_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda one: -one.comparison.score)


def _subjects_of(found: Iterable[Reference]) -> set[int]:
    return {one.subject_number for one in found if one.subject_number is not None}


def fused(
    connection: Connection, collection: Collection, seal: Seal, numbers: list[int], cohort: Cohort
) -> dict[int, Template]:
    """Fuse the templates of subjects, by number; those without references are left out."""
    found = subject_vectors(connection, seal, numbers)
    if not len(found.ids):
        return {}
    means, deviations = cohort.statistics(found.vectors)
    return {
        number: Template(
            vector, collection.model, CohortStatistics(mean, deviation, collection.cohort_version)
        )
        for number, vector, mean, deviation in zip(
            found.ids.tolist(), found.vectors, means.tolist(), deviations.tolist(), strict=True
        )
    }


def _search(
    database: Database,
    collection: Collection,
    index: FollowingIndex,
    probe: Template,
    limit: int,
    leaving_out: int | None,
    read: Callable[[Connection, dict[int, float]], _Scores],
    name: Callable[[Connection, dict[int, Comparison]], list[Candidate]],
) -> list[Candidate]:
    wanted = max(_FEWEST_PROPOSED, _PROPOSED_A_CANDIDATE * limit)
    while True:
        found = index.search(probe.vector, wanted)
        here = found.ids[0] >= 0
        ids, scores = found.ids[0][here].tolist(), found.scores[0][here].tolist()
        proposed = dict(zip(ids, scores, strict=True))
        if leaving_out is not None:
            proposed.pop(leaving_out, None)

        def decide(
            connection: Connection, proposed: dict[int, float] = proposed
        ) -> list[Candidate]:
            _require_unchanged(connection, collection)
            return name(connection, _best(read(connection, proposed), limit))

        candidates = database.read(decide)
        # A subject with many references may have taken everybody's places.
        if len(candidates) == limit or not here.all():
            return candidates
        wanted *= _MORE


def _require_unchanged(connection: Connection, collection: Collection) -> None:
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
    deviations: Sequence[float],
    versions: Sequence[str],
    probe: CohortStatistics,
) -> _Scores:
    """Even scores out."""
    if others := set(versions) - {probe.version}:
        raise ModelMismatch(
            f"a search needs templates of one cohort, and these are of {min(others)} and"
            f" {probe.version}: normalise one of them again"
        )
    raws = np.array(raw, float)
    even = normalised_all(raws, np.array(means, float), np.array(deviations, float), probe)
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
