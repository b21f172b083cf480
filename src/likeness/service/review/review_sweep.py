"""Delete what has ended, each on record: cases past their time or deadline, and watches."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import Denied
from likeness.review import Case, Watch, cases, watches
from likeness.service.uses.record import Desk, Outcome
from likeness.storage import Database
from likeness.terms import Action, Principal, Use


@dataclass(frozen=True, slots=True)
class Swept:
    """What was deleted, for whoever answers for it."""

    cases: tuple[Case, ...]
    watches: tuple[Watch, ...]

    @property
    def unauthorised(self) -> tuple[Case, ...]:
        """The cases for which no authority consented in time."""
        return tuple(one for one in self.cases if _reason(one) == "unauthorised")


def sweep_review(database: Database, desk: Desk, principal: Principal, now: datetime) -> Swept:
    """Delete cases with their results, and watches, that have ended.

    Raises:
        Denied: a rule forbids it of one of them; all others are deleted.
    """
    denied: list[Denied] = []

    def delete(
        operation: str,
        collection_id: UUID,
        purpose: str,
        act: Callable[[Connection], None],
        details: dict[str, str],
    ) -> None:
        use = Use(principal, Action.ERASE, operation, collection_id, purpose=purpose)
        try:
            with desk.record(use) as record:
                record.write(act, lambda _: Outcome(details=details))
        except Denied as error:
            denied.append(error)

    ended = database.read(lambda connection: cases.ended(connection, now))
    for case in ended:
        details = {"case_id": str(case.id), "reason": _reason(case)}
        act = partial(cases.end, case=case)
        delete("EndCase", case.collection_id, case.purpose, act, details)
    expired = database.read(lambda connection: watches.expired(connection, now))
    for watch in expired:
        details = {"watch_id": str(watch.id), "reason": "expired"}
        over = partial(watches.end, watch=watch)
        delete("EndWatch", watch.collection_id, watch.purpose, over, details)
    if denied:
        raise denied[0]
    return Swept(tuple(ended), tuple(expired))


def _reason(case: Case) -> str:
    owed = case.authorise_by is not None and case.authorised_at is None
    return "unauthorised" if owed else "expired"
