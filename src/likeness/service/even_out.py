"""Even a collection's scores out by another cohort, while it goes on being used."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial

import numpy as np
from sqlalchemy import Connection

from likeness.errors import Conflict
from likeness.gallery import cohorts, references, staging
from likeness.gallery.cohorts import Cohort, OwnCohort
from likeness.gallery.gallery import Gallery
from likeness.gallery.seal import Seal
from likeness.gallery.staging import Change
from likeness.service.record import Outcome, Record
from likeness.storage import Database
from likeness.terms.template import CohortStatistics, Template
from likeness.vision.cohort_parts import CohortInParts

_AT_ONCE = 2_000


def begin_evening_out(
    database: Database,
    gallery: Gallery,
    name: str,
    cohort: Cohort,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Change:
    """Begin to change a collection to a cohort of its model that is none of its own.

    Raises:
        NotFound: there is no such collection.
        InvalidRequest: it is evened out by that cohort already.
        Conflict: another change of it has begun.
    """
    collection = gallery.collection(name)
    return database.write(
        lambda connection: staging.begin(
            connection,
            collection,
            clock(),
            model=collection.model,
            dimensions=collection.dimensions,
            cohort_version=cohort.version,
        )
    )


def even_out(
    record: Record,
    database: Database,
    gallery: Gallery,
    name: str,
    change: Change,
    cohort_of: Callable[[str, str], Cohort],
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Hold every reference against the cohort that a change is to, then switch; count references.

    What is staged stays when this is cut off, and the next call goes on after it.

    Args:
        record: of this use.
        database: where the gallery's rows are.
        gallery: what has the collection.
        name: the collection's.
        change: has begun, and is to another cohort of the same model.
        cohort_of: gives the cohort of a model and version that is not the collection's own.
        tell: is told how many of how many references are staged.

    Raises:
        NotFound: the collection was erased meanwhile, or the cohort is none of those kept.
        Conflict: the change was discarded meanwhile, or see `Gallery.finish`; then it took place.
    """
    collection, opened = gallery.open(name)
    seal = opened.seal
    own = database.read(partial(_own_cohort, seal=seal, change=change))
    cohort = own.cohort if own else cohort_of(collection.model, change.cohort_version)
    while True:
        for numbers in _unstaged(database, change):
            templates = database.read(
                partial(references.templates, collection=collection, seal=seal, numbers=numbers)
            )
            statistics = _statistics(templates, cohort, change.cohort_version)
            database.write(
                partial(staging.stage_statistics, change=change, seal=seal, statistics=statistics)
            )
            staged = database.read(partial(staging.staged, change=change))
            tell(staged, gallery.size(name).references)
        try:
            gallery.switch(
                change,
                write=lambda act: record.write(
                    act, lambda _: Outcome(details={"cohort": change.cohort_version})
                ),
            )
            return gallery.size(name).references
        except Conflict:
            # Somebody was enrolled since; or something else stands in the way.
            if not database.read(partial(_lacks_references, change=change)):
                raise


def _own_cohort(connection: Connection, seal: Seal, change: Change) -> OwnCohort | None:
    staging.require_open(connection, change)
    return cohorts.find(connection, seal, change.cohort_version, CohortInParts.from_bytes)


def _unstaged(database: Database, change: Change) -> Iterator[list[int]]:
    """Yield the numbers of references that are not staged, a portion at a time."""
    after = 0
    while numbers := database.read(
        partial(staging.unstaged, change=change, after=after, limit=_AT_ONCE)
    ):
        yield numbers
        after = numbers[-1]


def _statistics(
    templates: Mapping[int, Template], cohort: Cohort, version: str
) -> dict[int, CohortStatistics]:
    """Hold templates against a cohort, by the numbers of their references."""
    if not templates:  # all were erased meanwhile
        return {}
    vectors = np.stack([one.vector for one in templates.values()])
    means, deviations = (each.tolist() for each in cohort.statistics(vectors))
    return {
        number: CohortStatistics(mean, deviation, version)
        for number, mean, deviation in zip(templates, means, deviations, strict=True)
    }


def _lacks_references(connection: Connection, change: Change) -> bool:
    """Whether a change goes on, and references are not staged."""
    goes_on = staging.of(connection, change.collection_id) == change
    return goes_on and bool(staging.unstaged(connection, change, limit=1))
