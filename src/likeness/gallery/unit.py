"""One transaction in one collection."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Table, select

from likeness.errors import Conflict, InvalidRequest
from likeness.gallery.collections import StoredCollection
from likeness.gallery.seal import Seal


@dataclass(frozen=True, slots=True)
class Unit:
    """A transaction in a collection: its connection, the collection's key, and what it is."""

    connection: Connection
    seal: Seal
    collection: StoredCollection


def require_free_ids(connection: Connection, table: Table, ids: Sequence[UUID]) -> None:
    """Refuse ids of an export that a table has rows of.

    Raises:
        Conflict: one is taken.
        InvalidRequest: one comes twice.
    """
    taken = connection.execute(select(table.c.id).where(table.c.id.in_(ids))).scalar()
    if taken is not None:
        raise Conflict(
            f"The id {taken} of the export is taken here. Erase the collection that has it, or"
            " leave this one where it is."
        )
    if len(set(ids)) < len(ids):
        raise InvalidRequest("One id is in the export twice. Export it anew.")
