"""Holds the rows of a ledger to how long it is known to have been."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError, ProgrammingError

from likeness.errors import LedgerBroken
from likeness.ledger.anchor import BEGIN_ANEW
from likeness.ledger.head import Head, node_reader, stored_notes
from likeness.ledger.tables import OF_LEDGER
from likeness.ledger.tree import EMPTY_ROOT, consistency_proof, is_consistent

_ROWS_GONE = "its rows are gone. Restore a backup"


@dataclass(frozen=True, slots=True)
class Extent:
    """How long a ledger was, and its root."""

    size: int = 0
    root: bytes = EMPTY_ROOT


@contextmanager
def schema_as_ours() -> Iterator[None]:
    """Say so where a table or a column of the ledger is gone.

    Raises:
        LedgerBroken: it is.
    """
    try:
        yield
    except (ProgrammingError, OperationalError) as error:
        state = getattr(error.orig, "sqlstate", None) or ""
        if "no such" not in str(error.orig) and state not in ("42P01", "42703"):
            raise
        raise LedgerBroken(
            "A table of the ledger, or a column, is gone: the database was changed by others."
            " Restore a backup."
        ) from error


def is_empty(connection: Connection) -> bool:
    """Say whether no table of the ledger has a row."""
    return not any(connection.execute(select(table).limit(1)).first() for table in OF_LEDGER)


def read_note(connection: Connection) -> str | None:
    """Read the signed checkpoint of all entries; None where nothing was ever recorded.

    Raises:
        LedgerBroken: it is missing, and rows say that it was there.
    """
    notes = dict(stored_notes(connection))
    if 1 not in notes and is_empty(connection):
        return None
    note = notes.get(1)
    if note is None:
        raise LedgerBroken(
            "The ledger's signed head is missing: the database was changed by others. Restore a"
            f" backup; {BEGIN_ANEW}."
        )
    return note


def require_growth(connection: Connection, head: Head, acknowledged: Extent) -> None:
    """Refuse a ledger that does not extend what this program has acknowledged.

    Raises:
        LedgerBroken: it has fewer entries, or others.
    """
    size = head.frontier.size
    require_length(size, acknowledged)
    if acknowledged.size == 0:
        return
    proof = consistency_proof(acknowledged.size, size, node_reader(connection))
    if not is_consistent(acknowledged.size, acknowledged.root, size, head.frontier.root, proof):
        raise LedgerBroken(
            f"Of the {acknowledged.size} entries that were acknowledged some are others: the"
            f" database was replaced or changed. Restore a backup that holds them; {BEGIN_ANEW}."
        )


def require_length(size: int, acknowledged: Extent) -> None:
    """Refuse a ledger that is shorter than what this program has acknowledged."""
    if size < acknowledged.size:
        why = "an older copy took its place. Restore the newer one" if size else _ROWS_GONE
        raise LedgerBroken(
            f"{acknowledged.size} entries were acknowledged and the database has {size}: {why};"
            f" {BEGIN_ANEW}."
        )
