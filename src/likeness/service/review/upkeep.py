"""What review needs done now and then: what has ended is deleted, and notices are sent."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from likeness.errors import Denied
from likeness.notify import WebhookSender
from likeness.review import (
    Case,
    Watch,
    any_notice_due,
    claim_notices,
    delete_case,
    delete_notice,
    delete_watch,
    ended_cases,
    expired_watches,
)
from likeness.service.uses import Outcome, Rows
from likeness.terms import Action, Use

_logger = logging.getLogger(__name__)

# A server that ends waits for it, and so does whatever else has to be done now and then.
_MOST_S = 10.0


@dataclass(frozen=True, slots=True)
class Swept:
    """What was deleted, for whoever answers for it."""

    cases: tuple[Case, ...]
    watches: tuple[Watch, ...]

    @property
    def unauthorised(self) -> tuple[Case, ...]:
        """The cases for which no authority consented in time."""
        lapsed = _lapsed(self.cases)
        return tuple(one for one in self.cases if one.id in lapsed)


def sweep_review(rows: Rows) -> Swept:
    """Delete cases with their results, and watches, that have ended.

    Raises:
        Denied: a rule forbids it of one of them; all others are deleted.
    """
    now = rows.clock()
    ended = rows.database.read(lambda connection: ended_cases(connection, now))
    expired = rows.database.read(lambda connection: expired_watches(connection, now))
    lapsed = _lapsed(ended)
    uses = [
        (
            Use(rows.somebody, Action.ERASE, "EndCase", case.collection_id, purpose=case.purpose),
            partial(delete_case, case=case),
            {
                "case_id": str(case.id),
                "reason": "unauthorised" if case.id in lapsed else "expired",
            },
        )
        for case in ended
    ] + [
        (
            Use(rows.somebody, Action.ERASE, "EndWatch", one.collection_id, purpose=one.purpose),
            partial(delete_watch, watch=one),
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


def _lapsed(cases: Sequence[Case]) -> set[UUID]:
    """Say for which cases no authority consented in time, be it to the search they are part of."""
    own = {one.id for one in cases if one.authorise_by is not None and one.authorised_at is None}
    return own | {one.id for one in cases if one.whole_id in own}


@dataclass(frozen=True, slots=True)
class Told:
    """How many notices arrived, will be sent again, and were given up."""

    arrived: int
    put_off: int
    given_up: int


def tell(rows: Rows, sender: WebhookSender) -> Told:
    """Send what is due, one after the other, for some time: slow receivers leave some for later.

    Raises:
        KeyUnusable: a key is gone.
        DatabaseUnavailable: the database cannot be written.
    """
    database, keyring, now = rows.database, rows.keyring, rows.clock()
    arrived = put_off = given_up = 0
    ends_s = time.monotonic() + _MOST_S
    while database.read(partial(any_notice_due, now=now)):
        claimed = database.write(
            lambda connection: claim_notices(connection, keyring, now, limit=1)
        )
        given_up += claimed.given_up
        for notice in claimed.notices:
            why_not = sender.send(notice.webhook, str(notice.id), notice.body)
            if why_not is None:
                database.write(partial(delete_notice, notice_id=notice.id))
                arrived += 1
            else:
                put_off += 1
                _logger.warning("watch %s was not told: %s", notice.watch_id, why_not)
        if time.monotonic() >= ends_s:
            break
    if given_up:
        _logger.warning("%d notices were given up", given_up)
    return Told(arrived, put_off, given_up)
