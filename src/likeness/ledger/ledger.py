"""The ledger: appends entries, gives receipts, and forgets people.

What holds:

1. An entry is appended in the caller's own act: it is there if and only if the act is.
2. The rows decide what is appended to, since another program may have written, or an act before
   this one been undone. What is kept in memory counts only for the very head it was made with.
3. With every entry the head is signed, and only if it extends the head that was signed before:
   the signature of that one is checked, and its root is computed from what is appended to.
4. A database that went back to an older copy is noticed: it has fewer entries than were
   acknowledged here, or others. The home's anchor keeps that from one program to the next.
5. A ledger begins by itself only where nothing says that there was one: no anchor of this home, no
   row of its own, and nothing that was made on record. Else it begins anew by an explicit act,
   whose mark stays in its entries.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from sqlalchemy import Connection, delete, insert, update
from sqlalchemy.exc import IntegrityError

from likeness.errors import Conflict, InvalidRequest, LedgerBroken, NotFound
from likeness.ledger.anchor import BEGIN_ANEW, Anchor, AnchorFiles
from likeness.ledger.entry import Entry, Event, Kind, Rules
from likeness.ledger.extent import (
    Extent,
    is_empty,
    read_note,
    require_growth,
    require_length,
    schema_as_ours,
)
from likeness.ledger.head import (
    Head,
    entry_bytes,
    entry_count,
    node_reader,
    read_head,
    stored_lines,
    stored_notes,
)
from likeness.ledger.keys import (
    LedgerKey,
    commit_statement,
    commit_words,
    endorse,
    find_signing_key,
    open_key,
    replace_key,
)
from likeness.ledger.proofs import (
    Checkpoint,
    Growth,
    Receipt,
    ReceiptId,
    SignedCheckpoint,
    read_checkpoint,
    read_receipt_id,
)
from likeness.ledger.subject_keys import Commitments, SubjectKeys
from likeness.ledger.tables import ENTRIES, HEAD
from likeness.ledger.tree import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    root_by_inclusion,
)
from likeness.ledger.verification import Outside, verify_log
from likeness.secrets import Keyring, SigningKey, VerifyingKey
from likeness.storage import Database, DatabaseIdentity, read_identity
from likeness.terms import Action, Principal, Role, Use

_ITSELF = Principal("local:likeness", Role.ADMIN)
# Made once: every use comes here.
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
    """Where an entry was appended, the root of the tree that ends with it, and the signed head.

    `anew` says that its act goes on after a loss: what was known before counts no more.
    """

    index: int
    leaf: bytes
    root: bytes
    note: str
    public_key: bytes
    anew: bool = False


class Ledger:
    """The ledger of an installation; safe to use from many threads."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        anchors: AnchorFiles | None = None,
        made_on_record: Callable[[Connection], int] = lambda connection: 0,
    ) -> None:
        """Take a database that has its schema, and the keyring that seals the signing key.

        `anchors` keep what the home knows of its ledger outside of the database, and
        `made_on_record` counts rows of others, each of which has an entry.
        """
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._anchors = anchors
        self._origin = origin_of(database.read(read_identity))
        self._key: LedgerKey | None = None
        self._head = _NOTHING
        self._lock = threading.Lock()
        self._acknowledged = Extent()
        # Why nothing may be appended, whatever the rows are; None where that is not so.
        self._refusal: str | None = None
        # Whether keys of subjects were counted: an anchor is written only after that.
        self._counted = False
        # Of an act that begins anew, which may still be undone: for that one alone, what was known
        # before counts no more.
        self._begins_anew_in: Connection | None = None
        self._recall(made_on_record)

    def _recall(self, made_on_record: Callable[[Connection], int]) -> None:
        """Recall what this home knows of the ledger, before a row of it is read."""
        try:
            anchor = None if self._anchors is None else self._anchors.find(self._origin)
        except LedgerBroken as error:
            self._refusal = str(error)
            return
        if anchor is not None:
            self._acknowledged = Extent(anchor.size, anchor.root)
            self._counted = True
            return
        with suppress(LedgerBroken), schema_as_ours():  # it is said when it is used
            made = self._database.read(
                lambda connection: made_on_record(connection) if is_empty(connection) else 0
            )
            if made:
                self._refusal = (
                    f"The ledger's rows are gone: there are {made} keys, collections and other"
                    " things that have entries. Restore a backup;"
                    f" {BEGIN_ANEW}."
                )

    def outside(
        self, against: Sequence[SignedCheckpoint] = (), key: VerifyingKey | None = None
    ) -> Outside:
        """Give what is known outside of the database, for a look at all of the ledger.

        Read before the rows are, so that it never says more than they do.
        """
        if self._anchors is None:
            return Outside(against=against, key=key)
        try:
            anchor = self._anchors.find(self._origin)
        except LedgerBroken as error:
            return Outside(against=against, key=key, anchor_problem=str(error).rstrip("."))
        return Outside(against=against, key=key, anchor=anchor)

    def require_whole(self) -> None:
        """Check that what this home knows of the ledger is here; nothing need be recorded yet.

        Raises:
            LedgerBroken: it is gone, an older copy, or not as it was signed.
        """
        with suppress(NotFound):
            self.checkpoint()

    def append(self, connection: Connection, event: Event) -> Position:
        """Append an event, inside an act of `Database.write`.

        Raises:
            LedgerBroken: the ledger is not as it was signed, or its key is lost: the act must not
                be done.
            InvalidRequest: a text is not fit for an entry.
        """
        with schema_as_ours():
            head = self._head_to_extend(connection)
            key = self._key
            if key is None or key.public_key != head.public_key:
                key = self._key = open_key(connection, self._keyring, self._origin)
            return self._append(connection, key, head, event)

    def receipt_id(self, position: Position) -> str:
        """Name an entry's receipt, once its act is committed, and never before."""
        self._counted = True
        extent = Extent(position.index + 1, position.root)
        self._acknowledge(extent, position.note, position.public_key, anew=position.anew)
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

        Raises:
            LedgerBroken: the ledger's secret, or what says which keys there are, does not open.
        """
        return self._subject_keys(connection).destroy(ids)

    def commitments(self, connection: Connection, ids: Sequence[UUID]) -> Commitments:
        """Give what entries say where they are about some subjects or references.

        Raises:
            LedgerBroken: the ledger's secret, or a key of theirs, does not open.
        """
        return self._subject_keys(connection).commitments(ids)

    def new_key(self, connection: Connection, use: Use) -> Position:
        """Go on with a new signing key, in an act; the former one endorses it, where it opens.

        Raises:
            LedgerBroken: the ledger is not as it was signed.
        """
        head = self._head_to_extend(connection)
        return self._replace_key(connection, head, use)

    def begin_anew(
        self, connection: Connection, use: Use, keep: Callable[[Iterable[bytes]], None]
    ) -> Position:
        """Go on after a loss, in an act: from the entries that are here, where they hold.

        Where they do not, a new ledger begins in their place; `keep` is given what is removed, as
        lines, and has to have it on the disk when it returns. The entry that states the new key
        says what was known of the ledger before, and what was wrong.

        Raises:
            Conflict: nothing is wrong.
        """
        found = verify_log(connection, self._origin, self._keyring, self.outside())
        if found.holds and self._refusal is None:
            raise Conflict(
                f"The ledger holds, all {found.size} entries of it. Nothing was changed."
            )
        details = {"begun_anew": "same ledger" if found.entries_hold else "new ledger"}
        if self._anchors is not None:
            details |= _of_former(self._anchors.former(self._origin))
        if found.problems:
            wrong = {problem.table or "anchor" for problem in found.problems}
            details["wrong"] = " ".join(sorted(wrong))
        self._begins_anew_in = connection
        if found.entries_hold:
            note = dict(stored_notes(connection))[1] or ""
            head = read_head(connection, note, self._origin, found.signers[-1].key)
            connection.execute(delete(HEAD).where(HEAD.c.id != 1))
        else:
            details["found_entries"] = str(entry_count(connection))
            keep(stored_lines(connection))
            head = _NOTHING
            connection.execute(delete(ENTRIES))
            connection.execute(delete(HEAD))
        since = found.secret_since if found.entries_hold else 0
        return self._replace_key(connection, head, use, details, since)

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
        begins_anew = self._begins_anew_in is connection
        if self._refusal is not None and not begins_anew:
            raise LedgerBroken(self._refusal)
        acknowledged = Extent() if begins_anew else self._acknowledged
        note = read_note(connection)
        if note is None:
            require_length(0, acknowledged)
            self._replace_key(connection, _NOTHING, Use(_ITSELF, Action.GOVERN, "ledger.begin"))
        elif self._head is _NOTHING or self._head.note != note:
            head = read_head(connection, note, self._origin)
            require_growth(connection, head, acknowledged)
            self._head = head
        else:
            require_length(self._head.frontier.size, acknowledged)
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
        anew = self._begins_anew_in is connection
        return Position(index, leaf, frontier.root, note, key.public_key, anew)

    def _entry(
        self, connection: Connection, key: LedgerKey, head: Head, event: Event
    ) -> tuple[bytes, datetime]:
        """Write an entry, and say its time; whom it is about becomes commitments."""
        use, clock = event.use, self._clock().astimezone(UTC)
        at = max(clock, head.at)
        about = [*event.subject_ids, *event.reference_ids]
        subject_keys = SubjectKeys(connection, key.secret, counted=self._counted)
        if not self._counted:
            subject_keys.ensure_counted()
        committed = subject_keys.commit(use.id, about)
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
        self,
        connection: Connection,
        head: Head,
        use: Use,
        more: Mapping[str, str] | None = None,
        secret_since: int | None = None,
    ) -> Position:
        """Let another key sign from now on; `more` is what the entry says beside that."""
        former: SigningKey | None = None
        if head is not _NOTHING:
            former = find_signing_key(connection, self._keyring, head.public_key)
        key, secret_kept = replace_key(
            connection, self._keyring, self._origin, head.frontier.size, secret_since
        )
        if secret_kept and self._begins_anew_in is connection:
            SubjectKeys(connection, key.secret, counted=True).mend()
        details = {"key": key.public_key.hex(), **(more or {})}
        if head is not _NOTHING:
            details["replaces"] = head.public_key.hex()
            details["commitments"] = "kept" if secret_kept else "lost"
        if former is not None:
            details["endorsement"] = endorse(former, self._origin, key.public_key)
        position = self._append(connection, key, head, Event(Kind.KEY, use, details=details))
        self._key = key
        return position

    def _subject_keys(self, connection: Connection) -> SubjectKeys:
        key = open_key(connection, self._keyring, self._origin)
        return SubjectKeys(connection, key.secret, counted=self._counted)

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
        if self._refusal is not None:
            raise LedgerBroken(self._refusal)
        # Before the first row is read: what is acknowledged meanwhile may not be seen here.
        acknowledged = self._acknowledged
        with schema_as_ours():
            note = read_note(connection)
            if note is None:
                require_length(0, acknowledged)
                raise NotFound(
                    "The ledger has no entries: nothing is recorded yet. Use Likeness first."
                )
            head = read_head(connection, note, self._origin)
            require_growth(connection, head, acknowledged)
        extent = Extent(head.frontier.size, head.frontier.root)
        self._acknowledge(extent, head.note, head.public_key)
        return head

    def _acknowledge(
        self, extent: Extent, note: str, public_key: bytes, *, anew: bool = False
    ) -> None:
        """Remember how long the ledger has to be from now on, here and in the home."""
        with self._lock:
            if anew:
                self._refusal, self._begins_anew_in = None, None
            elif extent.size <= self._acknowledged.size:
                return
            self._acknowledged = extent
        if self._anchors is not None and self._counted:
            self._anchors.keep(self._origin, public_key, note, extent.size, anew=anew)


def _of_former(anchor: Anchor | None) -> dict[str, str]:
    """Say for an entry what a home knew of a ledger."""
    if anchor is None:
        return {}
    return {
        "former_entries": str(anchor.size),
        "former_root": anchor.root.hex(),
        "former_key": anchor.key.raw.hex(),
    }
