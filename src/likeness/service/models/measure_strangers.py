"""Measure a collection's own strangers: how alike its different people look to each other.

Pairs of strangers drawn at random flatter every rate: people of one sex, age and origin match a
thousand times as often. So a collection's references of different subjects are compared with each
other, and those rates decide too whether somebody is named. They are kept up to date in the
background, in portions, and so is what another cohort evened out.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import numpy as np
from sqlalchemy import Connection

from likeness.errors import Conflict, InvalidRequest, LikenessError, NotFound, StateError
from likeness.evaluation import calibrate_own_strangers
from likeness.gallery import Collection, CollectionRows, Gallery, Measured, Size
from likeness.service.govern.cohorts import adopt_cohort
from likeness.service.uses import Caller, Home, Outcome
from likeness.storage import Database
from likeness.terms import FEWEST_SUBJECTS, MOST_SUBJECTS, Action, Calibration, Joining

_logger = logging.getLogger(__name__)

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
        evened_out = self._even_out(self.gallery.collection(name), tell)
        return Upkeep(evened_out, self.measure_if_changed(name, again=again))

    def measure_if_changed(self, name: str, *, again: bool = False) -> Measured | None:
        """Measure strangers if they changed, and keep the result; None with too few people.

        Raises:
            NotFound: there is no such collection, or nobody knows its cohort or what scores mean.
            KeyUnusable: a template is damaged.
        """
        collection = self.gallery.collection(name)
        size = collection.size
        if size.subjects < FEWEST_SUBJECTS:
            return None
        if not again and self._in_vain.get(collection.id) == size:
            return None
        if not again:  # what is damaged is not read, then, but measured anew
            kept = collection.read(lambda rows: rows.own_strangers.find())
            if kept is not None and not _has_changed(kept, size):
                return kept
        known = self.calibration_of(collection)
        joining = collection.read(partial(_chosen, known=known))
        try:
            if len(joining.numbers) < FEWEST_SUBJECTS:
                raise InvalidRequest("too few of them have a picture that is fit to enrol")
            own, plain = calibrate_own_strangers(joining, collection.cohort(), known)
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
            # Measuring took a while: nobody who was erased meanwhile comes back by it.
            try:
                strangers = collection.within(connection).own_strangers
            except (NotFound, Conflict):  # it is erased, or of another model
                return None
            return measured if strangers.keep(measured, joining, self.clock()) else None

        return self.database.write(keep)

    def bring_every_up_to_date(self) -> None:
        """Bring every collection up to date; one that cannot be holds up no other."""
        for collection in self.gallery.collections():
            try:
                self.bring_up_to_date(collection.name)
            except StateError as error:  # its model or cohort is gone, or it was just erased
                _logger.info("%s waits: %s", collection.id, type(error).__name__)
            except LikenessError as error:  # something of it is damaged
                _logger.warning("%s is not measured: %s", collection.id, type(error).__name__)

    def _even_out(self, collection: Collection, tell: Callable[[int, int], None]) -> int:
        place = (collection.id, collection.cohort_version)
        if place in self._evened_out:
            return 0
        total, done, last = collection.size.references, 0, 0

        def some(rows: CollectionRows) -> list[int]:
            return rows.references.evened_out_otherwise(_AT_ONCE, last)

        while older := collection.read(some):
            last = older[-1]  # what is damaged stays as it is
            self.database.write(partial(_even_some_out, collection=collection, numbers=older))
            done += len(older)
            tell(min(done, total), total)
        self._evened_out.add(place)
        return done


def measure_collection(
    home: Home,
    caller: Caller,
    name: str,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Upkeep:
    """Bring one collection up to date, by the cohort of its model where its own is gone.

    Raises:
        NotFound: there is no such collection, or nobody knows its cohort or what scores mean.
        KeyUnusable: a template is damaged.
    """
    of = home.collection(caller, Action.ENROL, name)
    # Templates are compared with those of others, as enrolment does.
    with home.record(caller, Action.ENROL, of) as record:
        adopt_cohort(home, of)
        upkeep = StrangerUpkeep(home.database, home.gallery, home.calibration_of, home.clock)
        done = upkeep.bring_up_to_date(name, again=True, tell=tell)
        record.answered(Outcome())
    return done


def _even_some_out(connection: Connection, collection: Collection, numbers: list[int]) -> None:
    references = collection.within(connection).references
    found = references.templates(numbers)
    evened = collection.as_evened_out(list(found.values())) if found else []
    references.even_out({n: one.cohort for n, one in zip(found, evened, strict=True)})


def _has_changed(kept: Measured, size: Size) -> bool:
    """Say whether enough came or went that strangers are to be measured again."""
    return any(
        abs(now - then) > max(1, _CHANGED_SHARE * then)
        for now, then in (
            (size.references, kept.references),
            (size.subjects, kept.subjects),
        )
    )


def _chosen(rows: CollectionRows, known: Calibration) -> Joining:
    """Choose the first references of subjects, a thousand at most, and read them."""
    numbers = rows.own_strangers.first_of_each_subject()
    if len(numbers) > MOST_SUBJECTS:
        draw = np.random.default_rng(_SEED)
        numbers = np.sort(draw.choice(numbers, MOST_SUBJECTS, replace=False))
    return rows.own_strangers.joining(numbers, known.one_person)
