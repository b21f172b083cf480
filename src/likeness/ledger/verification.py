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

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from likeness.errors import InvalidRequest, KeyUnusable
from likeness.ledger.anchor import Anchor
from likeness.ledger.head import checkpoint_of, stored_notes
from likeness.ledger.keys import KeyRow, Marks, find_secret, key_rows
from likeness.ledger.proofs import SignedCheckpoint
from likeness.ledger.subject_keys import SubjectKeys
from likeness.ledger.tables import ENTRIES, HEAD, KEYS, SUBJECT_KEYS
from likeness.ledger.walk import NewBeginning, Problem, Signer, Walk, Wrong
from likeness.secrets import Keyring, VerifyingKey

# Of one kind of damage so many rows are named.
_TOLD = 5

T = TypeVar("T")


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
    walk = Walk(origin, None if secret is None else Marks(secret), sizes)
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
        except Wrong as wrong:
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


def _check_head(walk: Walk, signed: SignedCheckpoint) -> bool:
    """Hold the head to the rows, where every row agrees with the others."""
    size, root = signed.checkpoint.size, signed.checkpoint.root
    if signed.checkpoint.origin != walk.origin:
        says = f"the head is of another ledger, {signed.checkpoint.origin!r}"
        raise Wrong(says, table=HEAD.name)
    signers = [signer.key for signer in walk.signers if signer.since < size]
    if (signers or walk.signers) and not (signers and signed.is_signed_by(signers[-1])):
        says = "the head is not signed by the key that the entries state"
        raise Wrong(says, table=HEAD.name)
    if walk.tree.size > size:
        raise Wrong("it is beyond the signed head", size)
    if walk.tree.size < size:
        says = f"the signed head says {size} entries and there are {walk.tree.size}"
        raise Wrong(says, walk.tree.size)
    if walk.tree.root != root:
        raise Wrong(
            "the entries are not those that were signed, and every trace of which were changed is"
            " changed too"
        )
    return True


def _wrong_keys(
    rows: Sequence[KeyRow], walk: Walk, keyring: Keyring | None, *, whole: bool
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


def _check_anchor(walk: Walk, anchor: Anchor) -> None:
    """Hold the rows to what this home knows of them."""
    if walk.tree.size == 0:
        raise Wrong(f"the ledger was emptied: this home had one of {anchor.size} entries", 0)
    if anchor.size > walk.tree.size:
        raise Wrong(
            f"this home had a ledger of {anchor.size} entries, and {walk.tree.size} of them are"
            " here: the end was cut off, or an older copy put in place",
            walk.tree.size,
        )
    if walk.roots.get(anchor.size) != anchor.root:
        raise Wrong(
            f"the first {anchor.size} entries are not those that this home has had: the ledger was"
            " written anew"
        )


def _check_outside(
    walk: Walk, against: Sequence[SignedCheckpoint], key: VerifyingKey | None
) -> int:
    """Hold the rows to what was kept elsewhere; say how long the longest checkpoint is."""
    if key is not None:
        since = [place for place, signer in enumerate(walk.signers) if signer.key == key]
        if not since:
            raise Wrong("the key given never signed this ledger")
        for signer in walk.signers[since[-1] + 1 :]:
            if not signer.endorsed:
                raise Wrong(
                    "from it on a key signs that the key given does not vouch for", signer.since
                )
    for one in against:
        size, root = one.checkpoint.size, one.checkpoint.root
        if not any(one.is_signed_by(signer.key) for signer in walk.signers):
            raise Wrong(
                f"the checkpoint of {size} entries is signed by none of this ledger's keys: it is"
                " forged, or the ledger was written anew"
            )
        if size > walk.tree.size:
            raise Wrong(
                f"the checkpoint has {size} entries and the ledger {walk.tree.size}: the end was"
                " cut off, or an older copy put in place",
                walk.tree.size,
            )
        if walk.roots[size] != root:
            raise Wrong(
                f"the first {size} entries are not those of the checkpoint: a holder of the key"
                " wrote some anew"
            )
    return max((one.checkpoint.size for one in against), default=0)
