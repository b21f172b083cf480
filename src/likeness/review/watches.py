"""Standing searches: who is looked for in whatever is enrolled later, on stated grounds.

A watch needs a purpose, an authority, stated criteria and an expiry. From its end on it matches
nothing; it is deleted then, with its key.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select

from likeness.errors import InvalidRequest, NotFound, required
from likeness.notify import Webhook, WebhookSecret, read_url
from likeness.review.case import Owed, checked_statement
from likeness.review.keys import ensure_key, find_key, new_key_under, open_key
from likeness.review.tables import OUTBOX, WATCHES
from likeness.secrets import Key, Keyring
from likeness.storage import legible, legible_rows
from likeness.terms import Calibration, CohortStatistics, Principal, Role, Template, compare

LONGEST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Grounds:
    """On what somebody is watched for: whose authority, and by which criteria."""

    authority: str
    criteria: str


@dataclass(frozen=True, slots=True, eq=False)
class NewWatch:
    """Somebody to watch for in a collection; `url` is of a webhook, None where nobody is told.

    Nobody is proposed who is less than `least_similarity` percent alike.
    """

    collection_id: UUID
    keeper: Principal
    purpose: str
    grounds: Grounds
    owed: Owed
    least_similarity: float
    template: Template
    crop_jpeg: bytes
    expires_at: datetime
    url: str | None


@dataclass(frozen=True, slots=True)
class Watch:
    """A standing search, without what it looks for; `tells` is whether it has a webhook."""

    id: UUID
    collection_id: UUID
    principal_id: str
    purpose: str
    reviews: int
    separately: bool
    least_similarity: float
    model: str
    created_at: datetime
    expires_at: datetime
    tells: bool


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """What a watch looks for."""

    watch: Watch
    template: Template


_DECLARED = ("role", "organisation", "sector", "jurisdiction", "purposes")
_KEPT = [name for name in Watch.__dataclass_fields__ if name != "tells"]
_COLUMNS = [
    *(WATCHES.c[name] for name in _KEPT),
    WATCHES.c.sealed_webhook.is_not(None).label("tells"),
]


def begin_watch(
    connection: Connection, keyring: Keyring, new: NewWatch, now: datetime
) -> tuple[Watch, WebhookSecret | None]:
    """Begin a watch; the secret that its webhooks are signed with is given this once.

    Raises:
        InvalidRequest: grounds, expiry or URL are not as they must be.
    """
    checked_statement(new.grounds.authority, "an authority")
    checked_statement(new.grounds.criteria, "criteria")
    checked_statement(new.purpose, "a purpose")
    if not now < new.expires_at <= now + timedelta(LONGEST_DAYS):
        raise InvalidRequest(
            f"The expiry {new.expires_at:%Y-%m-%d} is not within {LONGEST_DAYS} days from now."
            " Choose another; a watch can be added again."
        )
    if new.owed.reviews < 1:
        raise InvalidRequest(
            "Nobody is to review the matches of the watch. Ask for one reviewer at least."
        )
    webhook = None
    if new.url is not None:
        read_url(new.url)
        webhook = Webhook(new.url, WebhookSecret.new())
    under = ensure_key(connection, keyring, new.collection_id)
    watch = Watch(
        uuid4(),
        new.collection_id,
        new.keeper.id,
        new.purpose,
        new.owed.reviews,
        new.owed.separately,
        new.least_similarity,
        new.template.model,
        now,
        new.expires_at,
        webhook is not None,
    )
    key, sealed_key = new_key_under(under, _context(b"key", watch.id))
    row = {field: getattr(watch, field) for field in _KEPT}
    vector = np.ascontiguousarray(new.template.vector, "<f4").tobytes()
    grounds = json.dumps([new.grounds.authority, new.grounds.criteria]).encode()
    keeper = json.dumps([getattr(new.keeper, name) for name in _DECLARED]).encode()
    connection.execute(
        insert(WATCHES),
        {
            **row,
            "cohort_mean": new.template.cohort.mean,
            "cohort_version": new.template.cohort.version,
            "sealed_key": sealed_key,
            "sealed_vector": key.seal(vector, _context(b"vector", watch.id)),
            "sealed_crop": key.seal(new.crop_jpeg, _context(b"crop", watch.id)),
            "sealed_grounds": key.seal(grounds, _context(b"grounds", watch.id)),
            "sealed_keeper": key.seal(keeper, _context(b"keeper", watch.id)),
            "sealed_webhook": None
            if webhook is None
            else key.seal(
                json.dumps([webhook.url, webhook.secret.text]).encode(),
                _context(b"webhook", watch.id),
            ),
        },
    )
    return watch, None if webhook is None else webhook.secret


def live_watches(connection: Connection, now: datetime) -> list[Watch]:
    """List the watches that match what is enrolled now, the oldest first."""
    return _read(connection, WATCHES.c.expires_at > now)


def is_anybody_watched(connection: Connection, collection_id: UUID, now: datetime) -> bool:
    """Say whether anybody is watched for in a collection."""
    chosen = WATCHES.c.collection_id == collection_id, WATCHES.c.expires_at > now
    return connection.execute(select(WATCHES.c.id).where(*chosen)).first() is not None


def get_watch(connection: Connection, watch_id: UUID, now: datetime) -> Watch:
    """Find a watch.

    Raises:
        NotFound: there is none, or it has ended.
    """
    for watch in _read(connection, WATCHES.c.id == watch_id, WATCHES.c.expires_at > now):
        return watch
    raise NotFound(
        f"No such watch {watch_id}, or it has ended. `likeness watch list` shows what there is."
    )


def watched_in(
    connection: Connection, keyring: Keyring, collection_id: UUID, now: datetime
) -> list[Probe]:
    """Open what is watched for in a collection; damaged watches are left out.

    Raises:
        KeyUnusable: the key of all is gone.
    """
    under = find_key(connection, keyring, collection_id)
    if under is None:
        return []
    columns = [WATCHES.c[name] for name in ("id", "sealed_key", "sealed_vector")]
    columns += [WATCHES.c[f"cohort_{name}"] for name in ("mean", "version")]
    chosen = WATCHES.c.collection_id == collection_id, WATCHES.c.expires_at > now
    watched = {watch.id: watch for watch in _read(connection, *chosen)}

    def opened(row: Row[Any]) -> Probe:
        vector = _vector(_key(under, row.id, row.sealed_key), row.id, row.sealed_vector)
        watch = watched[row.id]
        statistics = CohortStatistics(float(row.cohort_mean), row.cohort_version)
        return Probe(watch, Template(vector, watch.model, statistics))

    rows = legible_rows(connection, WATCHES.c.id, select(*columns).where(*chosen))
    return legible(connection, WATCHES.c.id, rows, opened)


def scores_of_watches(
    watched: Sequence[Probe], templates: Sequence[Template]
) -> dict[Watch, float | None]:
    """Say of each watch how alike it is to the most alike of some templates of one person, a score.

    None where none can be compared: it was made with another model or cohort.
    """
    return {
        one.watch: max(
            (
                compare(template, one.template).score
                for template in templates
                if _comparable(one.template, template)
            ),
            default=None,
        )
        for one in watched
    }


def resembling(
    watched: Sequence[Probe], template: Template, calibration: Calibration, at_least: float
) -> list[tuple[Watch, float]]:
    """Say which watches a template resembles, and how much: `at_least` so similar, 0 to 100.

    A watch may demand more. What was made with another model or cohort resembles nothing: with
    another model it has to be added again.
    """
    comparable = [one for one in watched if _comparable(one.template, template)]
    similarities = [
        (one.watch, calibration.similarity(compare(template, one.template).score))
        for one in comparable
    ]
    return [
        (watch, similarity)
        for watch, similarity in similarities
        if similarity >= max(at_least, watch.least_similarity)
    ]


def grounds_of(connection: Connection, keyring: Keyring, watch: Watch) -> Grounds:
    """Open on what somebody is watched for.

    Raises:
        KeyUnusable: a key is gone.
    """
    opened = required(_opened(connection, keyring, watch, "grounds"), "a watch's grounds")
    return Grounds(*json.loads(opened))


def keeper_of(connection: Connection, keyring: Keyring, watch: Watch) -> Principal | None:
    """Open who keeps a watch, as they were when it was admitted; None where that is not known.

    Raises:
        KeyUnusable: a key is gone.
    """
    opened = _opened(connection, keyring, watch, "keeper")
    if opened is None:
        return None
    declared = dict(zip(_DECLARED, json.loads(opened), strict=True))
    role, purposes = Role(declared.pop("role")), tuple(declared.pop("purposes"))
    return Principal(watch.principal_id, role, purposes=purposes, **declared)


def watched_face(connection: Connection, keyring: Keyring, watch: Watch) -> bytes:
    """Open the picture of the face that is watched for, a JPEG.

    Raises:
        KeyUnusable: a key is gone.
    """
    return required(_opened(connection, keyring, watch, "crop"), "a watch's picture")


def webhook_of(connection: Connection, keyring: Keyring, watch: Watch) -> Webhook | None:
    """Open where matches are told; None where nowhere.

    Raises:
        KeyUnusable: a key is gone.
    """
    opened = _opened(connection, keyring, watch, "webhook")
    if opened is None:
        return None
    url, secret = json.loads(opened)
    return Webhook(url, WebhookSecret.from_text(secret))


def delete_watch(connection: Connection, watch: Watch) -> None:
    """Delete a watch with all that it holds, its key too; the cases that it opened stay."""
    _delete(connection, WATCHES.c.id == watch.id)


def expired_watches(connection: Connection, now: datetime) -> list[Watch]:
    """List watches that have expired and were not swept yet."""
    return _read(connection, WATCHES.c.expires_at <= now)


def delete_watches(connection: Connection, collection_id: UUID) -> None:
    """Delete the watches of an erased collection."""
    _delete(connection, WATCHES.c.collection_id == collection_id)


def _comparable(one: Template, other: Template) -> bool:
    return (one.model, one.cohort.version) == (other.model, other.cohort.version)


def _read(connection: Connection, *chosen: ColumnElement[bool]) -> list[Watch]:
    statement = select(*_COLUMNS).where(*chosen).order_by(WATCHES.c.created_at, WATCHES.c.id)
    rows = legible_rows(connection, WATCHES.c.id, statement)
    return [Watch(**row._mapping) for row in rows]


def _opened(connection: Connection, keyring: Keyring, watch: Watch, what: str) -> bytes | None:
    columns = WATCHES.c.sealed_key, WATCHES.c[f"sealed_{what}"].label("sealed")
    row = connection.execute(select(*columns).where(WATCHES.c.id == watch.id)).one()
    if row.sealed is None:
        return None
    under = open_key(connection, keyring, watch.collection_id)
    key = _key(under, watch.id, row.sealed_key)
    return key.unseal(row.sealed, _context(what.encode(), watch.id))


def _delete(connection: Connection, chosen: ColumnElement[bool]) -> None:
    watch_ids = select(WATCHES.c.id).where(chosen)
    connection.execute(delete(OUTBOX).where(OUTBOX.c.watch_id.in_(watch_ids)))
    connection.execute(delete(WATCHES).where(chosen))


def _key(under: Key, watch_id: UUID, sealed_key: bytes) -> Key:
    return Key(under.unseal(sealed_key, _context(b"key", watch_id)))


def _vector(key: Key, watch_id: UUID, sealed: bytes) -> NDArray[np.float32]:
    return np.frombuffer(key.unseal(sealed, _context(b"vector", watch_id)), "<f4")


def _context(what: bytes, watch_id: UUID) -> bytes:
    return what + b" of watch " + watch_id.bytes
