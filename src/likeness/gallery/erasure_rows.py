"""Rows of erasures: what each took and has to do still, and the certificate that it ended in."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, insert, literal, select, tuple_, update

from likeness.errors import InvalidRequest, KeyUnusable, NotFound
from likeness.gallery.certificate import Erased, ErasureCertificate, Remainder
from likeness.gallery.stored_collections import StoredCollection
from likeness.gallery.tables import ERASURES
from likeness.storage import AsStored, Identifier, Instant, legible_rows

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure that has begun: its rows are gone."""

    id: UUID
    collection_id: UUID
    # Those that it has vectors of, each with its dimensions.
    models: tuple[tuple[str, int], ...]
    erased: Erased
    begun_at: datetime
    # What was noted of it beside what every erasure does, and leaves.
    done: tuple[str, ...] = ()
    remainders: tuple[Remainder, ...] = ()


def note_for_certificate(
    connection: Connection,
    erasure_id: UUID,
    *,
    done: Sequence[str] = (),
    remainders: Sequence[Remainder] = (),
) -> None:
    """Note for an erasure's certificate what else was done, and what it leaves.

    In the act that begins it.
    """
    if not (done or remainders):
        return
    ours = ERASURES.c.id == erasure_id
    content = json.loads(connection.execute(select(ERASURES.c.content).where(ours)).scalar_one())
    content["done"] = [*content.get("done", ()), *done]
    content["remainders"] = [
        *content.get("remainders", ()),
        *(one.as_json() for one in remainders),
    ]
    connection.execute(update(ERASURES).where(ours).values(content=json.dumps(content)))


@dataclass(frozen=True, slots=True)
class KeptErasure:
    """An erasure as it is kept; `certificate` is None until it is finished.

    Of one that is `damaged`, what was erased is not known.
    """

    id: UUID
    collection_id: UUID
    whole_collection: bool
    subjects: int
    references: int
    begun_at: datetime
    certificate: ErasureCertificate | None
    damaged: bool = False


def damaged_erasure(erasure_id: object) -> KeyUnusable:
    """Say that nobody can tell what an erasure took."""
    return KeyUnusable(
        f"Erasure {erasure_id} in table {ERASURES.name} was changed from outside. Restore its row"
        " from a backup."
    )


def kept_erasures(
    connection: Connection,
    *,
    after: UUID | None = None,
    collection_id: UUID | None = None,
    limit: int,
) -> tuple[list[KeptErasure], bool]:
    """List erasures, the newest first, behind one; of a collection, where one is given.

    Says whether there are more. Rows of which nothing can be read are left out, and others take
    their places.

    Raises:
        NotFound: there is no erasure to begin behind.
    """
    chosen = select(ERASURES)
    if after is not None:
        last = _row(connection, after)
        place = tuple_(ERASURES.c.begun_at, ERASURES.c.id)
        chosen = chosen.where(
            place < tuple_(literal(last.begun_at, Instant), literal(last.id, Identifier))
        )
    if collection_id is not None:
        chosen = chosen.where(ERASURES.c.collection_id == collection_id)
    newest = chosen.order_by(ERASURES.c.begun_at.desc(), ERASURES.c.id.desc())
    stored_ids = newest.with_only_columns(AsStored(ERASURES.c.id))
    found: list[KeptErasure] = []
    read, more = 0, True
    while more and (lacking := limit - len(found)) > 0:
        rows = legible_rows(connection, ERASURES.c.id, newest.offset(read).limit(lacking))
        found += map(_kept_erasure, rows)
        read += lacking
        more = connection.execute(stored_ids.offset(read).limit(1)).first() is not None
    return found, more


def kept_erasure(connection: Connection, erasure_id: UUID) -> KeptErasure:
    """Find an erasure by the id of its certificate.

    Raises:
        NotFound: there is none, or nothing of its row can be read.
    """
    return _kept_erasure(_row(connection, erasure_id))


def _row(connection: Connection, erasure_id: UUID) -> Row[Any]:
    chosen = select(ERASURES).where(ERASURES.c.id == erasure_id)
    for row in legible_rows(connection, ERASURES.c.id, chosen):
        return row
    raise NotFound(
        f"No such certificate {erasure_id}. `likeness collections certificates` lists what this"
        " installation has issued."
    )


def _kept_erasure(row: Row[Any]) -> KeptErasure:
    try:
        erased = _erasure(row).erased
        issued = row.certificate
        certificate = None if issued is None else ErasureCertificate.from_json(json.loads(issued))
    except (InvalidRequest, KeyUnusable, TypeError, ValueError):
        return KeptErasure(row.id, row.collection_id, False, 0, 0, row.begun_at, None, damaged=True)
    return KeptErasure(
        row.id,
        row.collection_id,
        erased.whole_collection,
        erased.subjects,
        erased.references,
        row.begun_at,
        certificate,
    )


def pending(connection: Connection) -> list[Erasure]:
    """List erasures that have begun and are not finished, oldest first."""
    unfinished = select(ERASURES).where(ERASURES.c.certificate.is_(None))
    found = []
    for row in legible_rows(connection, ERASURES.c.id, unfinished.order_by(ERASURES.c.begun_at)):
        try:
            found.append(_erasure(row))
        except KeyUnusable as error:  # it keeps no other from being finished
            _logger.warning("%s", error)
    return found


def note_begun(
    connection: Connection,
    collection: StoredCollection,
    models: tuple[tuple[str, int], ...],
    erased: Erased,
    now: datetime,
) -> Erasure:
    """Keep an erasure that begins, in its act."""
    erasure = Erasure(uuid4(), collection.id, models, erased, now)
    content = {"models": models, "erased": erased.as_json()}
    row = {
        "id": erasure.id,
        "collection_id": collection.id,
        "content": json.dumps(content),
        "begun_at": now,
    }
    connection.execute(insert(ERASURES), row)
    return erasure


def _erasure(row: Row[tuple[Any, ...]]) -> Erasure:
    try:
        content = json.loads(row.content)
        return Erasure(
            row.id,
            row.collection_id,
            tuple((model, dimensions) for model, dimensions in content["models"]),
            Erased.from_json(content["erased"]),
            row.begun_at,
            tuple(content.get("done", ())),
            tuple(map(Remainder.from_json, content.get("remainders", ()))),
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise damaged_erasure(row.id) from error


def noted(connection: Connection, erasure: Erasure) -> Erasure:
    """Read an erasure again: what it does and leaves was noted after it began."""
    row = connection.execute(select(ERASURES).where(ERASURES.c.id == erasure.id)).one()
    return _erasure(row)


def keep_certificate(connection: Connection, certificate: ErasureCertificate) -> ErasureCertificate:
    """Keep a certificate, unless another act just finished the same erasure; give the one kept."""
    ours = ERASURES.c.id == certificate.id
    text, digest = json.dumps(certificate.as_json()), certificate.digest
    first = update(ERASURES).where(ours, ERASURES.c.certificate.is_(None))
    connection.execute(first.values(certificate=text, digest=digest))
    kept = connection.execute(select(ERASURES.c.certificate).where(ours)).scalar_one()
    return ErasureCertificate.from_json(json.loads(kept))
