"""What evens a collection's scores out? The cohort of its model, or one made of its own people.

A collection's own cohort holds averages of ten of its people each. It lies in a row, sealed under
the collection's key for the calibration that belongs to it.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert, select

from likeness.gallery.collections import Collection
from likeness.gallery.seal import Seal
from likeness.gallery.tables import COHORTS
from likeness.storage import Database
from likeness.terms.calibration import Calibration
from likeness.terms.template import CohortStatistics, Template


class Cohort(Protocol):
    """What templates of one model are held against; `terms.template.CohortStatistics` of it."""

    @property
    def version(self) -> str:
        """The cohort's version, as `CohortStatistics.version` names it."""

    def statistics(
        self, vectors: NDArray[np.float32]
    ) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Give (n,) means and (n,) deviations for (n, d) vectors."""


ReadCohort = Callable[[bytes], Cohort]
"""Makes a cohort of the bytes that were kept of it."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnCohort:
    """A collection's own cohort, and what scores evened out by it mean."""

    cohort: Cohort
    calibration: Calibration


def keep(
    connection: Connection, seal: Seal, version: str, content: bytes, calibration: Calibration
) -> None:
    """Keep a cohort's bytes, sealed; it is used once the collection has switched to its version."""
    meaning = json.dumps(calibration.as_json())
    row = {
        "collection_id": seal.collection_id,
        "version": version,
        "sealed_cohort": seal.cohort(version, meaning, content),
        "calibration": meaning,
    }
    connection.execute(insert(COHORTS), row)


def find(connection: Connection, seal: Seal, version: str, read: ReadCohort) -> OwnCohort | None:
    """Find a collection's own cohort of a version; None where it has none.

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
    return OwnCohort(
        read(seal.opened_cohort(version, row.calibration, row.sealed_cohort)),
        Calibration.from_json(json.loads(row.calibration)),
    )


def owners(connection: Connection) -> frozenset[UUID]:
    """Give the ids of the collections that have a cohort of their own."""
    return frozenset(connection.execute(select(COHORTS.c.collection_id)).scalars())


class Cohorts:
    """Knows the cohort in use of every collection; safe to use from many threads."""

    def __init__(
        self,
        database: Database,
        cohort_of: Callable[[str, str], Cohort],
        read: ReadCohort,
    ) -> None:
        self._database = database
        self._cohort_of = cohort_of
        self._read = read
        self._own: dict[UUID, tuple[str, OwnCohort | None]] = {}
        self._shared: dict[tuple[str, str], Cohort] = {}

    def own(self, collection: Collection, seal: Seal) -> OwnCohort | None:
        """Find the cohort in use where it is the collection's own.

        Raises:
            KeyUnusable: it is damaged, or another's.
        """
        version = collection.cohort_version
        known_version, own = self._own.get(collection.id, ("", None))
        if known_version != version:
            own = self._database.read(
                lambda connection: find(connection, seal, version, self._read)
            )
            # That a version is none of the collection's own does not change either.
            self._own[collection.id] = version, own
        return own

    def of(self, collection: Collection, seal: Seal) -> Cohort:
        """Find the cohort in use.

        Raises:
            NotFound: it is none of those kept.
            KeyUnusable: it is damaged, or another's.
        """
        own = self.own(collection, seal)
        if own is not None:
            return own.cohort
        place = (collection.model, collection.cohort_version)
        if place not in self._shared:
            self._shared[place] = self._cohort_of(*place)
        return self._shared[place]

    def even_out(
        self, collection: Collection, seal: Seal, templates: Sequence[Template]
    ) -> Sequence[Template]:
        """Give templates as the collection's own cohort sees them; as they are without one."""
        if any(one.model != collection.model for one in templates) or all(
            one.cohort.version == collection.cohort_version for one in templates
        ):
            return templates
        own = self.own(collection, seal)
        if own is None:
            return templates
        means, deviations = own.cohort.statistics(np.stack([one.vector for one in templates]))
        return [
            replace(one, cohort=CohortStatistics(mean, deviation, collection.cohort_version))
            for one, mean, deviation in zip(
                templates, means.tolist(), deviations.tolist(), strict=True
            )
        ]
