"""The ledger's rows as they are found, and its signed head, to which they are held before use."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, type_coerce
from sqlalchemy.types import NullType

from likeness.errors import InvalidRequest, LedgerBroken
from likeness.ledger.entry import read_entry
from likeness.ledger.keys import read_verifying_key
from likeness.ledger.proofs import SignedCheckpoint, read_checkpoint
from likeness.ledger.tables import ENTRIES
from likeness.ledger.tree import (
    HASH_BYTES,
    Frontier,
    Node,
    ReadNodes,
    leaf_hash,
    read_frontier,
)

_AT_A_TIME = 5_000


def entry_bytes(connection: Connection, position: int) -> bytes | None:
    """Read an entry; None where there is none."""
    return connection.execute(
        select(ENTRIES.c.entry).where(ENTRIES.c.position == position)
    ).scalar_one_or_none()


def entry_count(connection: Connection) -> int:
    """Say how many entries there are."""
    return connection.execute(select(func.count()).select_from(ENTRIES)).scalar_one()


def every_entry(connection: Connection, first: int = 0) -> Iterator[bytes]:
    """Read the bytes of every entry from one on, in order."""
    for _, entry, _, _ in every_row(connection, first):
        yield entry


def every_row(connection: Connection, first: int = 0) -> Iterator[tuple[int, Any, Any, Any]]:
    """Read position, entry, hashes and mark of every row, in order, some thousands at a time."""
    # As they are: SQLite lets others put text where bytes belong, which may be no error here.
    columns = [type_coerce(ENTRIES.c[name], NullType()) for name in ("entry", "hashes", "mark")]
    some = select(ENTRIES.c.position, *columns).order_by(ENTRIES.c.position).limit(_AT_A_TIME)
    rows = connection.execute(some.where(ENTRIES.c.position >= first)).all()
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


@dataclass(frozen=True, slots=True)
class Head:
    """The ledger as of one signed checkpoint: all that is needed to append to it.

    `at` is the time of the last entry, `public_key` what the checkpoint was signed by.
    """

    note: str
    frontier: Frontier
    at: datetime
    public_key: bytes


def checkpoint_of(note: str | None) -> SignedCheckpoint | None:
    """Read the head's checkpoint; None where there is none, or it was damaged."""
    try:
        return None if note is None else read_checkpoint(note)
    except (InvalidRequest, TypeError):  # SQLite may hold bytes where text belongs
        return None


def read_head(connection: Connection, note: str, origin: str) -> Head:
    """Read what a head stands for, and hold the rows to it.

    Raises:
        LedgerBroken: the ledger's key did not sign it, or the rows are others.
    """
    key = read_verifying_key(connection)
    signed = checkpoint_of(note)
    if (
        key is None
        or signed is None
        or signed.checkpoint.origin != origin
        or not signed.is_signed_by(key)
    ):
        raise LedgerBroken(
            "The head of the ledger is not signed by its key: the database was changed by others."
            " Restore a backup; `likeness ledger verify` says more."
        )
    size, root = signed.checkpoint.size, signed.checkpoint.root
    last = entry_bytes(connection, size - 1)
    frontier = read_frontier(size - 1, node_reader(connection))
    if last is not None:
        frontier, _ = frontier.appended(leaf_hash(last))
    if last is None or frontier.root != root:
        raise LedgerBroken(
            f"The {size} entries do not have the root that was signed: the database was changed by"
            " others. Restore a backup; `likeness ledger verify` names the entry."
        )
    return Head(note, frontier, read_entry(last).at, key.raw)
