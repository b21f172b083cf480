"""The ledger: verify all of it, give its entries and its public key, and sign with another key.

Where the former key is lost, nothing can be recorded before there is a new one. Whoever may not
govern is refused all the same, without an entry. Whoever may is held up by no rule that somebody
chose, and the entry that says so is appended after the new key's, in the same act: so a lost key
never locks anybody out.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from uuid import UUID

from sqlalchemy import Connection

from likeness.access import keys
from likeness.errors import InvalidRequest, NotFound
from likeness.gallery import counts_by_key
from likeness.ledger import (
    Entry,
    NoteKey,
    Position,
    Problem,
    ReceiptId,
    SignedCheckpoint,
    Verification,
    entry_count,
    every_entry,
    open_marks,
    origin_of,
    read_entry,
    read_receipt_id,
    read_verifying_key,
    verify_log,
)
from likeness.secrets import Keyring, VerifyingKey
from likeness.service.uses import Caller, Outcome, Rows
from likeness.storage import read_identity
from likeness.terms import UNDECLARED, Action

_RECEIPT, _JOB = re.compile(r"[0-9]+-[\w-]{16}", re.ASCII), re.compile(r"[0-9a-f]{64}")


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


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry, where it is in the ledger, and the id of its receipt."""

    index: int
    receipt_id: str
    written: bytes

    @property
    def entry(self) -> Entry:
        """What it says.

        Raises:
            LedgerBroken: it cannot be read.
        """
        return read_entry(self.written)


def last_entries(rows: Rows, most: int) -> list[ShownEntry]:
    """Give the newest entries, the oldest of them first."""

    def read(connection: Connection) -> list[ShownEntry]:
        first = max(0, entry_count(connection) - most)
        return [_shown(*one) for one in enumerate(every_entry(connection, first), first)]

    return rows.database.read(read)


def entries_about(rows: Rows, which: str) -> list[ShownEntry]:
    """Give the entries of a use or a job, or the entry of a receipt or a number.

    Raises:
        InvalidRequest: it is none of these.
        NotFound: there is none.
        LedgerBroken: an entry cannot be read.
    """
    if which.isascii() and which.isdigit():
        found = rows.database.read(partial(_entry_at, index=int(which)))
    elif _RECEIPT.fullmatch(which):
        receipt_id = read_receipt_id(which)
        found = rows.database.read(partial(_entry_at, index=receipt_id.index))
        found = [one for one in found if one.receipt_id == str(receipt_id)]
    elif _JOB.fullmatch(which):
        found = rows.database.read(partial(_entries_of_job, job_id=which))
    else:
        found = rows.database.read(partial(_entries_of_uses, use_ids={_use_id(which)}))
    if not found:
        raise NotFound(
            f"The ledger has no entry of {which}. `likeness ledger show` shows the newest."
        )
    return found


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


def _use_id(which: str) -> str:
    try:
        return str(UUID(which))
    except ValueError as error:
        raise InvalidRequest(
            f"Not an entry: {which!r}. Give the id of a receipt, a use or a job, or an entry's"
            " number."
        ) from error


def _entry_at(connection: Connection, index: int) -> list[ShownEntry]:
    some = every_entry(connection, index) if index < entry_count(connection) else iter(())
    return [_shown(index, written) for written in islice(some, 1)]


def _entries_of_uses(connection: Connection, use_ids: Collection[str]) -> list[ShownEntry]:
    # A look at the bytes spares most entries from being read.
    names = [f'"use":"{one}"'.encode() for one in use_ids]
    return [
        _shown(index, written)
        for index, written in enumerate(every_entry(connection))
        if any(name in written for name in names)
    ]


def _entries_of_job(connection: Connection, job_id: str) -> list[ShownEntry]:
    """Give what was done about a job: it was admitted, was worked on, ended, and was looked at."""
    name = f'"job_id":"{job_id}"'.encode()
    of_job = [one for one in every_entry(connection) if name in one]
    return _entries_of_uses(connection, {str(read_entry(one).use.id) for one in of_job})


def _shown(index: int, written: bytes) -> ShownEntry:
    return ShownEntry(index, str(ReceiptId.of_entry(index, written)), written)


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
