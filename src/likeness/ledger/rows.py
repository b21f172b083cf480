"""The ledger's rows: entries, and nodes of their tree, as they are found."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select, type_coerce
from sqlalchemy.types import NullType

from likeness.errors import LedgerBroken
from likeness.ledger.tables import ENTRIES
from likeness.ledger.tree import HASH_BYTES, Node, ReadNodes

_AT_A_TIME = 5_000


def entry_bytes(connection: Connection, position: int) -> bytes | None:
    """Read an entry; None where there is none."""
    return connection.execute(
        select(ENTRIES.c.entry).where(ENTRIES.c.position == position)
    ).scalar_one_or_none()


def every_entry(connection: Connection) -> Iterator[bytes]:
    """Read the bytes of every entry, in order."""
    for _, entry, _, _ in every_row(connection):
        yield entry


def every_row(connection: Connection) -> Iterator[tuple[int, Any, Any, Any]]:
    """Read position, entry, hashes and mark of every row, in order, some thousands at a time."""
    # As they are: SQLite lets others put text where bytes belong, which may be no error here.
    columns = [type_coerce(ENTRIES.c[name], NullType()) for name in ("entry", "hashes", "mark")]
    some = select(ENTRIES.c.position, *columns).order_by(ENTRIES.c.position).limit(_AT_A_TIME)
    rows = connection.execute(some).all()
    while rows:
        for row in rows:
            yield row[0], row[1], row[2], row[3]
        rows = connection.execute(some.where(ENTRIES.c.position > rows[-1][0])).all()


def node_reader(connection: Connection) -> ReadNodes:
    """Give what reads nodes of the tree, all of one call in one query.

    Raises, when it is called:
        LedgerBroken: a row is missing, or is damaged.
    """

    def read(nodes: Sequence[Node]) -> list[bytes]:
        # A complete subtree lies with the last of its leaves.
        places = [((index + 1 << level) - 1, level) for level, index in nodes]
        query = select(ENTRIES.c.position, ENTRIES.c.hashes).where(
            ENTRIES.c.position.in_([position for position, _ in places])
        )
        rows = {row[0]: row[1] for row in connection.execute(query)}
        found = []
        for position, level in places:
            found.append(rows.get(position, b"")[level * HASH_BYTES : (level + 1) * HASH_BYTES])
            if len(found[-1]) != HASH_BYTES:
                raise LedgerBroken(
                    f"Entry {position} of the ledger, or a part of it, is missing. Restore a"
                    " backup; `likeness ledger verify` says more."
                )
        return found

    return read
