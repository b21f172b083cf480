"""Keys of subjects and references: with them an entry tells whom it is about, without them nothing.

A commitment is an HMAC of an id and the use's, under a random key of that subject's or reference's
own, which lies in a row, sealed by the ledger's secret and bound to the id. Two entries about one
person have nothing in common that shows. Once the row is deleted, nobody can tell, whatever other
keys they have.

Rows come and go as people do, so one row more says which there are: how many, and the sum of a
keyed digest of each id. It is read, checked and written anew whenever keys are made or destroyed.
"""

import base64
import hmac
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, insert, select

from likeness.errors import KeyUnusable, LedgerBroken
from likeness.ledger.tables import SUBJECT_KEY_SUM, SUBJECT_KEYS
from likeness.secrets import Digester, Key
from likeness.storage import OneOf, select_as_stored
from likeness.terms import in_batches

_KEY_BYTES = 32
_MODULUS = 1 << 256
# SQLite takes 32,766 values in a statement, older ones 999.
_AT_A_TIME = 900
_OF_SOME = OneOf(SUBJECT_KEYS.c.id, lambda some: select(SUBJECT_KEYS).where(some))
_INSERT = insert(SUBJECT_KEYS)
_SUM = select_as_stored(SUBJECT_KEY_SUM).order_by(SUBJECT_KEY_SUM.c.id)
# Some at a time, for there may be millions.
_EVERY = select_as_stored(SUBJECT_KEYS).execution_options(yield_per=5_000)

FORGOTTEN_FROM = (SUBJECT_KEYS,)
"""The tables that `likeness.storage.scrub` is to be told after `Ledger.forget`."""


class SubjectKeys:
    """The keys of subjects and references in one act, opened by the ledger's secret.

    `counted` says whether they were counted before, so that a sum that is missing was deleted.
    """

    def __init__(self, connection: Connection, secret: Key, *, counted: bool) -> None:
        self._connection = connection
        self._secret = secret
        self._counted = counted

    @cached_property
    def _ids(self) -> Digester:
        return Digester(self._secret, "ledger subject key id")

    @cached_property
    def _sums(self) -> Digester:
        return Digester(self._secret, "ledger subject key sum")

    def commit(self, use_id: UUID, ids: Sequence[UUID]) -> tuple[str, ...]:
        """Commit to subjects or references, in the order of their ids given.

        Raises:
            LedgerBroken: a key, or their sum, was changed by others.
        """
        if not ids:
            return ()
        keys = {row.id: self._opened(row) for row in _OF_SOME.all(self._connection, ids)}
        made = {each: os.urandom(_KEY_BYTES) for each in ids if each not in keys}
        if made:
            count, total = self._sum()
            rows = [
                {"id": each, "sealed_key": self._secret.seal(key, _context(each))}
                for each, key in made.items()
            ]
            self._connection.execute(_INSERT, rows)
            self._keep_sum(count + len(made), total + self._total_of(made))
            keys |= made
        return tuple(_commitment(keys[each], use_id, each) for each in ids)

    def commitments(self, ids: Sequence[UUID]) -> "Commitments":
        """Open the keys of some, to tell which entries are about them; none is made.

        Raises:
            LedgerBroken: a key was changed by others.
        """
        rows = _OF_SOME.all(self._connection, ids)
        return Commitments({row.id: self._opened(row) for row in rows})

    def destroy(self, ids: Sequence[UUID]) -> int:
        """Destroy keys; say how many there were.

        The last entry about them has to be written before: another would give them a new key.

        Raises:
            LedgerBroken: the sum of keys was changed by others.
        """
        destroyed: list[UUID] = []
        for some in in_batches(dict.fromkeys(ids), _AT_A_TIME):
            there = select(SUBJECT_KEYS.c.id).where(SUBJECT_KEYS.c.id.in_(some))
            destroyed += self._connection.execute(there).scalars()
        if destroyed:
            count, total = self._sum()
            for some in in_batches(destroyed, _AT_A_TIME):
                self._connection.execute(delete(SUBJECT_KEYS).where(SUBJECT_KEYS.c.id.in_(some)))
            self._keep_sum(count - len(destroyed), total - self._total_of(destroyed))
        return len(destroyed)

    def begin(self) -> None:
        """Begin without any: what another secret has sealed does not open any more."""
        self._connection.execute(delete(SUBJECT_KEYS))
        self._keep_sum(0, 0)

    def ensure_counted(self) -> None:
        """Count the keys that there are, if an older Likeness has made them and nobody has yet."""
        if not self._connection.execute(_SUM).first():
            self._count()

    def mend(self) -> int:
        """Take out what others put in, and count the rest; say how many were taken out."""
        rows = self._connection.execute(_EVERY).all()
        good = {about: row[1] for row in rows if (about := self._opening(row)) is not None}
        if len(good) < len(rows):
            self._connection.execute(delete(SUBJECT_KEYS))
            for some in in_batches(good.items(), _AT_A_TIME):
                fresh = [{"id": about, "sealed_key": sealed} for about, sealed in some]
                self._connection.execute(_INSERT, fresh)
        self._count()
        return len(rows) - len(good)

    def _count(self) -> None:
        count = total = 0
        for row in self._connection.execute(_EVERY):
            about = self._opening(row)
            if about is not None:
                count, total = count + 1, total + self._total_of([about])
        self._keep_sum(count, total)

    def problems(self) -> Iterator[tuple[str, str]]:
        """Find what others changed: what is wrong, and in which table."""
        count = total = 0
        for place, row in enumerate(self._connection.execute(_EVERY)):
            about = _id_of(row[0])
            if about is None:
                yield f"row {place} has no id", SUBJECT_KEYS.name
                continue
            if self._opening(row) is None:
                says = "does not open: it was changed, or is another's"
                yield f"the key of {about} {says}", SUBJECT_KEYS.name
            count, total = count + 1, total + self._total_of([about])
        rows = self._connection.execute(_SUM).all()
        if not rows and not self._counted:
            return  # of an older Likeness, and nothing was recorded since
        kept = self._read(rows)
        if kept is None:
            yield "its one row is missing, changed, or not alone", SUBJECT_KEY_SUM.name
        elif kept != (count, total % _MODULUS):
            more = count - kept[0]
            says = f"{abs(more)} {'too many' if more > 0 else 'missing'}" if more else "others"
            yield f"{count} keys are there, {says}, and {kept[0]} were made", SUBJECT_KEYS.name

    def _sum(self) -> tuple[int, int]:
        """Read how many keys there are, and the sum of their ids' digests."""
        rows = self._connection.execute(_SUM).all()
        if not rows and not self._counted:
            self._count()
            rows = self._connection.execute(_SUM).all()
        kept = self._read(rows)
        if kept is None:
            raise LedgerBroken(
                f"Table {SUBJECT_KEY_SUM.name} was changed by others. Restore a backup; `likeness"
                " ledger verify` says more."
            )
        return kept

    def _read(self, rows: Sequence[Sequence[Any]]) -> tuple[int, int] | None:
        """Read the row of the sum; None where it is none of ours, or not alone."""
        if len(rows) != 1 or None in rows[0]:
            return None
        number, count, total, mark = rows[0]
        ours = (1, self._mark(count, total)) == (number, mark)
        return (count, int.from_bytes(total, "big")) if ours else None

    def _keep_sum(self, count: int, total: int) -> None:
        written = (total % _MODULUS).to_bytes(_KEY_BYTES, "big")
        row = {"id": 1, "count": count, "total": written, "mark": self._mark(count, written)}
        self._connection.execute(delete(SUBJECT_KEY_SUM))
        self._connection.execute(insert(SUBJECT_KEY_SUM), row)

    def _mark(self, count: int, total: bytes) -> bytes:
        return self._sums.digest(count.to_bytes(8, "big", signed=True) + total)

    def _total_of(self, ids: Iterable[UUID]) -> int:
        return sum(int.from_bytes(self._ids.digest(each.bytes), "big") for each in ids)

    def _opened(self, row: Row[Any]) -> bytes:
        try:
            return self._secret.unseal(row.sealed_key, _context(row.id))
        except (KeyUnusable, TypeError) as error:
            raise LedgerBroken(
                f"The key of {row.id} in table {SUBJECT_KEYS.name} was changed by others. Restore"
                " a backup; `likeness ledger verify` says more."
            ) from error

    def _opening(self, row: Sequence[Any]) -> UUID | None:
        """Say whose key a row as stored has; None where it is nobody's, or does not open."""
        about, sealed_key = _id_of(row[0]), row[1]
        try:
            if about is not None and sealed_key is not None:
                self._secret.unseal(sealed_key, _context(about))
                return about
        except KeyUnusable:
            pass
        return None


class Commitments:
    """What entries say where they are about some subjects and references."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Mapping[UUID, bytes]) -> None:
        self._keys = keys

    def in_use(self, use_id: UUID) -> dict[str, UUID]:
        """Give what entries of a use say of each who has a key, and whom that is."""
        return {_commitment(key, use_id, each): each for each, key in self._keys.items()}


def _id_of(stored: object) -> UUID | None:
    """Read an id as a database has it; None where it is none."""
    if isinstance(stored, UUID):
        return stored
    return UUID(bytes=stored) if isinstance(stored, bytes) and len(stored) == 16 else None


def _commitment(key: bytes, use_id: UUID, about: UUID) -> str:
    digest = hmac.digest(key, use_id.bytes + about.bytes, "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _context(about: UUID) -> bytes:
    return b"ledger subject " + about.bytes
