"""Keys of sources: one for each; the installation's key seals them."""

from collections import Counter
from uuid import UUID

from sqlalchemy import Connection, select, update

from likeness.secrets import Key, Keyring, key_id_of
from likeness.sources.tables import SOURCES


def new_key(keyring: Keyring, source_id: UUID) -> tuple[Key, bytes]:
    """Make a source's key, and what to keep of it."""
    return keyring.new_data_key(_context(source_id))


def open_key(keyring: Keyring, source_id: UUID, sealed_key: bytes) -> Key:
    """Open the key of a source.

    Raises:
        KeyUnusable: the installation's key is gone, or another's.
    """
    return keyring.open_data_key(sealed_key, _context(source_id))


def place_of(source_id: UUID) -> bytes:
    """Say where a source's address belongs, for sealing."""
    return b"address of source " + source_id.bytes


def rewrap_keys(connection: Connection, keyring: Keyring) -> int:
    """Seal with the installation's newest key what an older one seals; say how many that were.

    Raises:
        KeyUnusable: as for `Keyring.rewrap`.
    """
    rewrapped = 0
    for row in connection.execute(select(SOURCES.c.id, SOURCES.c.sealed_key)).all():
        sealed_key = keyring.rewrap(row.sealed_key, _context(row.id))
        if sealed_key != row.sealed_key:
            chosen = update(SOURCES).where(SOURCES.c.id == row.id)
            connection.execute(chosen.values(sealed_key=sealed_key))
            rewrapped += 1
    return rewrapped


def counts_by_key(connection: Connection) -> Counter[str]:
    """Count the keys of sources by the id of the installation's key that seals them."""
    return Counter(
        key_id_of(one) for one in connection.execute(select(SOURCES.c.sealed_key)).scalars()
    )


def _context(source_id: UUID) -> bytes:
    return b"key of source " + source_id.bytes
