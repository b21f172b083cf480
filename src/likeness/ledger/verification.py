"""Verifies that the whole ledger is what was signed, and says what that alone cannot tell.

Every entry is read once and everything is computed again: the tree from the entries' bytes, the
order of their times, who signed. What is compared with it:

1. The signed head: nothing in it can be changed, added or left out without the signing key.
2. The hashes and the mark of each row. They name the entry where the head says only that
   something is wrong; without the ledger's secret nobody makes a mark.
3. Checkpoints that were kept elsewhere, if any are given: they tell cut off ends, older copies,
   and what a holder of the signing key wrote anew.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from likeness.errors import InvalidRequest
from likeness.ledger.entry import Kind
from likeness.ledger.head import checkpoint_of, every_row
from likeness.ledger.keys import Marks, is_endorsed, read_verifying_key
from likeness.ledger.proofs import SignedCheckpoint
from likeness.ledger.tables import HEAD
from likeness.ledger.tree import EMPTY_ROOT, Frontier, leaf_hash
from likeness.secrets import VerifyingKey

_AT = re.compile(rb'\{"action":"[a-z]+","at":"([-0-9:.T]{26}Z)",(?:"case":"[^"]+",)?("clock")?')
_KEY_BYTES = 32
# Of no other entry, unless a detail is called `kind`.
_OF_A_KEY = b'"kind":"key"'


@dataclass(frozen=True, slots=True)
class Signer:
    """A key, the entry from which on it signs, and whether the key before it vouches for it."""

    key: VerifyingKey
    since: int
    endorsed: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and the first entry that is not as it was; None where none can be named."""

    says: str
    entry: int | None = None


class _Wrong(Exception):
    """Stops a look at the first problem."""

    def __init__(self, says: str, entry: int | None = None) -> None:
        self.problem = Problem(says, entry)


@dataclass(frozen=True, slots=True)
class Verification:
    """What a look at the whole ledger came to.

    `size` and `root` are of the entries up to the problem, if there is one. `set_back` counts
    entries for which the clock stood behind the entry before. `compared` is the size of the longest
    checkpoint from elsewhere that holds, 0 where none was given.
    """

    size: int
    root: bytes
    signers: tuple[Signer, ...]
    set_back: int
    compared: int
    key_given: bool
    problem: Problem | None

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return self.problem is None

    @property
    def cannot_know(self) -> tuple[str, ...]:
        """What this look could not tell, in words."""
        beyond = (
            f"after entry {self.compared - 1}, the last that the checkpoint from elsewhere covers"
            if self.compared
            else "anywhere, since no checkpoint from elsewhere was given"
        )
        unknown = [
            f"whether entries were cut off, an older copy put in place, or entries written anew by"
            f" a holder of the signing key, {beyond}"
        ]
        if not self.key_given:
            unknown.append("whether the key is the ledger's own: it came from the ledger itself")
        return tuple(unknown)


def verify_log(
    connection: Connection,
    origin: str,
    marks: Marks | None,
    *,
    against: Sequence[SignedCheckpoint] = (),
    key: VerifyingKey | None = None,
) -> Verification:
    """Verify all entries; memory does not grow with them.

    Args:
        connection: reads from one state of the database.
        origin: the ledger's name.
        marks: what makes marks; without it a changed entry may not be named.
        against: checkpoints that were kept elsewhere.
        key: a public key that was kept elsewhere; it or one that it vouches for has to have signed.

    Raises:
        InvalidRequest: a checkpoint is of another ledger.
    """
    for one in against:
        if one.checkpoint.origin != origin:
            raise InvalidRequest(
                f"A checkpoint is of another ledger, {one.checkpoint.origin!r}. Give those of"
                f" {origin}."
            )
    walk = _Walk(origin, marks, {one.checkpoint.size for one in against})
    note = connection.execute(select(HEAD.c.note).where(HEAD.c.id == 1)).scalar_one_or_none()
    signed = checkpoint_of(note)
    problem = None
    try:
        walk.through(connection, signed)
        _check_signature(connection, walk, note, signed)
        _check_outside(walk, against, key)
    except _Wrong as wrong:
        problem = wrong.problem
    return Verification(
        walk.tree.size,
        walk.tree.root,
        tuple(walk.signers),
        walk.set_back,
        max((one.checkpoint.size for one in against), default=0) if problem is None else 0,
        key is not None,
        problem,
    )


@dataclass(slots=True)
class _Walk:
    """What is known of the entries read so far."""

    origin: str
    marks: Marks | None
    sizes: set[int]
    tree: Frontier = field(default_factory=Frontier)
    roots: dict[int, bytes] = field(default_factory=lambda: {0: EMPTY_ROOT})
    signers: list[Signer] = field(default_factory=list)
    set_back: int = 0
    last_at: bytes = b""
    marked_otherwise: int | None = None

    def through(self, connection: Connection, signed: SignedCheckpoint | None) -> None:
        """Read all entries, up to the first that is not as it must be."""
        size = signed.checkpoint.size if signed else 0
        try:
            for row in every_row(connection):
                self._check(size, *row)
            if self.tree.size < size:
                raise _Wrong(
                    f"the signed head says {size} entries and there are {self.tree.size}",
                    self.tree.size,
                )
        except _Wrong:
            if self.marked_otherwise is None:
                raise
        if self.marked_otherwise is not None:
            raise _Wrong("it is not what was written", self.marked_otherwise)

    def _check(self, size: int, position: int, entry: bytes, hashes: bytes, mark: bytes) -> None:
        expected = self.tree.size
        if position != expected:
            raise _Wrong(
                "it is missing" if position > expected else "rows that are none come before it",
                expected,
            )
        if position >= size:
            raise _Wrong("it is beyond the signed head", position)
        if {type(entry), type(hashes), type(mark)} != {bytes}:
            raise _Wrong("it is not what was written", position)
        leaf = leaf_hash(entry)
        self.tree, completed = self.tree.appended(leaf)
        if (
            self.marks is not None
            and self.marked_otherwise is None
            and position >= self.marks.since
            and self.marks.of(position, leaf) != mark
        ):
            self.marked_otherwise = position
        if b"".join(completed) != hashes:
            raise _Wrong("it or its hashes are not what was written", position)
        if self.tree.size in self.sizes:
            self.roots[self.tree.size] = self.tree.root
        self._check_content(position, entry)

    def _check_content(self, position: int, entry: bytes) -> None:
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
                    self._check_key(position, document["details"])
            except (ValueError, KeyError, TypeError, RecursionError):
                raise _Wrong("it cannot be read", position) from None
        if not self.signers:
            raise _Wrong("it comes before the entry that states the first key", position)

    def _check_key(self, position: int, details: dict[str, str]) -> None:
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


def _check_signature(
    connection: Connection, walk: _Walk, note: str | None, signed: SignedCheckpoint | None
) -> None:
    """Hold the head to the rows, where every row agrees with the others."""
    if note is None and walk.tree.size == 0 and read_verifying_key(connection) is None:
        return  # nothing was ever recorded
    if signed is None:
        raise _Wrong("the signed head is missing or damaged")
    signer = walk.signers[-1].key if walk.signers else None
    if signed.checkpoint.origin != walk.origin:
        raise _Wrong(f"the head is of another ledger, {signed.checkpoint.origin!r}")
    if signer is None or not signed.is_signed_by(signer):
        raise _Wrong("the head is not signed by the key that the entries state")
    if signed.checkpoint.root != walk.tree.root:
        raise _Wrong(
            "the entries are not those that were signed, and every trace of which were changed is"
            " changed too"
        )
    if read_verifying_key(connection) != signer:
        raise _Wrong("the row of the signing key is not the key that the entries state")


def _check_outside(
    walk: _Walk, against: Sequence[SignedCheckpoint], key: VerifyingKey | None
) -> None:
    """Hold the rows to what was kept elsewhere."""
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
