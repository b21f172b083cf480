"""The ledger: appends entries, gives receipts, and forgets people.

What holds:

1. An entry is appended in the caller's own act: it is there if and only if the act is.
2. The rows decide what is appended to, since another program may have written, or an act before
   this one been undone. What is kept in memory counts only for the very head it was made with.
3. With every entry the head is signed, and only if it extends the head that was signed before:
   the signature of that one is checked, and its root is computed from what is appended to.
4. A database that went back to an older copy while this program runs is noticed: it has fewer
   entries than were acknowledged here, or others.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from likeness.errors import InvalidRequest, LedgerBroken, NotFound
from likeness.ledger.entry import Entry, Event, Kind, Rules
from likeness.ledger.head import Head, entry_bytes, node_reader, read_head
from likeness.ledger.keys import (
    LedgerKey,
    commit_ids,
    commit_statement,
    commit_words,
    destroy_subject_keys,
    endorse,
    open_key,
    read_verifying_key,
    replace_key,
)
from likeness.ledger.proofs import (
    Checkpoint,
    Growth,
    Receipt,
    ReceiptId,
    read_checkpoint,
    read_receipt_id,
)
from likeness.ledger.tables import ENTRIES, HEAD
from likeness.ledger.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    root_by_inclusion,
)
from likeness.secrets import Keyring, VerifyingKey
from likeness.storage import Database, DatabaseIdentity, read_identity
from likeness.terms import Action, Principal, Role, Use

_ITSELF = Principal("local:likeness", Role.ADMIN)
# Made once: every use comes here.
_NOTE = select(HEAD.c.note).where(HEAD.c.id == 1)
_INSERT = insert(ENTRIES)
_INSERT_HEAD = insert(HEAD).values(id=1)
_UPDATE_HEAD = update(HEAD)
_DSSE = b"DSSEv1 "
_NOTHING = Head("", Frontier(), datetime(1970, 1, 1, tzinfo=UTC), b"")


def origin_of(identity: DatabaseIdentity) -> str:
    """Say how the ledger of a database is named in its checkpoints."""
    return f"likeness/{identity.id}"


@dataclass(frozen=True, slots=True)
class Position:
    """Where an entry was appended, and the root of the tree that ends with it."""

    index: int
    leaf: bytes
    root: bytes


@dataclass(frozen=True, slots=True)
class _Extent:
    """How long a ledger was, and its root."""

    size: int = 0
    root: bytes = EMPTY_ROOT


class Ledger:
    """The ledger of an installation; safe to use from many threads."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take a database that has its schema, and the keyring that seals the signing key."""
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._origin = origin_of(database.read(read_identity))
        self._key: LedgerKey | None = None
        self._head = _NOTHING
        self._lock = threading.Lock()
        self._acknowledged = _Extent()

    def append(self, connection: Connection, event: Event) -> Position:
        """Append an event, inside an act of `Database.write`.

        Raises:
            LedgerBroken: the ledger is not as it was signed, or its key is lost: the act must not
                be done.
            InvalidRequest: a text is not fit for an entry.
        """
        head = self._head_to_extend(connection)
        key = self._key
        if key is None or key.public_key != head.public_key:
            key = self._key = open_key(connection, self._keyring, self._origin)
        return self._append(connection, key, head, event)

    def receipt_id(self, position: Position) -> str:
        """Name an entry's receipt, once its act is committed, and never before."""
        self._acknowledge(_Extent(position.index + 1, position.root))
        return str(ReceiptId.of(position.index, position.leaf))

    def receipt(self, receipt_id: str) -> Receipt:
        """Make the receipt that proves an entry to anybody who has the public key.

        Raises:
            InvalidRequest: it is no receipt's id.
            NotFound: there is no such entry here.
            LedgerBroken: the ledger is not as it was signed.
        """
        wanted = read_receipt_id(receipt_id)
        return self._database.read(lambda connection: self._receipt(connection, wanted))

    def checkpoint(self) -> str:
        """Give the signed head, if the ledger only grew since this program last looked.

        Raises:
            NotFound: nothing was recorded yet.
            LedgerBroken: the ledger is not as it was signed.
        """
        return self._database.read(self._checked_head).note

    def growth(self, old: str) -> Growth:
        """Prove that the ledger only grew since a signed checkpoint.

        Raises:
            InvalidRequest: it is none, or of another ledger.
            NotFound: nothing was recorded yet.
            LedgerBroken: the ledger did not grow from it, or is not as it was signed.
        """
        former = read_checkpoint(old).checkpoint
        if former.origin != self._origin:
            raise InvalidRequest(
                f"The checkpoint is of another ledger, {former.origin!r}. Give one of"
                f" {self._origin}."
            )

        return self._database.read(partial(self._growth, old=old, former=former))

    def forget(self, connection: Connection, ids: Sequence[UUID]) -> int:
        """Destroy what ties entries to subjects and references, in the act that erases them.

        The entry of the erasure has to be appended before; `FORGOTTEN_FROM` is to be scrubbed.
        """
        return destroy_subject_keys(connection, ids)

    def new_key(self, connection: Connection, use: Use) -> Position:
        """Go on with a new signing key, in an act; the former one endorses it, where it opens.

        Raises:
            LedgerBroken: the ledger is not as it was signed.
        """
        head = self._head_to_extend(connection)
        try:
            former = open_key(connection, self._keyring, self._origin)
        except LedgerBroken:  # lost: that is what a new key is for
            former = None
        return self._replace_key(connection, head, use, former)

    def sign(self, connection: Connection, message: bytes) -> tuple[VerifyingKey, bytes]:
        """Sign what is no checkpoint with the ledger's key, in the act whose entry says so.

        Only what begins as DSSE's encoding does: no note of the ledger's, nor an endorsement of a
        key, can be had so.

        Raises:
            LedgerBroken: the ledger is not as it was signed, or its key is lost.
            ValueError: the message begins otherwise.
        """
        if not message.startswith(_DSSE):
            raise ValueError("Not DSSE's pre-authentication encoding. Sign nothing else.")
        self._head_to_extend(connection)  # a ledger that has not begun has no key
        signing = open_key(connection, self._keyring, self._origin).signing
        return signing.verifying_key, signing.sign(message)

    def _head_to_extend(self, connection: Connection) -> Head:
        """Read what to append to; a ledger that has not begun begins."""
        note = _read_note(connection)
        if note is None:
            _require_length(0, self._acknowledged)
            use = Use(_ITSELF, Action.GOVERN, "ledger.begin")
            self._replace_key(connection, _NOTHING, use, None)
        elif self._head is _NOTHING or self._head.note != note:
            head = read_head(connection, note, self._origin)
            _require_growth(connection, head, self._acknowledged)
            self._head = head
        else:
            _require_length(self._head.frontier.size, self._acknowledged)
        return self._head

    def _append(self, connection: Connection, key: LedgerKey, head: Head, event: Event) -> Position:
        written, at = self._entry(connection, key, head, event)
        leaf = leaf_hash(written)
        index = head.frontier.size
        frontier, hashes = head.frontier.appended(leaf)
        note = key.notes.sign(Checkpoint(self._origin, frontier.size, frontier.root).text)
        row = {
            "position": index,
            "entry": written,
            "hashes": b"".join(hashes),
            "mark": key.marks.of(index, leaf),
        }
        try:
            connection.execute(_INSERT, row)
        except IntegrityError:
            raise LedgerBroken(
                f"There are more than the {index} entries that the signed head says: the database"
                " was changed by others. `likeness ledger verify` names the first added."
            ) from None
        connection.execute(_UPDATE_HEAD if index else _INSERT_HEAD, {"note": note})
        self._head = Head(note, frontier, at, key.public_key)
        return Position(index, leaf, frontier.root)

    def _entry(
        self, connection: Connection, key: LedgerKey, head: Head, event: Event
    ) -> tuple[bytes, datetime]:
        """Write an entry, and say its time; whom it is about becomes commitments."""
        use, clock = event.use, self._clock().astimezone(UTC)
        at = max(clock, head.at)
        about = [*event.subject_ids, *event.reference_ids]
        committed = commit_ids(connection, key.secret, use.id, about)
        subject_count = len(event.subject_ids)
        entry = Entry(
            at,
            event.kind,
            replace(
                use,
                case=commit_words(key.secret, "case", use.case),
                warrant=commit_words(key.secret, "warrant", use.warrant),
                live_search=commit_statement(key.secret, use.live_search),
            ),
            None if event.decision is None else Rules.of(event.decision),
            event.counts,
            event.ids,
            committed[:subject_count],
            committed[subject_count:],
            {**event.details, **({"replayed": "yes"} if use.replayed else {})},
            clock=clock if clock < at else None,
        )
        return entry.to_bytes(), at

    def _replace_key(
        self, connection: Connection, head: Head, use: Use, former: LedgerKey | None
    ) -> Position:
        key, secret_kept = replace_key(connection, self._keyring, self._origin, head.frontier.size)
        details = {"key": key.public_key.hex()}
        if head is not _NOTHING:
            details["replaces"] = head.public_key.hex()
            details["commitments"] = "kept" if secret_kept else "lost"
        if former is not None:
            details["endorsement"] = endorse(former.signing, self._origin, key.public_key)
        position = self._append(connection, key, head, Event(Kind.KEY, use, details=details))
        self._key = key
        return position

    def _growth(self, connection: Connection, old: str, former: Checkpoint) -> Growth:
        head = self._checked_head(connection)
        size, root = head.frontier.size, head.frontier.root
        proof: list[bytes] = []
        if 0 < former.size <= size:
            proof = consistency_proof(former.size, size, node_reader(connection))
        if not is_consistent(former.size, former.root, size, root, proof):
            raise LedgerBroken(
                f"The ledger of {size} entries did not grow from the checkpoint of {former.size}:"
                " it was cut, or written anew. `likeness ledger verify --against` says more."
            )
        return Growth(old, head.note, tuple(proof))

    def _receipt(self, connection: Connection, wanted: ReceiptId) -> Receipt:
        head = self._checked_head(connection)
        size = head.frontier.size
        entry = entry_bytes(connection, wanted.index)
        if entry is None or ReceiptId.of(wanted.index, leaf_hash(entry)) != wanted:
            raise NotFound(
                f"No entry of receipt {wanted} in this ledger of {size}: the receipt is of another"
                " ledger, or this one was cut or changed. `likeness ledger verify` looks into it."
            )
        proof = inclusion_proof(wanted.index, size, node_reader(connection))
        if root_by_inclusion(leaf_hash(entry), wanted.index, size, proof) != head.frontier.root:
            raise LedgerBroken(
                f"Entry {wanted.index} does not lead to the signed root: the database was changed"
                " by others. `likeness ledger verify` names the entry."
            )
        return Receipt(entry, wanted.index, tuple(proof), head.note)

    def _checked_head(self, connection: Connection) -> Head:
        # Before the first row is read: what is acknowledged meanwhile may not be seen here.
        acknowledged = self._acknowledged
        note = _read_note(connection)
        if note is None:
            _require_length(0, acknowledged)
            raise NotFound(
                "The ledger has no entries: nothing is recorded yet. Use Likeness first."
            )
        head = read_head(connection, note, self._origin)
        _require_growth(connection, head, acknowledged)
        self._acknowledge(_Extent(head.frontier.size, head.frontier.root))
        return head

    def _acknowledge(self, extent: _Extent) -> None:
        """Remember how long the ledger has to be from now on."""
        with self._lock:
            if extent.size > self._acknowledged.size:
                self._acknowledged = extent


def _read_note(connection: Connection) -> str | None:
    """Read the signed checkpoint of all entries; None where nothing was ever recorded.

    Raises:
        LedgerBroken: it is missing, and rows say that it was there.
    """
    note = connection.execute(_NOTE).scalar_one_or_none()
    if note is None and (
        read_verifying_key(connection) is not None
        or connection.execute(select(ENTRIES.c.position).limit(1)).first() is not None
    ):
        raise LedgerBroken(
            "The ledger's signed head is missing: the database was changed by others. Restore a"
            " backup."
        )
    return note


def _require_growth(connection: Connection, head: Head, acknowledged: _Extent) -> None:
    """Refuse a ledger that does not extend what this program has acknowledged.

    Raises:
        LedgerBroken: it has fewer entries, or others.
    """
    size = head.frontier.size
    _require_length(size, acknowledged)
    if acknowledged.size == 0:
        return
    proof = consistency_proof(acknowledged.size, size, node_reader(connection))
    if not is_consistent(acknowledged.size, acknowledged.root, size, head.frontier.root, proof):
        raise LedgerBroken(
            f"Of the {acknowledged.size} entries that were acknowledged some are others: the"
            " database was replaced or changed. Restore a backup that holds them."
        )


def _require_length(size: int, acknowledged: _Extent) -> None:
    """Refuse a ledger that is shorter than what this program has acknowledged."""
    if size < acknowledged.size:
        raise LedgerBroken(
            f"{acknowledged.size} entries were acknowledged and the database has {size}: an older"
            " copy took its place. Restore the newer one."
        )
