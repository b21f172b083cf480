"""Reads every entry once and computes the tree again, up to the first that is not as it must be.

Nothing stored is believed, not even its type: what is computed comes from the entries' bytes.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from likeness.ledger.entry import Kind
from likeness.ledger.head import every_row
from likeness.ledger.keys import Marks, is_endorsed
from likeness.ledger.tables import ENTRIES
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


class Wrong(Exception):
    """Stops a look at the first problem."""

    def __init__(
        self, says: str, entry: int | None = None, table: str | None = ENTRIES.name
    ) -> None:
        self.problem = Problem(says, entry, table)


@dataclass(slots=True)
class Walk:
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
        except Wrong:
            self._look_for_lost_secret(connection)
            if self.marked_otherwise is None:
                raise
        if self.marked_otherwise is not None:
            raise Wrong("it is not what was written", self.marked_otherwise)
        return True

    def _check(
        self, position: int, entry: bytes | None, hashes: bytes | None, mark: bytes | None
    ) -> None:
        expected = self.tree.size
        if position != expected:
            raise Wrong(
                "it is missing" if position > expected else "rows that are none come before it",
                expected,
            )
        if entry is None or hashes is None or mark is None:
            raise Wrong("it is not what was written", position)
        leaf = leaf_hash(entry)
        self.tree, completed = self.tree.appended(leaf)
        marked = self.marks is None or self.marks.of(position, leaf) == mark
        if not marked and self.marked_otherwise is None:
            self.marked_otherwise = position
        if b"".join(completed) != hashes:
            raise Wrong("it or its hashes are not what was written", position)
        if self.tree.size in self.sizes:
            self.roots[self.tree.size] = self.tree.root
        self._check_content(position, entry, marked)

    def _check_content(self, position: int, entry: bytes, marked: bool) -> None:
        # Written in one way only, so what is looked for is found without reading all of it.
        at = _AT.match(entry)
        if at is None:
            raise Wrong("it cannot be read", position)
        if at[1] < self.last_at:  # of one width, so text sorts as time
            raise Wrong("it is earlier than the entry before it", position)
        self.last_at = at[1]
        self.set_back += at[2] is not None
        if _OF_A_KEY in entry:
            try:
                document = json.loads(entry)
                if document["kind"] == Kind.KEY:
                    self._check_key(position, document["details"], marked)
            except (ValueError, KeyError, TypeError, RecursionError):
                raise Wrong("it cannot be read", position) from None
        if not self.signers:
            raise Wrong("it comes before the entry that states the first key", position)

    def _check_key(self, position: int, details: dict[str, str], marked: bool) -> None:
        key = VerifyingKey(bytes.fromhex(details["key"]))
        if len(key.raw) != _KEY_BYTES:
            raise Wrong("the key that it states is none", position)
        endorsed = position == 0
        if self.signers:
            former = self.signers[-1].key
            if details["replaces"] != former.raw.hex():
                raise Wrong("it replaces a key that did not sign", position)
            endorsed = is_endorsed(former, self.origin, key.raw, details.get("endorsement", ""))
        elif position != 0:
            raise Wrong("the first key was stated too late", position)
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
