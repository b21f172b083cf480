"""Who is most like a probe? The index proposes by raw score, the rows decide by the even one.

A candidate is read from the rows, so that what is not committed, or is erased, is never one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, bindparam, select

from likeness.errors import Conflict, ModelMismatch
from likeness.gallery import collections, references, subjects
from likeness.gallery.cohorts import Cohort
from likeness.gallery.collections import Collection
from likeness.gallery.following_index import FollowingIndex
from likeness.gallery.open_collection import OpenCollection
from likeness.gallery.references import Reference
from likeness.gallery.rows_as_vectors import subject_vectors
from likeness.gallery.seal import Seal
from likeness.gallery.subjects import Subject
from likeness.gallery.tables import REFERENCES
from likeness.storage import Database
from likeness.terms.template import CohortStatistics, Comparison, Template, normalised

# Proposed by raw score, so that those whose even score is best are among them.
_FEWEST_PROPOSED = 200
_PROPOSED_A_CANDIDATE = 4
_MORE = 4

# Made once: every search comes here, with hundreds of numbers.
_STATISTICS = select(
    REFERENCES.c.number,
    REFERENCES.c.subject_number,
    REFERENCES.c.cohort_mean,
    REFERENCES.c.cohort_deviation,
    REFERENCES.c.cohort_version,
).where(
    REFERENCES.c.collection_id == bindparam("collection_id"),
    REFERENCES.c.number.in_(bindparam("numbers", expanding=True)),
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


@dataclass(frozen=True, slots=True)
class _Scored:
    number: int
    group: int
    comparison: Comparison


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

    def read(connection: Connection, proposed: dict[int, float]) -> list[_Scored]:
        rows = connection.execute(
            _STATISTICS, {"collection_id": seal.collection_id, "numbers": list(proposed)}
        ).all()
        return [
            _Scored(
                number,
                # Numbers of references and of subjects are apart by their sign.
                -number if subject_number is None or not best_of_each else subject_number,
                _compare(proposed[number], CohortStatistics(*statistics), probe.cohort),
            )
            for number, subject_number, *statistics in rows
        ]

    def name(connection: Connection, best: list[_Scored]) -> list[Candidate]:
        found = references.by_numbers(connection, seal, [one.number for one in best])
        named = {one.subject_number for one in found.values()} - {None}
        known = subjects.by_numbers(connection, seal, [n for n in named if n is not None])
        return [
            Candidate(
                found[one.number],
                known.get(found[one.number].subject_number or 0),
                one.comparison,
            )
            for one in best
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

    def read(connection: Connection, proposed: dict[int, float]) -> list[_Scored]:
        # Fused anew: no cohort statistics of a mean are kept, and its raw score is exact so.
        return [
            _Scored(
                number, number, _compare(float(one.vector @ probe.vector), one.cohort, probe.cohort)
            )
            for number, one in fused(connection, collection, seal, list(proposed), cohort).items()
        ]

    def name(connection: Connection, best: list[_Scored]) -> list[Candidate]:
        known = subjects.by_numbers(connection, seal, [one.number for one in best])
        return [Candidate(None, known[one.number], one.comparison) for one in best]

    return _search(database, collection, opened.subjects, probe, limit, leaving_out, read, name)


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
    read: Callable[[Connection, dict[int, float]], list[_Scored]],
    name: Callable[[Connection, list[_Scored]], list[Candidate]],
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


def _best(scored: list[_Scored], limit: int) -> list[_Scored]:
    """Give the best of each group, most alike first, equal ones by number."""
    best: dict[int, _Scored] = {}
    for one in sorted(scored, key=lambda one: (-one.comparison.score, one.number)):
        best.setdefault(one.group, one)
    return list(best.values())[:limit]


def _compare(raw_score: float, a: CohortStatistics, b: CohortStatistics) -> Comparison:
    if a.version != b.version:
        raise ModelMismatch(
            f"a search needs templates of one cohort, and these are of {a.version} and {b.version}:"
            " normalise one of them again"
        )
    return Comparison(raw_score, normalised(raw_score, a, b))
