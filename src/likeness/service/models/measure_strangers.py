"""Measure a collection's own strangers: how alike its different people look to each other.

Pairs of strangers drawn at random flatter every rate: people of one sex, age and origin match a
thousand times as often. So a collection's references of different subjects are compared with each
other, and those rates decide too whether somebody is named. They are kept up to date in the
background, in portions, and so is what another cohort evened out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import numpy as np
from sqlalchemy import Connection

from likeness.errors import InvalidRequest
from likeness.evaluation import calibrate_own_strangers
from likeness.gallery import (
    Collection,
    Gallery,
    Measured,
    Size,
    collections,
    own_strangers,
    proofs,
    references,
)
from likeness.gallery.open_collection import CollectionIndexes
from likeness.gallery.seal import Seal
from likeness.storage import Database
from likeness.terms import FEWEST_SUBJECTS, MOST_SUBJECTS, Calibration, Joining

_AT_ONCE = 2_000
# A collection is measured again when so much of it came or went.
_CHANGED_SHARE = 0.05
# The same people are drawn of the same collection.
_SEED = 0


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What was brought up to date: references evened out anew, and what is measured now."""

    evened_out: int
    measured: Measured | None


@dataclass(frozen=True, slots=True)
class StrangerUpkeep:
    """Keeps what collections know of their strangers up to date."""

    database: Database
    gallery: Gallery
    calibration_of: Callable[[Collection], Calibration]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    # Collections and cohorts of which nothing is evened out otherwise: what comes later is not.
    _evened_out: set[tuple[UUID, str]] = field(default_factory=set)
    # How large collections were that could not be measured: that takes as long, and gives nothing.
    _in_vain: dict[UUID, Size] = field(default_factory=dict)

    def bring_up_to_date(
        self,
        name: str,
        *,
        again: bool = False,
        tell: Callable[[int, int], None] = lambda done, total: None,
    ) -> Upkeep:
        """Even out what another cohort evened out, and measure the strangers if they changed.

        `again` measures in any case.

        Raises:
            NotFound: there is no such collection, or nobody knows its cohort or what scores mean.
            KeyUnusable: a template is damaged.
        """
        evened_out = self._even_out(*self.gallery.open(name), tell)
        return Upkeep(evened_out, self.measured(name, again=again))

    def measured(self, name: str, *, again: bool = False) -> Measured | None:
        """Measure the strangers if they changed; None where there are too few people.

        Raises:
            NotFound: there is no such collection, or nobody knows its cohort or what scores mean.
            KeyUnusable: a template is damaged.
        """
        collection, opened = self.gallery.open(name)
        size, seal = self.gallery.size(name), opened.seal
        if size.subjects < FEWEST_SUBJECTS:
            return None
        if not again and self._in_vain.get(collection.id) == size:
            return None
        if not again:  # what is damaged is not read, then, but measured anew
            kept = self.database.read(partial(own_strangers.find, seal=seal, collection=collection))
            if kept is not None and not _has_changed(kept, size):
                return kept
        known = self.calibration_of(collection)
        joining = self.database.read(
            partial(_chosen, collection_id=collection.id, seal=seal, known=known)
        )
        try:
            if len(joining.numbers) < FEWEST_SUBJECTS:
                raise InvalidRequest("too few of them have a picture that is fit to enrol")
            own, plain = calibrate_own_strangers(joining, self.gallery.cohort(collection), known)
        except InvalidRequest:  # or nearly all of them may be one person
            self._in_vain[collection.id] = size
            return None
        measured = Measured(
            tuple(joining.numbers.tolist()),
            size.references,
            size.subjects,
            collection.cohort_version,
            own,
            plain,
        )

        def keep(connection: Connection) -> Measured | None:
            present = collections.by_id(connection, collection.id)
            # Measuring took a while: nobody who was erased meanwhile comes back by it.
            if not collection.is_comparable_with(present) or not own_strangers.are_those(
                connection, collection.id, joining
            ):
                return None
            own_strangers.keep(connection, seal, measured, self.clock())
            return measured

        return self.database.write(keep)

    def _even_out(
        self, collection: Collection, opened: CollectionIndexes, tell: Callable[[int, int], None]
    ) -> int:
        place = (collection.id, collection.cohort_version)
        if place in self._evened_out:
            return 0
        total, done = self.gallery.size(collection.name).references, 0
        while older := self.database.read(
            partial(references.evened_out_otherwise, collection=collection, limit=_AT_ONCE)
        ):
            self.database.write(
                partial(self._even_some_out, collection=collection, opened=opened, numbers=older)
            )
            done += len(older)
            tell(min(done, total), total)
        self._evened_out.add(place)
        return done

    def _even_some_out(
        self,
        connection: Connection,
        collection: Collection,
        opened: CollectionIndexes,
        numbers: list[int],
    ) -> None:
        found = references.templates(connection, collection, opened.seal, numbers)
        evened = self.gallery.as_evened_out(collection, list(found.values()))
        statistics = {
            number: template.cohort for number, template in zip(found, evened, strict=True)
        }
        proofs.even_out(connection, opened.seal, statistics)


def _has_changed(kept: Measured, size: Size) -> bool:
    """Say whether enough came or went that strangers are to be measured again."""
    return any(
        abs(now - then) > max(1, _CHANGED_SHARE * then)
        for now, then in (
            (size.references, kept.references),
            (size.subjects, kept.subjects),
        )
    )


def _chosen(connection: Connection, collection_id: UUID, seal: Seal, known: Calibration) -> Joining:
    """Choose the first references of subjects, a thousand at most, and read them."""
    numbers = own_strangers.first_of_each_subject(connection, collection_id)
    if len(numbers) > MOST_SUBJECTS:
        draw = np.random.default_rng(_SEED)
        numbers = np.sort(draw.choice(numbers, MOST_SUBJECTS, replace=False))
    return own_strangers.joining(connection, seal, numbers, known.one_person)
