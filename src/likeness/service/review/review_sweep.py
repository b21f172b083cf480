"""Delete what has ended, each on record: cases past their time or deadline, and watches."""

from dataclasses import dataclass
from functools import partial

from likeness.errors import Denied
from likeness.review import Case, Watch, cases, watches
from likeness.service.uses.home import Rows
from likeness.service.uses.record import Outcome
from likeness.terms import Action, Use


@dataclass(frozen=True, slots=True)
class Swept:
    """What was deleted, for whoever answers for it."""

    cases: tuple[Case, ...]
    watches: tuple[Watch, ...]

    @property
    def unauthorised(self) -> tuple[Case, ...]:
        """The cases for which no authority consented in time."""
        return tuple(one for one in self.cases if _reason(one) == "unauthorised")


def sweep_review(rows: Rows) -> Swept:
    """Delete cases with their results, and watches, that have ended.

    Raises:
        Denied: a rule forbids it of one of them; all others are deleted.
    """
    now = rows.clock()
    ended = rows.database.read(lambda connection: cases.ended(connection, now))
    expired = rows.database.read(lambda connection: watches.expired(connection, now))
    uses = [
        (
            Use(rows.somebody, Action.ERASE, "EndCase", case.collection_id, purpose=case.purpose),
            partial(cases.end, case=case),
            {"case_id": str(case.id), "reason": _reason(case)},
        )
        for case in ended
    ] + [
        (
            Use(rows.somebody, Action.ERASE, "EndWatch", one.collection_id, purpose=one.purpose),
            partial(watches.end, watch=one),
            {"watch_id": str(one.id), "reason": "expired"},
        )
        for one in expired
    ]
    denied: list[Denied] = []
    for use, act, details in uses:
        try:
            with rows.desk.record(use) as record:
                record.write(act, partial(_ended, details))
        except Denied as error:
            denied.append(error)
    if denied:
        raise denied[0]
    return Swept(tuple(ended), tuple(expired))


def _ended(details: dict[str, str], _: None) -> Outcome:
    return Outcome(details=details)


def _reason(case: Case) -> str:
    owed = case.authorise_by is not None and case.authorised_at is None
    return "unauthorised" if owed else "expired"
