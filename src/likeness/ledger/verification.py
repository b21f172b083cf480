"""Verifies that the whole ledger is what was signed, and says what that alone cannot tell.

Every entry is read once and everything is computed again: the tree from the entries' bytes, the
order of their times, who signed. Nothing stored is believed, not even its type. What is compared:

1. The signed head: nothing in it can be changed, added or left out without the signing key.
2. The hashes and the mark of each row. They name the entry where the head says only that
   something is wrong; without the ledger's secret nobody makes a mark.
3. The row of the signing key: it is the one that the entries state, alone, and opens; the secret
   is as old as the entries say.
4. The keys of subjects and references: each opens for its id, and their sum says which there are.
5. The anchor that this home keeps outside of the database: the ledger has grown from it.
6. Checkpoints that were kept elsewhere, if any are given: they tell cut off ends, older copies,
   and what a holder of the signing key wrote anew.

What is wrong with one of these hides nothing of the others: each is looked at.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from likeness.errors import InvalidRequest, KeyUnusable
from likeness.ledger.anchor import Anchor
from likeness.ledger.entry import Kind
from likeness.ledger.head import checkpoint_of, every_row, stored_notes
from likeness.ledger.keys import KeyRow, Marks, find_secret, is_endorsed, key_rows
from likeness.ledger.proofs import SignedCheckpoint
from likeness.ledger.subject_keys import SubjectKeys
from likeness.ledger.tables import ENTRIES, HEAD, KEYS, SUBJECT_KEYS
from likeness.ledger.tree import EMPTY_ROOT, Frontier, leaf_hash
from likeness.secrets import Keyring, VerifyingKey

_AT = re.compile(rb'\{"action":"[a-z]+","at":"([-0-9:.T]{26}Z)",(?:"case":"[^"]+",)?("clock")?')
_KEY_BYTES = 32
# Of no other entry, unless a detail is called `kind`.
_OF_A_KEY = b'"kind":"key"'
# Of one kind of damage so many rows are named.
_TOLD = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Signer:
    """A key, the entry from which on it signs, and whether the key before it vouches for it."""

    key: VerifyingKey
    since: int
    endorsed: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and the first entry that is not as it was; None where none can be named.

    `table` says where the rows are that are wrong, None where that is not in the database.
    """

    says: str
    entry: int | None = None
    table: str | None = ENTRIES.name


@dataclass(frozen=True, slots=True)
class NewBeginning:
    """An entry by which somebody went on after a loss, with what it says of that."""

    entry: int
    details: Mapping[str, str]

    @property
    def anew(self) -> bool:
        """Whether nothing of the former ledger is here."""
        return self.entry == 0


class _Wrong(Exception):
    """Stops a look at the first problem."""

    def __init__(
        self, says: str, entry: int | None = None, table: str | None = ENTRIES.name
    ) -> None:
        self.problem = Problem(says, entry, table)


@dataclass(frozen=True, slots=True)
class Verification:
    """What a look at the whole ledger came to.

    `size` and `root` are of the entries up to the first that is wrong, if there is one. `set_back`
    counts entries for which the clock stood behind the entry before. `compared` is the size of the
    longest checkpoint from elsewhere that holds, 0 where none was given. `secret_since` is from
    which entry on marks are made by the secret of today.
    """

    size: int
    root: bytes
    signers: tuple[Signer, ...]
    set_back: int
    compared: int
    key_given: bool
    problems: tuple[Problem, ...]
    beginnings: tuple[NewBeginning, ...] = ()
    entries_hold: bool = True
    secret_since: int = 0

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def problem(self) -> Problem | None:
        """The first thing that is wrong, those of entries before others."""
        return self.problems[0] if self.problems else None

    @property
    def cannot_know(self) -> tuple[str, ...]:
        """What this look could not tell, in words."""
        beyond = (
            f"after entry {self.compared - 1}, the last that the checkpoint from elsewhere covers"
            if self.compared
            else "anywhere, since no checkpoint from elsewhere was given"
        )
        unknown = [
            f"whether entries were cut off, an older copy put in place (with an older anchor of"
            f" this home), or entries written anew by a holder of the signing key, {beyond}",
            "whether older keys of subjects were put back together with their older sum",
        ]
        if not self.key_given:
            unknown.append("whether the key is the ledger's own: it came from the ledger itself")
        return tuple(unknown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What is known of a ledger outside of its database.

    Args:
        against: checkpoints that were kept elsewhere.
        key: a public key that was kept elsewhere; it or one that it vouches for has to have signed.
        anchor: what this home knows, and `anchor_problem` what is wrong with that.
    """

    against: Sequence[SignedCheckpoint] = ()
    key: VerifyingKey | None = None
    anchor: Anchor | None = None
    anchor_problem: str | None = None


def verify_log(
    connection: Connection,
    origin: str,
    keyring: Keyring | None,
    outside: Outside | None = None,
) -> Verification:
    """Verify all entries and what is beside them; memory does not grow with them.

    Args:
        connection: reads from one state of the database.
        origin: the ledger's name.
        keyring: opens the keys; without it they are not looked at, and a changed entry may not be
            named.
        outside: what is known outside of the database.

    Raises:
        InvalidRequest: a checkpoint is of another ledger.
    """
    outside = outside or Outside()
    for one in outside.against:
        if one.checkpoint.origin != origin:
            raise InvalidRequest(
                f"A checkpoint is of another ledger, {one.checkpoint.origin!r}. Give those of"
                f" {origin}."
            )
    looks = _Looks(connection)
    rows = looks.tried(lambda: key_rows(connection), KEYS.name) or []
    secret = None
    if keyring is not None:
        secret = looks.tried(lambda: find_secret(connection, keyring), KEYS.name)
    sizes = {one.checkpoint.size for one in outside.against}
    anchor = outside.anchor
    if anchor is not None:
        sizes.add(anchor.size)
    walk = _Walk(origin, None if secret is None else Marks(secret), sizes)
    notes = dict(looks.tried(lambda: stored_notes(connection), HEAD.name) or [])
    head_there, note = 1 in notes, notes.pop(1, None)
    signed = checkpoint_of(note)
    if signed is not None:
        sizes.add(signed.checkpoint.size)
    read = looks.tried(lambda: walk.through(connection), ENTRIES.name) is not None
    began = bool(not read or walk.tree.size or head_there or rows)
    held = read and not began
    if began:
        if signed is None:
            looks.note("the signed head is missing or damaged", HEAD.name)
        elif read:
            held = looks.tried(lambda: _check_head(walk, signed)) is not None
        for says in _wrong_keys(rows, walk, keyring, whole=read):
            looks.note(says, KEYS.name)
    for number in notes:
        looks.note(f"row {number} does not belong there: the head is one row, 1", HEAD.name)
    if secret is not None:
        keys = SubjectKeys(connection, secret, counted=anchor is not None)
        looks.tried(lambda: looks.note_all(keys.problems()), SUBJECT_KEYS.name)
    compared = 0
    if held:
        compared = looks.tried(lambda: _check_outside(walk, outside.against, outside.key)) or 0
    if outside.anchor_problem is not None:
        looks.note(outside.anchor_problem, None)
    elif anchor is not None and held:
        looks.tried(lambda: _check_anchor(walk, anchor))
    return Verification(
        walk.tree.size,
        walk.tree.root,
        tuple(walk.signers),
        walk.set_back,
        compared,
        outside.key is not None,
        tuple(looks.problems),
        tuple(walk.beginnings),
        held and began,
        walk.secret_since,
    )


@dataclass(slots=True)
class _Looks:
    """Looks at one thing after the other, and keeps what is wrong with each."""

    connection: Connection
    problems: list[Problem] = field(default_factory=list)

    def tried(self, look: Callable[[], T], table: str | None = None) -> T | None:
        """Give what a look gives; None where something is wrong, which is kept."""
        savepoint = self.connection.begin_nested()
        try:
            return look()
        except _Wrong as wrong:
            self.problems.append(wrong.problem)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            self.note("it cannot be read: its schema was changed, or it is damaged", table)
        finally:
            savepoint.rollback()  # after an error PostgreSQL answers nothing more without it
        return None

    def note(self, says: str, table: str | None) -> None:
        """Keep what is wrong, once."""
        problem = Problem(says, None, table)
        if problem not in self.problems:
            self.problems.append(problem)

    def note_all(self, problems: Iterable[tuple[str, str]]) -> None:
        """Keep the first of many problems, and how many there are."""
        counts = Counter[str]()
        for says, table in problems:
            counts[table] += 1
            if counts[table] <= _TOLD:
                self.note(says, table)
        for table, count in counts.items():
            if count > _TOLD:
                self.note(f"{count - _TOLD} more of its rows are wrong", table)


@dataclass(slots=True)
class _Walk:
    """What is known of the entries read so far.

    `secret_since` is the entry from which on marks are made by the secret of today.
    """

    origin: str
    marks: Marks | None
    sizes: set[int]
    tree: Frontier = field(default_factory=Frontier)
    roots: dict[int, bytes] = field(default_factory=lambda: {0: EMPTY_ROOT})
    signers: list[Signer] = field(default_factory=list)
    beginnings: list[NewBeginning] = field(default_factory=list)
    secret_since: int = 0
    set_back: int = 0
    last_at: bytes = b""
    marked_otherwise: int | None = None

    def through(self, connection: Connection) -> bool:
        """Read all entries, up to the first that is not as it must be."""
        try:
            for row in every_row(connection):
                self._check(*row)
        except _Wrong:
            self._look_for_lost_secret(connection)
            if self.marked_otherwise is None:
                raise
        if self.marked_otherwise is not None:
            raise _Wrong("it is not what was written", self.marked_otherwise)
        return True

    def _check(
        self, position: int, entry: bytes | None, hashes: bytes | None, mark: bytes | None
    ) -> None:
        expected = self.tree.size
        if position != expected:
            raise _Wrong(
                "it is missing" if position > expected else "rows that are none come before it",
                expected,
            )
        if entry is None or hashes is None or mark is None:
            raise _Wrong("it is not what was written", position)
        leaf = leaf_hash(entry)
        self.tree, completed = self.tree.appended(leaf)
        marked = self.marks is None or self.marks.of(position, leaf) == mark
        if not marked and self.marked_otherwise is None:
            self.marked_otherwise = position
        if b"".join(completed) != hashes:
            raise _Wrong("it or its hashes are not what was written", position)
        if self.tree.size in self.sizes:
            self.roots[self.tree.size] = self.tree.root
        self._check_content(position, entry, marked)

    def _check_content(self, position: int, entry: bytes, marked: bool) -> None:
        # Written in one way only, so what is looked for is found without reading all of it.
        at = _AT.match(entry)
        if at is None:
            raise _Wrong("it cannot be read", position)
        if at[1] < self.last_at:  # of one width, so text sorts as time
            raise _Wrong("it is earlier than the entry before it", position)
        self.last_at = at[1]
        self.set_back += at[2] is not None
        if _OF_A_KEY in entry:
            try:
                document = json.loads(entry)
                if document["kind"] == Kind.KEY:
                    self._check_key(position, document["details"], marked)
            except (ValueError, KeyError, TypeError, RecursionError):
                raise _Wrong("it cannot be read", position) from None
        if not self.signers:
            raise _Wrong("it comes before the entry that states the first key", position)

    def _check_key(self, position: int, details: dict[str, str], marked: bool) -> None:
        key = VerifyingKey(bytes.fromhex(details["key"]))
        if len(key.raw) != _KEY_BYTES:
            raise _Wrong("the key that it states is none", position)
        endorsed = position == 0
        if self.signers:
            former = self.signers[-1].key
            if details["replaces"] != former.raw.hex():
                raise _Wrong("it replaces a key that did not sign", position)
            endorsed = is_endorsed(former, self.origin, key.raw, details.get("endorsement", ""))
        elif position != 0:
            raise _Wrong("the first key was stated too late", position)
        self.signers.append(Signer(key, position, endorsed))
        if marked and _loses_secret(details):
            # Of marks before, nobody can say any more who made them.
            self.secret_since, self.marked_otherwise = position, None
        if "begun_anew" in details:
            self.beginnings.append(NewBeginning(position, details))

    def _look_for_lost_secret(self, connection: Connection) -> None:
        """Look for an entry, behind where the walk stopped, that says that the secret was lost.

        Marks of entries before it were made with a secret that is gone.
        """
        if self.marks is None:
            return
        for position, entry, _, mark in every_row(connection, self.tree.size):
            if entry is None or _OF_A_KEY not in entry:
                continue
            try:
                document = json.loads(entry)
                lost = document["kind"] == Kind.KEY and _loses_secret(document["details"])
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
            if lost and self.marks.of(position, leaf_hash(entry)) == mark:
                self.secret_since, self.marked_otherwise = position, None


def _loses_secret(details: Mapping[str, str]) -> bool:
    return details.get("commitments") == "lost"


def _check_head(walk: _Walk, signed: SignedCheckpoint) -> bool:
    """Hold the head to the rows, where every row agrees with the others."""
    size, root = signed.checkpoint.size, signed.checkpoint.root
    if signed.checkpoint.origin != walk.origin:
        says = f"the head is of another ledger, {signed.checkpoint.origin!r}"
        raise _Wrong(says, table=HEAD.name)
    signers = [signer.key for signer in walk.signers if signer.since < size]
    if (signers or walk.signers) and not (signers and signed.is_signed_by(signers[-1])):
        says = "the head is not signed by the key that the entries state"
        raise _Wrong(says, table=HEAD.name)
    if walk.tree.size > size:
        raise _Wrong("it is beyond the signed head", size)
    if walk.tree.size < size:
        says = f"the signed head says {size} entries and there are {walk.tree.size}"
        raise _Wrong(says, walk.tree.size)
    if walk.tree.root != root:
        raise _Wrong(
            "the entries are not those that were signed, and every trace of which were changed is"
            " changed too"
        )
    return True


def _wrong_keys(
    rows: Sequence[KeyRow], walk: _Walk, keyring: Keyring | None, *, whole: bool
) -> Iterator[str]:
    """Say what is wrong with the row of the signing key, and with those beside it.

    If the walk did not go through the `whole`, it is not known which key the entries state last.
    """
    own = list(rows)
    if whole:
        signer = walk.signers[-1].key if walk.signers else None
        own = [row for row in rows if signer is not None and row.verifying_key == signer]
    if not own:
        yield "the row of the signing key is not the key that the entries state"
    elif len(own) > 1:
        yield f"it has {len(rows)} rows, and one key signs"
    for row in rows:
        if row not in own:
            yield f"row {row.name} does not belong there: one key signs, and it is another"
    for row in own:
        if row.secret_since != walk.secret_since and (whole or walk.marks is not None):
            yield (
                f"secret_since of row {row.name} is {row.secret_since}, and the entries say"
                f" {walk.secret_since}"
            )
        for what, open_it in (("signing key", row.signing_key), ("secret", row.secret)):
            try:
                if keyring is not None:
                    open_it(keyring)
            except KeyUnusable as error:
                yield f"the {what} of row {row.name} does not open. {str(error).rstrip('.')}"


def _check_anchor(walk: _Walk, anchor: Anchor) -> None:
    """Hold the rows to what this home knows of them."""
    if walk.tree.size == 0:
        raise _Wrong(f"the ledger was emptied: this home had one of {anchor.size} entries", 0)
    if anchor.size > walk.tree.size:
        raise _Wrong(
            f"this home had a ledger of {anchor.size} entries, and {walk.tree.size} of them are"
            " here: the end was cut off, or an older copy put in place",
            walk.tree.size,
        )
    if walk.roots.get(anchor.size) != anchor.root:
        raise _Wrong(
            f"the first {anchor.size} entries are not those that this home has had: the ledger was"
            " written anew"
        )


def _check_outside(
    walk: _Walk, against: Sequence[SignedCheckpoint], key: VerifyingKey | None
) -> int:
    """Hold the rows to what was kept elsewhere; say how long the longest checkpoint is."""
    if key is not None:
        since = [place for place, signer in enumerate(walk.signers) if signer.key == key]
        if not since:
            raise _Wrong("the key given never signed this ledger")
        for signer in walk.signers[since[-1] + 1 :]:
            if not signer.endorsed:
                raise _Wrong(
                    "from it on a key signs that the key given does not vouch for", signer.since
                )
    for one in against:
        size, root = one.checkpoint.size, one.checkpoint.root
        if not any(one.is_signed_by(signer.key) for signer in walk.signers):
            raise _Wrong(
                f"the checkpoint of {size} entries is signed by none of this ledger's keys: it is"
                " forged, or the ledger was written anew"
            )
        if size > walk.tree.size:
            raise _Wrong(
                f"the checkpoint has {size} entries and the ledger {walk.tree.size}: the end was"
                " cut off, or an older copy put in place",
                walk.tree.size,
            )
        if walk.roots[size] != root:
            raise _Wrong(
                f"the first {size} entries are not those of the checkpoint: a holder of the key"
                " wrote some anew"
            )
    return max((one.checkpoint.size for one in against), default=0)
