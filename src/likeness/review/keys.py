"""Keys of what review keeps: one for each collection, which seals those of cases and watches.

The installation's key seals the collection's, so that a new one has few to seal anew; whoever
destroys the collection's destroys its cases, crops and watches with it.
"""

import os
from collections import Counter
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select, update

from likeness.errors import KeyUnusable
from likeness.review.tables import KEYS
from likeness.secrets import Key, Keyring, count_by_key

_KEY_BYTES = 32
# Made once: every search asks.
_ANY_KEPT = select(KEYS.c.collection_id).where(KEYS.c.collection_id == bindparam("collection_id"))


def ensure_key(connection: Connection, keyring: Keyring, collection_id: UUID) -> Key:
    """Give a collection's key; the first time it is made.

    Raises:
        KeyUnusable: the installation's key is gone, or another's.
    """
    known = find_key(connection, keyring, collection_id)
    if known is not None:
        return known
    key, sealed_key = keyring.new_data_key(_context(collection_id))
    connection.execute(insert(KEYS), {"collection_id": collection_id, "sealed_key": sealed_key})
    return key


def is_anything_kept_of(connection: Connection, collection_id: UUID) -> bool:
    """Whether anything was ever kept of a collection."""
    return connection.execute(_ANY_KEPT, {"collection_id": collection_id}).first() is not None


def find_key(connection: Connection, keyring: Keyring, collection_id: UUID) -> Key | None:
    """Give a collection's key; None where nothing was ever kept of the collection.

    Raises:
        KeyUnusable: the installation's key is gone, or another's.
    """
    chosen = select(KEYS.c.sealed_key).where(KEYS.c.collection_id == collection_id)
    sealed_key = connection.execute(chosen).scalar()
    if sealed_key is None:
        return None
    return keyring.open_data_key(sealed_key, _context(collection_id))


def open_key(connection: Connection, keyring: Keyring, collection_id: UUID) -> Key:
    """Give the key of a collection of which something is kept.

    Raises:
        KeyUnusable: it is not there, or the installation's key is gone or another's.
    """
    key = find_key(connection, keyring, collection_id)
    if key is None:
        raise KeyUnusable(
            f"The key that review has for collection {collection_id} is gone. Restore the database"
            " from a backup."
        )
    return key


def new_key_under(key: Key, context: bytes) -> tuple[Key, bytes]:
    """Make a key, and what to keep of it: itself, sealed under another."""
    material = os.urandom(_KEY_BYTES)
    return Key(material), key.seal(material, context)


def rewrap_keys(connection: Connection, keyring: Keyring) -> int:
    """Seal with the installation's newest key what an older one seals; say how many that were.

    Raises:
        KeyUnusable: as for `Keyring.rewrap`.
    """
    rewrapped = 0
    for row in connection.execute(select(KEYS.c.collection_id, KEYS.c.sealed_key)).all():
        sealed_key = keyring.rewrap(row.sealed_key, _context(row.collection_id))
        if sealed_key != row.sealed_key:
            chosen = update(KEYS).where(KEYS.c.collection_id == row.collection_id)
            connection.execute(chosen.values(sealed_key=sealed_key))
            rewrapped += 1
    return rewrapped


def counts_by_key(connection: Connection) -> Counter[str]:
    """Count the collections' keys by the id of the installation's key that seals them."""
    return count_by_key(connection.execute(select(KEYS.c.sealed_key)).scalars())


def _context(collection_id: UUID) -> bytes:
    return b"review key of collection " + collection_id.bytes
