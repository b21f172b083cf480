"""Delete what has ended: cases that expired or were never authorised, and watches. On record."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from likeness.review import cases, watches
from likeness.review.case import Case
from likeness.review.watches import Watch
from likeness.service.record import Desk, Outcome
from likeness.storage import Database
from likeness.terms.use import Action, Principal, Use


@dataclass(frozen=True, slots=True)
class Swept:
    """What was deleted, for whoever answers for it."""

    cases: tuple[Case, ...] = ()
    watches: tuple[Watch, ...] = ()

    @property
    def unauthorised(self) -> tuple[Case, ...]:
        """The cases for which no authority consented in time."""
        return tuple(
            one for one in self.cases if one.authorise_by is not None and one.authorised_at is None
        )


def sweep_review(database: Database, desk: Desk, principal: Principal, now: datetime) -> Swept:
    """Delete cases with their results, and watches; where none has ended, leave no record."""
    if not database.read(lambda c: bool(cases.ended(c, now) or watches.expired(c, now))):
        return Swept()

    def sweep(connection: Connection) -> Swept:
        return Swept(tuple(cases.sweep(connection, now)), tuple(watches.sweep(connection, now)))

    with desk.record(Use(principal, Action.ERASE, "SweepReview")) as record:
        return record.write(sweep, lambda swept: Outcome())
