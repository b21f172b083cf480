"""Keys of sources and stream processors: one for each; the installation's key seals them."""

from collections import Counter
from uuid import UUID

from sqlalchemy import Connection, Table, select, update

from likeness.secrets import Key, Keyring, count_by_key
from likeness.sources.tables import PROCESSORS, SOURCES

_KEY_OF = {SOURCES: b"key of source ", PROCESSORS: b"key of stream processor "}


def new_key(keyring: Keyring, row_id: UUID, of: Table = SOURCES) -> tuple[Key, bytes]:
    """Make the key of a source, or of another row that has one, and what to keep of it."""
    return keyring.new_data_key(_KEY_OF[of] + row_id.bytes)


def open_key(keyring: Keyring, row_id: UUID, sealed_key: bytes, of: Table = SOURCES) -> Key:
    """Open the key of a source, or of another row that has one.

    Raises:
        KeyUnusable: the installation's key is gone, or another's.
    """
    return keyring.open_data_key(sealed_key, _KEY_OF[of] + row_id.bytes)


def place_of(source_id: UUID) -> bytes:
    """Say where a source's address belongs, for sealing."""
    return b"address of source " + source_id.bytes


def rewrap_keys(connection: Connection, keyring: Keyring) -> int:
    """Seal with the installation's newest key what an older one seals; say how many that were.

    Raises:
        KeyUnusable: as for `Keyring.rewrap`.
    """
    rewrapped = 0
    for table, key_of in _KEY_OF.items():
        for row in connection.execute(select(table.c.id, table.c.sealed_key)).all():
            sealed_key = keyring.rewrap(row.sealed_key, key_of + row.id.bytes)
            if sealed_key != row.sealed_key:
                chosen = update(table).where(table.c.id == row.id)
                connection.execute(chosen.values(sealed_key=sealed_key))
                rewrapped += 1
    return rewrapped


def counts_by_key(connection: Connection) -> Counter[str]:
    """Count the keys of all these rows by the id of the installation's key that seals them."""
    return count_by_key(
        sealed
        for table in _KEY_OF
        for sealed in connection.execute(select(table.c.sealed_key)).scalars()
    )
