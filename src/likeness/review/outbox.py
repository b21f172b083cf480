"""Notices that are still to be told: written with what they tell of, kept until they arrive.

An attempt counts as failed until it is said to have arrived: whoever claims a notice puts off its
next attempt first, so that a crash or a second server repeats none at once.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection, delete, func, insert, select, update

from likeness.errors import required
from likeness.notify import Webhook
from likeness.review import watches
from likeness.review.case import Case
from likeness.review.tables import OUTBOX
from likeness.secrets import Keyring

# Of Standard Webhooks: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
_WAITS = tuple(timedelta(seconds=s) for s in (5, 300, 1800)) + tuple(
    timedelta(hours=h) for h in (2, 5, 10, 14, 20, 24)
)
MOST_ATTEMPTS = len(_WAITS)
_MOST_WAITING = 10_000
"""Of one watch: a receiver that is gone for days must not fill the database."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to be told, and to whom."""

    id: UUID
    watch_id: UUID
    webhook: Webhook
    body: bytes


@dataclass(frozen=True, slots=True)
class Claimed:
    """Notices to send now, and how many were given up since nobody took them."""

    notices: tuple[Notice, ...]
    given_up: int


def post(connection: Connection, case: Case, now: datetime) -> None:
    """Tell that a watch opened a case; nothing but ids and times is told."""
    watch_id = required(case.watch_id, "the watch that opened a case")
    chosen = select(func.count()).where(OUTBOX.c.watch_id == watch_id)
    if connection.execute(chosen).scalar_one() >= _MOST_WAITING:
        return  # the case is there all the same
    payload = {
        "type": "case.opened",
        "timestamp": now.isoformat(),
        "data": {
            "case_id": str(case.id),
            "watch_id": str(watch_id),
            "collection_id": str(case.collection_id),
        },
    }
    row = {
        "id": uuid4(),
        "watch_id": watch_id,
        "payload": json.dumps(payload, separators=(",", ":")),
        "attempts": 0,
        "due_at": now,
    }
    connection.execute(insert(OUTBOX), row)


def anything_due(connection: Connection, now: datetime) -> bool:
    """Say whether there is anything to tell now."""
    return connection.execute(select(OUTBOX.c.id).where(OUTBOX.c.due_at <= now)).first() is not None


def claim(connection: Connection, keyring: Keyring, now: datetime, limit: int = 32) -> Claimed:
    """Take notices that are due; those tried often enough, or that nobody wants, are given up.

    Raises:
        KeyUnusable: a key is gone.
    """
    rows = connection.execute(
        select(OUTBOX).where(OUTBOX.c.due_at <= now).order_by(OUTBOX.c.due_at).limit(limit)
    ).all()
    notices, given_up = [], 0
    live = {watch.id: watch for watch in watches.live(connection, now)} if rows else {}
    for row in rows:
        watch = live.get(row.watch_id)
        webhook = None if watch is None else watches.webhook_of(connection, keyring, watch)
        if row.attempts == MOST_ATTEMPTS or webhook is None:
            arrived(connection, row.id)
            given_up += 1
            continue
        put_off = {"attempts": row.attempts + 1, "due_at": now + _WAITS[row.attempts]}
        connection.execute(update(OUTBOX).where(OUTBOX.c.id == row.id).values(**put_off))
        notices.append(Notice(row.id, row.watch_id, webhook, row.payload.encode()))
    return Claimed(tuple(notices), given_up)


def arrived(connection: Connection, notice_id: UUID) -> None:
    """Keep a notice no longer."""
    connection.execute(delete(OUTBOX).where(OUTBOX.c.id == notice_id))
