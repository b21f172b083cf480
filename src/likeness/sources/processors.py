"""Stream processors as rows: what a live search searches, under a name, to be started and stopped.

AWS calls them so. A row says which job is the last that was started of one; how far that is, the
job says. What is defined is sealed under a key of the processor's own, in its row, which the
installation's key seals.

All are functions over a connection of the caller's act.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from likeness.errors import AlreadyExists, Conflict, LimitReached, NotFound
from likeness.secrets import Key, Keyring
from likeness.sources.keys import new_key, open_key
from likeness.sources.tables import PROCESSORS
from likeness.storage import legible, legible_rows

MOST_PROCESSORS = 1000
"""So many may be defined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorDefinition:
    """What a stream processor searches, and tells.

    `source` and `collection` are names. `video_arn` stands for the source where clients of AWS
    name it, `data_arn` is the Kinesis data stream that is told of every frame. Candidates have a
    similarity of `threshold` at least. `role_arn` is kept for clients' sake.
    """

    source: str
    collection: str
    video_arn: str
    data_arn: str
    threshold: float
    role_arn: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Processor:
    """A stream processor; `job_id` is the live search that was started of it last."""

    id: UUID
    name: str
    defined: ProcessorDefinition
    made_at: datetime
    made_by: str
    changed_at: datetime
    job_id: str | None = None


def add_processor(connection: Connection, keyring: Keyring, processor: Processor) -> Processor:
    """Keep a processor that is new.

    Raises:
        AlreadyExists: there is one of that name.
        LimitReached: there are as many as there may be.
        KeyUnusable: the keys cannot be had any more.
    """
    named = select(PROCESSORS.c.id).where(PROCESSORS.c.name == processor.name)
    if connection.execute(named).first() is not None:
        raise AlreadyExists(
            f"There is a stream processor {processor.name!r} already. Choose another name, or"
            " delete that one."
        )
    counted = select(func.count()).select_from(PROCESSORS)
    if connection.execute(counted).scalar_one() >= MOST_PROCESSORS:
        raise LimitReached(
            f"{MOST_PROCESSORS} stream processors are there, and no more may be. Delete one."
        )
    key, sealed_key = new_key(keyring, processor.id, PROCESSORS)
    connection.execute(
        insert(PROCESSORS),
        {
            "id": processor.id,
            "name": processor.name,
            "made_at": processor.made_at,
            "made_by": processor.made_by,
            "changed_at": processor.changed_at,
            "job_id": processor.job_id,
            "sealed_key": sealed_key,
            "sealed_definition": _seal(key, processor.id, processor.defined),
        },
    )
    return processor


def get_processor(connection: Connection, keyring: Keyring, name: str) -> Processor:
    """Find a processor by its name.

    Raises:
        NotFound: there is none.
        KeyUnusable: a key is gone.
    """
    row = connection.execute(select(PROCESSORS).where(PROCESSORS.c.name == name)).first()
    if row is None:
        raise NotFound(
            f"No such stream processor {name!r}. ListStreamProcessors shows what there is."
        )
    return _as_processor(row, keyring)


def list_processors(connection: Connection, keyring: Keyring) -> list[Processor]:
    """List the processors in the order they were made.

    Damaged ones, or whose key is gone, are left out.
    """
    key, order = PROCESSORS.c.id, (PROCESSORS.c.made_at, PROCESSORS.c.id)
    rows = legible_rows(connection, key, select(PROCESSORS).order_by(*order))
    return legible(connection, key, rows, lambda row: _as_processor(row, keyring))


def note_start(
    connection: Connection, processor: Processor, job_id: str, now: datetime
) -> Processor:
    """Keep which live search was started of a processor as it was read.

    Raises:
        Conflict: it was started, or deleted, since.
    """
    chosen = update(PROCESSORS).where(
        PROCESSORS.c.id == processor.id, PROCESSORS.c.job_id.is_not_distinct_from(processor.job_id)
    )
    if connection.execute(chosen.values(job_id=job_id, changed_at=now)).rowcount != 1:
        raise Conflict(
            f"Somebody started or deleted stream processor {processor.name!r} meanwhile. Look at"
            " it again."
        )
    return replace(processor, job_id=job_id, changed_at=now)


def change_tags(
    connection: Connection, keyring: Keyring, processor: Processor, tags: Mapping[str, str]
) -> None:
    """Give a processor these tags in place of those it had.

    Raises:
        NotFound: it was deleted.
        KeyUnusable: a key is gone.
    """
    chosen = select(PROCESSORS).where(PROCESSORS.c.id == processor.id)
    row = connection.execute(chosen).first()
    if row is None:
        raise NotFound("The stream processor was deleted. ListStreamProcessors shows the others.")
    key = open_key(keyring, row.id, row.sealed_key, PROCESSORS)
    sealed = _seal(key, row.id, replace(_as_processor(row, keyring).defined, tags=tags))
    connection.execute(
        update(PROCESSORS).where(PROCESSORS.c.id == row.id).values(sealed_definition=sealed)
    )


def remove_processor(connection: Connection, processor: Processor) -> None:
    """Delete a processor as it was read, with its key.

    Raises:
        Conflict: it was started, or deleted, since.
    """
    chosen = delete(PROCESSORS).where(
        PROCESSORS.c.id == processor.id, PROCESSORS.c.job_id.is_not_distinct_from(processor.job_id)
    )
    if connection.execute(chosen).rowcount != 1:
        raise Conflict(
            f"Somebody started or deleted stream processor {processor.name!r} meanwhile. Look at"
            " it again."
        )


def _as_processor(row: Row[Any], keyring: Keyring) -> Processor:
    key = open_key(keyring, row.id, row.sealed_key, PROCESSORS)
    content = json.loads(key.unseal(row.sealed_definition, _place(row.id)))
    return Processor(
        row.id,
        row.name,
        ProcessorDefinition(**content),
        row.made_at,
        row.made_by,
        row.changed_at,
        row.job_id,
    )


def _seal(key: Key, processor_id: UUID, defined: ProcessorDefinition) -> bytes:
    content = {
        name: getattr(defined, name) for name in ProcessorDefinition.__dataclass_fields__
    } | {"tags": dict(defined.tags)}
    return key.seal(json.dumps(content).encode(), _place(processor_id))


def _place(processor_id: UUID) -> bytes:
    return b"definition of stream processor " + processor_id.bytes
