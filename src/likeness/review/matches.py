"""What sets watches off: a case for each that an arrival resembles, and notices.

Arrivals are references that were just enrolled, and people seen in clips that were searched.

Notices are written with what they tell of, and kept until they arrive. An attempt counts as failed
until it is said to have arrived: whoever claims a notice puts off its next attempt first, so that a
crash or a second server repeats none at once.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection, delete, func, insert, select, update

from likeness.errors import KeyUnusable, required
from likeness.notify import Webhook
from likeness.review.apart import told_apart_from
from likeness.review.case import Case, Found, Owed, Search
from likeness.review.cases import find_case, open_case
from likeness.review.faces import ClipFace, sighting_ids_of
from likeness.review.tables import OUTBOX
from likeness.review.watches import (
    Probe,
    Watch,
    live_watches,
    resembling,
    watched_face,
    watched_in,
    webhook_of,
)
from likeness.secrets import Keyring
from likeness.storage import note_damage
from likeness.terms import Calibration, Template

# Of Standard Webhooks: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
_WAITS = tuple(timedelta(seconds=s) for s in (5, 300, 1800)) + tuple(
    timedelta(hours=h) for h in (2, 5, 10, 14, 20, 24)
)
MOST_ATTEMPTS = len(_WAITS)
_MOST_WAITING = 10_000
"""Of one watch: a receiver that is gone for days must not fill the database."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """A reference that was just enrolled."""

    reference_id: UUID
    subject_id: UUID | None
    template: Template


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """A person seen in a clip that was searched, with a picture of their face, a JPEG."""

    clip_face: ClipFace
    template: Template
    crop_jpeg: bytes

    @property
    def subject_id(self) -> None:
        """Nobody's yet."""


def open_watch_cases(
    connection: Connection,
    keyring: Keyring,
    collection_id: UUID,
    arrivals: Sequence[Arrival | Sighting],
    calibration: Calibration,
    *,
    at_least: float,
    as_evened_out: Callable[[Sequence[Probe]], Sequence[Probe]] = lambda probes: probes,
    is_named: Callable[[Template, Arrival | Sighting], bool] = lambda watched, arrival: True,
    owed_of: Callable[[Watch, float], Owed | None],
    use_id: UUID,
    now: datetime,
    expires_at: datetime,
) -> list[Case]:
    """Open a case for each watch and each arrival who resembles it; tell who wants to know.

    A sighting that has its case already, from another run over the clip, gets no other; nor does
    one whom as many people told apart from the face watched for as are owed.

    Args:
        connection: of the act that enrols, or that keeps who was seen, so that no match is lost.
        keyring: the installation's keys.
        collection_id: what they were enrolled into, or what a clip was searched against.
        arrivals: who was enrolled, or seen.
        calibration: what the collection's scores mean.
        at_least: from which similarity on, 0 to 100.
        as_evened_out: gives watched faces as the collection's cohort sees them.
        is_named: whether the strangers of the collection, too, let an arrival be called somebody
            watched for; else the case is opened and nobody is told, since too many are as alike.
        owed_of: what a match of a watch owes, of a similarity; None where it may not match.
        use_id: of the enrolment, or the search.
        now: the time.
        expires_at: when the cases end.

    Raises:
        KeyUnusable: a key is gone.
    """
    watched = as_evened_out(watched_in(connection, keyring, collection_id, now))
    template_of = {one.watch.id: one.template for one in watched}
    opened = []
    for arrival in arrivals:
        alike = resembling(watched, arrival.template, calibration, at_least)
        for watch, similarity in alike:
            owed = owed_of(watch, similarity)
            if owed is None:
                continue
            if isinstance(arrival, Arrival):
                found = Found(arrival.reference_id, arrival.subject_id, similarity)
            else:
                ids = sighting_ids_of(connection, keyring, collection_id, arrival.clip_face)
                if _is_known(connection, keyring, watch, ids, owed, now):
                    continue
                found = Found(None, None, similarity, ids[0], arrival.crop_jpeg)
            case = open_case(
                connection,
                keyring,
                _search(watch, "reference" if found.reference_id else "sighting", found.id),
                owed,
                [found],
                use_id=use_id,
                crop_jpeg=watched_face(connection, keyring, watch),
                now=now,
                expires_at=expires_at,
                watch_id=watch.id,
            )
            if watch.tells and is_named(template_of[watch.id], arrival):
                post_notice(connection, case, now)
            opened.append(case)
    return opened


def _is_known(
    connection: Connection,
    keyring: Keyring,
    watch: Watch,
    sighting_ids: Sequence[UUID],
    owed: Owed,
    now: datetime,
) -> bool:
    """Whether people decide, or have decided, about a sighting and a watch."""
    for sighting_id in sighting_ids:
        if find_case(connection, keyring, _search(watch, "sighting", sighting_id), now):
            return True
    return bool(
        told_apart_from(
            connection,
            keyring,
            watch.collection_id,
            probe=watch.id.bytes,
            candidate_ids=sighting_ids,
            owed=owed.reviews,
        )
    )


def _search(watch: Watch, kind: str, arrival_id: UUID) -> Search:
    """Say what makes another match of a watch the same."""
    return Search(
        watch.principal_id,
        watch.collection_id,
        "Watch",
        watch.purpose,
        ((kind, str(arrival_id)),),
        watch.id.bytes,
    )


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


def post_notice(connection: Connection, case: Case, now: datetime) -> None:
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


def any_notice_due(connection: Connection, now: datetime) -> bool:
    """Say whether there is anything to tell now."""
    return connection.execute(select(OUTBOX.c.id).where(OUTBOX.c.due_at <= now)).first() is not None


def claim_notices(
    connection: Connection, keyring: Keyring, now: datetime, limit: int = 32
) -> Claimed:
    """Take notices that are due; those tried often enough, or that nobody wants, are given up.

    Raises:
        KeyUnusable: a key is gone.
    """
    rows = connection.execute(
        select(OUTBOX).where(OUTBOX.c.due_at <= now).order_by(OUTBOX.c.due_at).limit(limit)
    ).all()
    notices, given_up = [], 0
    live = {watch.id: watch for watch in live_watches(connection, now)} if rows else {}
    for row in rows:
        watch = live.get(row.watch_id)
        try:
            webhook = None if watch is None else webhook_of(connection, keyring, watch)
        except KeyUnusable as error:  # which keeps nobody else from being told
            note_damage(connection, OUTBOX.c.id, row.id, error)
            later = update(OUTBOX).where(OUTBOX.c.id == row.id)
            connection.execute(later.values(due_at=now + _WAITS[-1]))
            continue
        if row.attempts == MOST_ATTEMPTS or webhook is None:
            delete_notice(connection, row.id)
            given_up += 1
            continue
        put_off = {"attempts": row.attempts + 1, "due_at": now + _WAITS[row.attempts]}
        connection.execute(update(OUTBOX).where(OUTBOX.c.id == row.id).values(**put_off))
        notices.append(Notice(row.id, row.watch_id, webhook, row.payload.encode()))
    return Claimed(tuple(notices), given_up)


def delete_notice(connection: Connection, notice_id: UUID) -> None:
    """Keep a notice no longer."""
    connection.execute(delete(OUTBOX).where(OUTBOX.c.id == notice_id))
