"""What evens a collection's scores out: the cohort of its model, or one that came with it.

A collection that was imported keeps the cohort that it came with where this installation has none
of that version, sealed under the collection's key for the calibration that belongs to it.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, insert, select

from likeness.gallery.seal import Seal
from likeness.gallery.stored_collections import StoredCollection
from likeness.gallery.tables import COHORTS
from likeness.storage import Database
from likeness.terms import Calibration, Cohort, CohortStatistics, Template

ReadCohort = Callable[[bytes], Cohort]
"""Makes a cohort of the bytes that were kept of it."""


@dataclass(frozen=True, slots=True, eq=False)
class KeptCohort:
    """A cohort that came with a collection, and what scores evened out by it mean."""

    cohort: Cohort
    calibration: Calibration


def keep(
    connection: Connection, seal: Seal, version: str, content: bytes, calibration: Calibration
) -> None:
    """Keep a cohort's bytes, sealed."""
    meaning = json.dumps(calibration.as_json())
    row = {
        "collection_id": seal.collection_id,
        "version": version,
        "sealed_cohort": seal.cohort(version, meaning, content),
        "calibration": meaning,
    }
    connection.execute(insert(COHORTS), row)


def find(connection: Connection, seal: Seal, version: str, read: ReadCohort) -> KeptCohort | None:
    """Find a collection's cohort of a version; None where none came with it.

    Raises:
        KeyUnusable: it is damaged, or another's, or what its scores mean was changed.
    """
    row = connection.execute(
        select(COHORTS.c.sealed_cohort, COHORTS.c.calibration).where(
            COHORTS.c.collection_id == seal.collection_id, COHORTS.c.version == version
        )
    ).first()
    if row is None:
        return None
    return KeptCohort(
        read(seal.opened_cohort(version, row.calibration, row.sealed_cohort)),
        Calibration.from_json(json.loads(row.calibration)),
    )


class Cohorts:
    """Knows the cohort of every collection; safe to use from many threads."""

    def __init__(
        self,
        database: Database,
        cohort_of: Callable[[str, str], Cohort],
        read: ReadCohort,
    ) -> None:
        self._database = database
        self._cohort_of = cohort_of
        self._read = read
        self._kept: dict[UUID, tuple[str, KeptCohort | None]] = {}
        self._shared: dict[tuple[str, str], Cohort] = {}

    def kept(self, collection: StoredCollection, seal: Seal) -> KeptCohort | None:
        """Find the cohort that came with a collection, if it is of that.

        Raises:
            KeyUnusable: it is damaged, or another's.
        """
        version = collection.cohort_version
        known_version, kept = self._kept.get(collection.id, ("", None))
        if known_version != version:
            kept = self._database.read(
                lambda connection: find(connection, seal, version, self._read)
            )
            # That none of a version came with the collection does not change either.
            self._kept[collection.id] = version, kept
        return kept

    def of(self, collection: StoredCollection, seal: Seal) -> Cohort:
        """Find the cohort of a collection.

        Raises:
            NotFound: it is none of those kept.
            KeyUnusable: it is damaged, or another's.
        """
        kept = self.kept(collection, seal)
        if kept is not None:
            return kept.cohort
        place = (collection.model, collection.cohort_version)
        if place not in self._shared:
            self._shared[place] = self._cohort_of(*place)
        return self._shared[place]

    def even_out(
        self, collection: StoredCollection, seal: Seal, templates: Sequence[Template]
    ) -> Sequence[Template]:
        """Give templates of a collection's model as its cohort sees them.

        Raises:
            NotFound: its cohort is none of those kept.
            KeyUnusable: it is damaged, or another's.
        """
        if any(one.model != collection.model for one in templates) or all(
            one.cohort.version == collection.cohort_version for one in templates
        ):
            return templates
        cohort = self.of(collection, seal)
        means = cohort.means(np.stack([one.vector for one in templates])).tolist()
        return [
            replace(one, cohort=CohortStatistics(mean, collection.cohort_version))
            for one, mean in zip(templates, means, strict=True)
        ]
