"""The ledger's rows as they are found, and its signed head, to which they are held before use."""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from likeness.errors import InvalidRequest, LedgerBroken
from likeness.ledger.entry import read_entry
from likeness.ledger.keys import read_verifying_key
from likeness.ledger.proofs import SignedCheckpoint, read_checkpoint
from likeness.ledger.tables import ENTRIES, HEAD
from likeness.ledger.tree import (
    HASH_BYTES,
    Frontier,
    Node,
    ReadNodes,
    leaf_hash,
    read_frontier,
)
from likeness.secrets import VerifyingKey
from likeness.storage import AsStored

_AT_A_TIME = 5_000
_ENTRY, _HASHES = AsStored(ENTRIES.c.entry), AsStored(ENTRIES.c.hashes)
_SOME = (
    select(ENTRIES.c.position, _ENTRY, _HASHES, AsStored(ENTRIES.c.mark))
    .order_by(ENTRIES.c.position)
    .limit(_AT_A_TIME)
)
_NOTES = select(HEAD.c.id, AsStored(HEAD.c.note)).order_by(HEAD.c.id)

StoredRow = tuple[int, bytes | None, bytes | None, bytes | None]
"""Position, entry, hashes and mark; what is no bytes, as SQLite may have it, is None."""


def entry_bytes(connection: Connection, position: int) -> bytes | None:
    """Read an entry; None where there is none, or something else in its place."""
    found: bytes | None = connection.execute(
        select(_ENTRY).where(ENTRIES.c.position == position)
    ).scalar_one_or_none()
    return found


def entry_count(connection: Connection) -> int:
    """Say how many entries there are."""
    return connection.execute(select(func.count()).select_from(ENTRIES)).scalar_one()


def last_position(connection: Connection) -> int | None:
    """Say where the newest entry is; None where there is none. However many there are, at once."""
    found: int | None = connection.execute(select(func.max(ENTRIES.c.position))).scalar_one()
    return found


def every_entry(connection: Connection, first: int = 0) -> Iterator[bytes]:
    """Read the bytes of every entry from one on, in order; what are no bytes becomes none."""
    for row in every_row(connection, first):
        yield row[1] or b""


def every_row(connection: Connection, first: int | None = None) -> Iterator[StoredRow]:
    """Read position, entry, hashes and mark of every row, in order, some thousands at a time."""
    some = _SOME if first is None else _SOME.where(ENTRIES.c.position >= first)
    rows = connection.execute(some).all()
    while rows:
        for row in rows:
            yield row[0], row[1], row[2], row[3]
        rows = connection.execute(_SOME.where(ENTRIES.c.position > rows[-1][0])).all()


def stored_notes(connection: Connection) -> list[tuple[int, str | None]]:
    """Read the rows of the head, of which there is one; None for a note that is no text."""
    return [(row[0], _text_of(row[1])) for row in connection.execute(_NOTES)]


def stored_lines(connection: Connection) -> Iterator[bytes]:
    """Write every row of entries and of the head as a line of JSON, whatever it holds."""
    for position, entry, hashes, mark in every_row(connection):
        yield _line("entry", position, entry=entry, hashes=hashes, mark=mark)
    for number, note in stored_notes(connection):
        yield _line("head", number, note=None if note is None else note.encode())


def _line(kind: str, number: int, **columns: bytes | None) -> bytes:
    encoded = {
        name: None if content is None else base64.b64encode(content).decode()
        for name, content in columns.items()
    }
    return json.dumps({kind: number, **encoded}).encode() + b"\n"


def _text_of(stored: bytes | str | None) -> str | None:
    try:
        return stored.decode() if isinstance(stored, bytes) else stored
    except ValueError:
        return None


def node_reader(connection: Connection) -> ReadNodes:
    """Give what reads nodes of the tree, all of one call in one query.

    Raises, when it is called:
        LedgerBroken: a row is missing, or is damaged.
    """

    def read(nodes: Sequence[Node]) -> list[bytes]:
        # A complete subtree lies with the last of its leaves.
        places = [((index + 1 << level) - 1, level) for level, index in nodes]
        query = select(ENTRIES.c.position, _HASHES).where(
            ENTRIES.c.position.in_([position for position, _ in places])
        )
        rows = {row[0]: row[1] or b"" for row in connection.execute(query)}
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
    except InvalidRequest:
        return None


def read_head(
    connection: Connection, note: str, origin: str, key: VerifyingKey | None = None
) -> Head:
    """Read what a head stands for, and hold the rows to it.

    Args:
        connection: reads from one state of the database.
        note: the head.
        origin: the ledger's name.
        key: what the head is signed by. Default: the key whose row is there.

    Raises:
        LedgerBroken: the ledger's key did not sign it, or the rows are others.
    """
    key = key or read_verifying_key(connection)
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
