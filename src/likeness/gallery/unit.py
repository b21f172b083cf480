"""One transaction in one collection."""

from dataclasses import dataclass

from sqlalchemy import Connection

from likeness.gallery.collections import StoredCollection
from likeness.gallery.seal import Seal


@dataclass(frozen=True, slots=True)
class Unit:
    """A transaction in a collection: its connection, the collection's key, and what it is."""

    connection: Connection
    seal: Seal
    collection: StoredCollection
