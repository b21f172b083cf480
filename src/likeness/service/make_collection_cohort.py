"""Make a collection's own cohort: how crowded its space is where its own people are."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from likeness.errors import InvalidRequest
from likeness.evaluation.calibration import count_scores
from likeness.gallery import cohorts, staging, subjects
from likeness.gallery.collections import Collection
from likeness.gallery.gallery import Gallery
from likeness.gallery.rows_as_vectors import Vectors, of_subjects, vectors_of_subjects
from likeness.gallery.seal import Seal
from likeness.gallery.staging import Change
from likeness.service.pairs_of_strangers import pairs_of_strangers
from likeness.storage import Database
from likeness.terms.calibration import Calibration
from likeness.vision.cohort_parts import FEWEST_PEOPLE_IN_PARTS, CohortInParts

# Averages of more people say little more, and every template is held against all of them.
_MOST_AVERAGED = 3_000
_SHARE_AVERAGED = 0.25
# 200 million pairs show rates down to 1.5e-7.
_MOST_COMPARED = 20_000
_AT_ONCE = 500
# Strangers' scores thin out at least as fast as they do down to this rate; so many pairs of them
# are expected beyond the score from which two names look like one person.
_TAIL_FMR = 1e-4
_STRANGERS_BEYOND = 0.1
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Alike:
    """Two subjects of a collection with references that look like one person."""

    names: tuple[str, str]
    score: float


@dataclass(frozen=True, slots=True)
class MadeCohort:
    """A cohort of a collection's own people, and the change to it that has begun.

    `averaged` people are in the cohort, `compared` others were calibrated with. Of these,
    `pairs_alike` pairs look like one person under two names; `alike` lists the first of them.
    """

    change: Change
    calibration: Calibration
    averaged: int
    compared: int
    pairs_alike: int
    alike: tuple[Alike, ...]


def make_collection_cohort(
    database: Database,
    gallery: Gallery,
    name: str,
    *,
    fmr: float,
    seed: int,
    require_consent: Callable[[Calibration], None] = lambda calibration: None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> MadeCohort:
    """Average people of a collection, calibrate with others, and begin to change to that cohort.

    A quarter of the named subjects are averaged, each by their first reference: at least 500 and at
    most 3,000. References of others are compared, up to 20,000, and different names are taken for
    different people.

    Args:
        database: where the gallery's rows are.
        gallery: what has the collection.
        name: the collection's.
        fmr: the false match rate that has to be measured.
        seed: makes the draw repeatable.
        require_consent: is told what scores would mean, and raises if not to go on.
        clock: says what time it is.

    Raises:
        NotFound: there is no such collection.
        InvalidRequest: it has too few people.
        Conflict: another change of it has begun.
    """
    collection, opened = gallery.open(name)
    seal = opened.seal
    people = np.random.default_rng(seed).permutation(
        of_subjects(database, seal, collection.model).ids()
    )
    averaged = min(_MOST_AVERAGED, max(FEWEST_PEOPLE_IN_PARTS, int(_SHARE_AVERAGED * len(people))))
    if len(people) <= averaged:
        raise InvalidRequest(
            f"{FEWEST_PEOPLE_IN_PARTS} named subjects to average were expected, and others to"
            f" calibrate with, and {name!r} has {len(people)} altogether: enrol more people, or"
            " stay with the cohort in use"
        )
    first = _first_of_each(database, seal, people[:averaged])
    cohort = CohortInParts.of(first, collection.model, f"collection {collection.id}", seed)
    others = _at_most(_MOST_COMPARED, database, seal, people[averaged:])
    calibration = _calibration(collection, cohort, others)
    if calibration.lowest_fmr > fmr:
        raise InvalidRequest(
            f"people enough to measure a false match rate of {fmr:.2g} were expected, and the"
            f" {len(people)} named subjects of {name!r} show rates down to"
            f" {calibration.lowest_fmr:.2g}: enrol more people, or stay with the cohort in use"
        )
    require_consent(calibration)
    alike = _alike(calibration, cohort, others)

    def begin(connection: Connection) -> tuple[Change, tuple[Alike, ...]]:
        change = staging.begin(
            connection,
            collection,
            clock(),
            model=collection.model,
            dimensions=collection.dimensions,
            cohort_version=cohort.version,
        )
        cohorts.keep(connection, seal, cohort.version, cohort.as_bytes(), calibration)
        return change, _named(connection, seal, alike[:_MOST_NAMED])

    change, named = database.write(begin)
    compared = len(np.unique(others.ids))
    return MadeCohort(change, calibration, len(first), compared, len(alike), named)


def references_needed(calibration: Calibration, fpir: float) -> int | None:
    """Say from about how many references on a calibration like this reaches a search of them all.

    The rate that a search needs falls with their number, and the one that their pairs show with the
    square of it. None where more would have to be compared than are.
    """
    shown = calibration.lowest_fmr * calibration.pairs
    compared = 2 * shown / ((1 - _SHARE_AVERAGED) * fpir)
    return round(compared / (1 - _SHARE_AVERAGED)) if compared <= _MOST_COMPARED else None


def begun_cohort(database: Database, gallery: Gallery, name: str) -> Change | None:
    """Find a change to a cohort of the collection's own that was cut off.

    Raises:
        NotFound: there is no such collection.
    """
    _, opened = gallery.open(name)

    def find(connection: Connection) -> Change | None:
        change = staging.of(connection, opened.seal.collection_id)
        if change is None or change.ended_at is not None:
            return None
        version, read = change.cohort_version, CohortInParts.from_bytes
        return change if cohorts.find(connection, opened.seal, version, read) else None

    return database.read(find)


def _first_of_each(
    database: Database, seal: Seal, people: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Open the first vector of each of (n,) subjects: (n, d)."""
    first = []
    for found in _opened(database, seal, people):
        _, places = np.unique(found.ids, return_index=True)
        first.append(found.vectors[places])
    return np.concatenate(first)


def _at_most(most: int, database: Database, seal: Seal, people: NDArray[np.int64]) -> Vectors:
    """Open the vectors of subjects until there are so many."""
    parts: list[Vectors] = []
    for found in _opened(database, seal, people):
        parts.append(found)
        if sum(len(part.ids) for part in parts) >= most:
            break
    ids, vectors = (np.concatenate(each)[:most] for each in zip(*parts, strict=True))
    return Vectors(ids, vectors)


def _opened(database: Database, seal: Seal, people: NDArray[np.int64]) -> Iterator[Vectors]:
    for start in range(0, len(people), _AT_ONCE):
        some = people[start : start + _AT_ONCE].tolist()
        found = database.read(partial(vectors_of_subjects, seal=seal, numbers=some))
        if len(found.ids):
            yield found


def _calibration(collection: Collection, cohort: CohortInParts, others: Vectors) -> Calibration:
    """Say what scores mean, from all pairs of different subjects."""
    pairs = pairs_of_strangers(others.vectors, *cohort.statistics(others.vectors), others.ids)
    counts = count_scores(some.scores[some.strangers] for some in pairs)
    scores, fmrs = counts.knots()
    return Calibration(
        collection.model,
        cohort.version,
        scores,
        fmrs,
        counts.total,
        f"{len(others.ids)} references of {len(np.unique(others.ids))} subjects of the collection"
        " itself, different names taken for different people",
    )


def _alike(
    calibration: Calibration, cohort: CohortInParts, others: Vectors
) -> list[tuple[float, int, int]]:
    """List pairs of subjects that score as strangers hardly do: score and numbers, best first."""
    low = max(_TAIL_FMR, calibration.lowest_fmr)
    high = min(10 * low, calibration.fmrs[0])
    at_low, at_high = calibration.threshold(low), calibration.threshold(high)
    beyond = math.log(low * calibration.pairs / _STRANGERS_BEYOND) / math.log(high / low)
    limit = at_low + (at_low - at_high) * beyond
    best: dict[tuple[int, int], float] = {}
    for some in pairs_of_strangers(others.vectors, *cohort.statistics(others.vectors), others.ids):
        for row, column in np.argwhere(some.strangers & (some.scores > limit)).tolist():
            pair = sorted(others.ids[[some.first + row, some.first + column]].tolist())
            score = float(some.scores[row, column])
            best[pair[0], pair[1]] = max(score, best.get((pair[0], pair[1]), score))
    return sorted(((score, *pair) for pair, score in best.items()), reverse=True)


def _named(
    connection: Connection, seal: Seal, alike: Sequence[tuple[float, int, int]]
) -> tuple[Alike, ...]:
    numbers = {number for _, *pair in alike for number in pair}
    known = subjects.by_numbers(connection, seal, numbers)
    return tuple(
        Alike((known[one].name, known[other].name), score)
        for score, one, other in alike
        if one in known and other in known
    )
