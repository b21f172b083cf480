"""Sources as rows: registered, found by name, listed, removed.

All are functions over a connection of the caller's act, so that what the ledger says of a source is
committed with it. `address_of` alone gives an address with its user and password.
"""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, insert, select

from likeness.errors import AlreadyExists, LimitReached, NotFound
from likeness.secrets import Keyring
from likeness.sources.keys import new_key, open_key, place_of
from likeness.sources.source import MOST_SOURCES, Source, SourceKind
from likeness.sources.tables import SOURCES
from likeness.storage import legible, legible_rows


def add_source(connection: Connection, keyring: Keyring, source: Source, address: str) -> Source:
    """Register a source; `address` has its user and password, or is a file's path.

    Raises:
        AlreadyExists: there is one of that name.
        LimitReached: as many as there may be are registered.
        KeyUnusable: the keys cannot be had any more.
    """
    named = select(SOURCES.c.id).where(SOURCES.c.name == source.name)
    if connection.execute(named).first() is not None:
        raise AlreadyExists(
            f"There is a source {source.name!r} already. Choose another name, or remove that one:"
            f" `likeness sources remove {source.name}`."
        )
    if connection.execute(select(func.count()).select_from(SOURCES)).scalar_one() >= MOST_SOURCES:
        raise LimitReached(
            f"{MOST_SOURCES} sources are registered, and no more may be. Remove one:"
            " `likeness sources list` shows them."
        )
    key, sealed_key = new_key(keyring, source.id)
    opened = json.dumps([address, source.shown, source.place]).encode()
    connection.execute(
        insert(SOURCES),
        {
            "id": source.id,
            "name": source.name,
            "kind": source.kind,
            "footage": source.footage,
            "added_at": source.added_at,
            "added_by": source.added_by,
            "sealed_key": sealed_key,
            "sealed_address": key.seal(opened, place_of(source.id)),
        },
    )
    return source


def get_source(connection: Connection, keyring: Keyring, name: str) -> Source:
    """Find a source by its name.

    Raises:
        NotFound: there is none.
        KeyUnusable: a key is gone.
    """
    row = connection.execute(select(SOURCES).where(SOURCES.c.name == name)).first()
    if row is None:
        raise _no_such_source(name)
    return _as_source(row, _opened(keyring, row))


def is_registered(connection: Connection, source_id: UUID) -> bool:
    """Say whether a source is still there; one that was registered anew is another."""
    chosen = select(SOURCES.c.id).where(SOURCES.c.id == source_id)
    return connection.execute(chosen).first() is not None


def list_sources(connection: Connection, keyring: Keyring) -> list[Source]:
    """List the sources by name; damaged ones, or whose key is gone, are left out."""
    rows = legible_rows(connection, SOURCES.c.id, select(SOURCES).order_by(SOURCES.c.name))
    return legible(
        connection, SOURCES.c.id, rows, lambda row: _as_source(row, _opened(keyring, row))
    )


def address_of(connection: Connection, keyring: Keyring, source_id: UUID) -> str:
    """Open a source's address with its user and password, or a file's path: not to be shown.

    Raises:
        NotFound: the source is not there any more.
        KeyUnusable: a key is gone.
    """
    row = connection.execute(select(SOURCES).where(SOURCES.c.id == source_id)).first()
    if row is None:
        raise NotFound("The source was removed. `likeness sources list` shows what there is.")
    address: str = _opened(keyring, row)[0]
    return address


def remove_source(connection: Connection, name: str) -> UUID:
    """Remove a source with its key, and give its id.

    No key is needed for it, so that a source whose key is gone can be removed, too.

    Raises:
        NotFound: there is none.
    """
    chosen = select(SOURCES.c.id).where(SOURCES.c.name == name)
    source_id: UUID | None = connection.execute(chosen).scalar()
    if source_id is None:
        raise _no_such_source(name)
    connection.execute(delete(SOURCES).where(SOURCES.c.id == source_id))
    return source_id


def _opened(keyring: Keyring, row: Row[Any]) -> list[Any]:
    key = open_key(keyring, row.id, row.sealed_key)
    opened: list[Any] = json.loads(key.unseal(row.sealed_address, place_of(row.id)))
    return opened


def _as_source(row: Row[Any], opened: list[Any]) -> Source:
    _, shown, place = opened
    return Source(
        row.id,
        row.name,
        SourceKind(row.kind),
        shown,
        row.footage,
        place,
        row.added_at,
        row.added_by,
    )


def _no_such_source(name: str) -> NotFound:
    return NotFound(f"No such source {name!r}. `likeness sources list` shows what there is.")
