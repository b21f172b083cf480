"""The ledger: verify all of it, give its entries and its public key, and sign with another key.

Where the former key is lost, nothing can be recorded before there is a new one. Whoever may not
govern is refused all the same, without an entry. Whoever may is held up by no rule that somebody
chose, and the entry that says so is appended after the new key's, in the same act: so a lost key
never locks anybody out.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from uuid import UUID

from sqlalchemy import Connection, func, select, table

from likeness.errors import InvalidRequest, LedgerBroken, LikenessError, NotFound
from likeness.ledger import (
    Entry,
    NoteKey,
    Outside,
    Position,
    Problem,
    ReceiptId,
    SignedCheckpoint,
    Verification,
    entry_count,
    every_row,
    last_position,
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

_MADE_ON_RECORD = (
    "access_keys",
    "gallery_collections",
    "gallery_erasures",
    "jobs_jobs",
    "review_cases",
    "review_watches",
    "sources_sources",
)
# No engine has rows behind it.
_NO_POSITION = 1 << 63
_TOO_LONG = 20
_RECEIPT, _JOB = re.compile(r"[0-9]+-[\w-]{16}", re.ASCII), re.compile(r"[0-9a-f]{64}")


def verify(
    rows: Rows, against: Sequence[SignedCheckpoint] = (), key: VerifyingKey | None = None
) -> Verification:
    """Verify all entries; see `verify_log`, also for what it raises.

    A ledger without an entry holds by itself. What is made on record has entries, so that one that
    is empty beside it was emptied.
    """
    outside = rows.ledger.outside(against, key)
    return rows.database.read(partial(verify_rows, keyring=rows.keyring, outside=outside))


def verify_rows(connection: Connection, keyring: Keyring, outside: Outside) -> Verification:
    """Verify all entries of a database, as `verify` does."""
    found = verify_log(connection, origin_of(read_identity(connection)), keyring, outside)
    made = 0 if found.size else made_on_record(connection)
    if not found.holds or not made:
        return found
    says = (
        f"the ledger was emptied: each of {made} access keys, collections and other things that"
        " are here has an entry"
    )
    return replace(found, problems=(Problem(says, 0),), entries_hold=False)


def made_on_record(connection: Connection) -> int:
    """Count what has an entry each: keys, collections, certificates, cases, jobs and the like."""
    counts = [
        select(func.count()).select_from(table(name)).scalar_subquery() for name in _MADE_ON_RECORD
    ]
    return sum(connection.execute(select(*counts)).one())


def public_key(rows: Rows) -> NoteKey:
    """Give what others check with, under the ledger's name.

    Raises:
        NotFound: nothing is recorded yet.
    """
    return rows.database.read(_public_key)


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry, where it is in the ledger, and the id of its receipt.

    `written` is empty where what is stored is no entry any more.
    """

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
        return list(_some(connection, max(0, entry_count(connection) - most)))

    return rows.database.read(read)


def entries_before(rows: Rows, before: int | None, most: int) -> list[ShownEntry]:
    """Give a page of entries, the newest first: those before one, or the newest of all."""

    def read(connection: Connection) -> list[ShownEntry]:
        last = last_position(connection)
        if last is None:
            return []
        end = last + 1 if before is None else min(before, last + 1)
        found = islice(_some(connection, max(0, end - most)), most)
        return [one for one in found if one.index < end][::-1]

    return rows.database.read(read)


def entries_about(rows: Rows, which: str) -> list[ShownEntry]:
    """Give the entries of a use or a job, or the entry of a receipt or a number.

    Raises:
        InvalidRequest: it is none of these.
        NotFound: there is none.
    """
    if which.isascii() and which.isdigit() and len(which) < _TOO_LONG:
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


def export(rows: Rows, write: Callable[[bytes], object]) -> tuple[int, list[int]]:
    """Write every entry as a line; say how many there are, and which cannot be read."""
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


def begin_anew(
    rows: Rows, caller: Caller, keep: Callable[[Iterable[bytes]], None]
) -> tuple[Position, str, Verification]:
    """Go on after a loss, from the entries that are here where they hold, else with a new ledger.

    `keep` is given, as lines, what is removed, and has to have it on the disk when it returns.
    Gives where the entry is that says so, the id of its receipt, and what was wrong.

    Raises:
        Conflict: nothing is wrong.
        Denied: who asks may not govern.
        LikenessError: whatever `keep` raises; then nothing was changed.
    """
    found = verify(rows)
    use = caller.use(Action.GOVERN, UNDECLARED)
    hindrance: LikenessError | None = None
    try:
        with rows.record_use(caller, use) as record:
            try:
                position = record.write(
                    lambda connection: rows.ledger.begin_anew(connection, use, keep),
                    lambda _: Outcome(),
                )
            except LikenessError as error:
                hindrance = error
                raise
    except LedgerBroken:  # that it failed cannot be recorded either, which says nothing new
        if hindrance is None:
            raise
        raise hindrance from None
    return position, str(ReceiptId.of(position.index, position.leaf)), found


def _use_id(which: str) -> str:
    try:
        return str(UUID(which))
    except ValueError as error:
        raise InvalidRequest(
            f"Not an entry: {which!r}. Give the id of a receipt, a use or a job, or an entry's"
            " number."
        ) from error


def _entry_at(connection: Connection, index: int) -> list[ShownEntry]:
    if index >= _NO_POSITION:
        return []
    return [one for one in islice(_some(connection, index), 1) if one.index == index]


def _entries_of_uses(connection: Connection, use_ids: Collection[str]) -> list[ShownEntry]:
    return list(_holding(connection, [f'"use":"{one}"'.encode() for one in use_ids]))


def _entries_of_job(connection: Connection, job_id: str) -> list[ShownEntry]:
    """Give what was done about a job: it was admitted, was worked on, ended, and was looked at."""
    use_ids = set()
    for one in _holding(connection, [f'"job_id":"{job_id}"'.encode()]):
        with suppress(LedgerBroken):  # whose use it was, nobody can say
            use_ids.add(str(one.entry.use.id))
    return _entries_of_uses(connection, use_ids)


def _some(connection: Connection, first: int = 0) -> Iterator[ShownEntry]:
    """Read the entries from one on; of rows that hold none, that they are there."""
    for position, entry, _, _ in every_row(connection, first):
        yield _shown(position, entry or b"")


def _holding(connection: Connection, words: Sequence[bytes]) -> Iterator[ShownEntry]:
    """Read the entries that hold any of some words; of all others nothing but the bytes."""
    for position, entry, _, _ in every_row(connection):
        if entry and any(one in entry for one in words):
            yield _shown(position, entry)


def _shown(position: int, written: bytes) -> ShownEntry:
    return ShownEntry(position, str(ReceiptId.of_entry(position, written)), written)


def _public_key(connection: Connection) -> NoteKey:
    key = read_verifying_key(connection)
    if key is None:
        raise NotFound("There is no key: nothing is recorded yet. Use Likeness first.")
    return NoteKey(origin_of(read_identity(connection)), key)


def _export(connection: Connection, write: Callable[[bytes], object]) -> tuple[int, list[int]]:
    exported, unreadable = 0, []
    for one in _some(connection):
        if one.written:
            write(one.written + b"\n")
            exported += 1
        else:
            unreadable.append(one.index)
    return exported, unreadable
