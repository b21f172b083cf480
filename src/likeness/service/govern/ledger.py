"""The ledger: verify all of it, give its entries and its public key, and sign with another key.

Where the former key is lost, nothing can be recorded before there is a new one. Whoever may not
govern is refused all the same, without an entry. Whoever may is held up by no rule that somebody
chose, and the entry that says so is appended after the new key's, in the same act: so a lost key
never locks anybody out.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection

from likeness.access import keys
from likeness.errors import NotFound
from likeness.gallery import counts_by_key
from likeness.ledger import (
    NoteKey,
    Position,
    Problem,
    SignedCheckpoint,
    Verification,
    every_entry,
    open_marks,
    origin_of,
    read_verifying_key,
    verify_log,
)
from likeness.secrets import Keyring, VerifyingKey
from likeness.service.uses import Caller, Outcome, Rows
from likeness.storage import read_identity
from likeness.terms import UNDECLARED, Action


def verify(
    rows: Rows, against: Sequence[SignedCheckpoint] = (), key: VerifyingKey | None = None
) -> Verification:
    """Verify all entries; see `verify_log`, also for what it raises.

    A ledger without an entry holds by itself. Access keys and collections have entries, so that one
    that is empty beside them was emptied.
    """
    return rows.database.read(partial(_verify, keyring=rows.keyring, against=against, key=key))


def public_key(rows: Rows) -> NoteKey:
    """Give what others check with, under the ledger's name.

    Raises:
        NotFound: nothing is recorded yet.
    """
    return rows.database.read(_public_key)


def export(rows: Rows, write: Callable[[bytes], object]) -> int:
    """Write every entry as a line; say how many there are."""
    return rows.database.read(partial(_export, write=write))


def new_key(rows: Rows, caller: Caller) -> tuple[Position, str]:
    """Make a key, which the former one endorses unless it is lost.

    Gives where its entry is, and the id of that entry's receipt.

    Raises:
        Denied: who asks may not govern.
        LedgerBroken: the same where the former key is lost; or the ledger is not as it was signed.
    """
    use = caller.use(Action.GOVERN, UNDECLARED)
    with rows.record_use(caller, use) as record:
        position = record.write(
            lambda connection: rows.ledger.new_key(connection, use), lambda _: Outcome()
        )
    return position, rows.ledger.receipt_id(position)


def _verify(
    connection: Connection,
    keyring: Keyring,
    against: Sequence[SignedCheckpoint],
    key: VerifyingKey | None,
) -> Verification:
    origin = origin_of(read_identity(connection))
    marks = open_marks(connection, keyring)
    found = verify_log(connection, origin, marks, against=against, key=key)
    recorded = len(keys.every(connection)) + counts_by_key(connection).total()
    if not found.holds or found.size or not recorded:
        return found
    says = (
        f"the ledger was emptied: each of the {recorded} access keys and collections that there are"
        " has an entry"
    )
    return replace(found, problem=Problem(says, 0))


def _public_key(connection: Connection) -> NoteKey:
    key = read_verifying_key(connection)
    if key is None:
        raise NotFound("There is no key: nothing is recorded yet. Use Likeness first.")
    return NoteKey(origin_of(read_identity(connection)), key)


def _export(connection: Connection, write: Callable[[bytes], object]) -> int:
    exported = 0
    for entry in every_entry(connection):
        write(entry + b"\n")
        exported += 1
    return exported
