"""What may be done to the ledger beside its entries, by somebody who writes the database.

Each kind damages one table, or the anchor, inside an act that is undone afterwards. Values of a
wrong type are what SQLite lets others put anywhere.
"""
# ruff: noqa: S608  # statements are made of our own names

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select, update

from bench.tampering import insert_rows, rows_of
from likeness.ledger import Checkpoint, Problem
from likeness.ledger.keys import LedgerKey
from likeness.ledger.tables import ENTRIES, HEAD, OF_LEDGER
from likeness.ledger.tree import Frontier, leaf_hash
from likeness.secrets import SigningKey

_ODD = ("'text'", "17", "1.5e300", "x''", "CAST(x'ff00fe' AS TEXT)")
_ODD_NUMBERS = ("'text'", "x'00'", "1.5e300", "-5", "9223372036854775807")
_BYTES = {
    "ledger_entries": ("entry", "hashes", "mark"),
    "ledger_head": ("note",),
    "ledger_keys": ("public_key", "sealed_signing_key", "sealed_secret"),
    "ledger_subject_keys": ("id", "sealed_key"),
    "ledger_subject_key_sum": ("total", "mark"),
}
_NUMBERS = {"ledger_keys": "secret_since", "ledger_subject_key_sum": "count"}

Do = Callable[[Connection, random.Random, Path], None]


@dataclass(frozen=True, slots=True)
class Damage:
    """A kind of damage, and what has to be named: a table, or `anchor`."""

    name: str
    named: str
    do: Do

    def is_named_by(self, problem: Problem) -> bool:
        """Say whether a problem names the table, and of entries which one."""
        if self.named == ENTRIES.name:
            return problem.entry is not None or problem.says.startswith("it cannot be read")
        return (problem.table or "anchor") == self.named


Copy = tuple[list[list[dict[str, object]]], str]
"""The rows of every table of a ledger, and its head."""


def copy_of(connection: Connection) -> Copy:
    """Copy a ledger as it is."""
    rows = [[dict(row) for row in connection.execute(select(t)).mappings()] for t in OF_LEDGER]
    return rows, str(rows[1][0]["note"])


def put_back(connection: Connection, copy: Copy, key: LedgerKey) -> str:
    """Put an older copy in place; give its head."""
    for table, rows in zip(OF_LEDGER, copy[0], strict=True):
        connection.execute(delete(table))
        connection.execute(insert(table), rows)
    return copy[1]


def rewrite(connection: Connection, copy: Copy, key: LedgerKey) -> str:
    """Change an entry and sign all anew, as a holder of the keys may; give the head."""
    rows, tree = rows_of(connection), Frontier()
    written = []
    for position, entry, _, _ in rows:
        if position == len(rows) // 2:
            entry = entry.replace(b"missing-person", b"missing-people")
        leaf = leaf_hash(entry)
        tree, hashes = tree.appended(leaf)
        written.append((position, entry, b"".join(hashes), key.marks.of(position, leaf)))
    connection.execute(delete(ENTRIES))
    insert_rows(connection, written)
    note = key.notes.sign(Checkpoint(key.notes.name, tree.size, tree.root).text)
    connection.execute(update(HEAD).values(note=note))
    return note


@contextmanager
def undone(connection: Connection, anchor: Path) -> Iterator[None]:
    """Undo afterwards what is done to rows and to the anchor."""
    content, savepoint = anchor.read_bytes(), connection.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()
        anchor.write_bytes(content)


def _sql(*statements: str) -> Do:
    def do(connection: Connection, chance: random.Random, anchor: Path) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    return do


def _retype(table: str) -> Do:
    def do(connection: Connection, chance: random.Random, anchor: Path) -> None:
        number = _NUMBERS.get(table)
        if number is not None and chance.random() < 0.4:
            change = f"{number} = {chance.choice(_ODD_NUMBERS)}"
        else:
            change = f"{chance.choice(_BYTES[table])} = {chance.choice(_ODD)}"
        connection.exec_driver_sql(f"UPDATE {table} SET {change} WHERE {_one_of(table, chance)}")

    return do


def _flip(table: str) -> Do:
    def do(connection: Connection, chance: random.Random, anchor: Path) -> None:
        column, where = chance.choice(_BYTES[table]), _one_of(table, chance)
        query = f"SELECT rowid, {column} FROM {table} WHERE {where}"
        rowid, content = connection.exec_driver_sql(query).one()
        change = f"UPDATE {table} SET {column} = ? WHERE rowid = ?"
        connection.exec_driver_sql(change, (_flipped(content, chance), rowid))

    return do


def _one_of(table: str, chance: random.Random) -> str:
    rows = f"(SELECT count(*) FROM {table})"
    of = f"SELECT rowid FROM {table} LIMIT 1 OFFSET {chance.randrange(1 << 30)} % {rows}"
    return f"rowid = ({of})"


def _flipped(content: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def _cut_end(connection: Connection, chance: random.Random, anchor: Path) -> None:
    (count,) = connection.exec_driver_sql("SELECT count(*) FROM ledger_entries").one()
    first = chance.randrange(1, count)
    connection.exec_driver_sql("DELETE FROM ledger_entries WHERE position >= ?", (first,))


def _renumber(connection: Connection, chance: random.Random, anchor: Path) -> None:
    to = chance.choice((-1, -(2**63), 2**63 - 1, 10_000))
    where = _one_of("ledger_entries", chance)
    connection.exec_driver_sql(f"UPDATE ledger_entries SET position = ? WHERE {where}", (to,))


def _flip_head(connection: Connection, chance: random.Random, anchor: Path) -> None:
    (note,) = connection.exec_driver_sql("SELECT note FROM ledger_head").one()
    place = chance.randrange(len(note))
    other = chance.choice([each for each in "Aa0/\n" if each != note[place]])
    changed = note[:place] + other + note[place + 1 :]
    connection.exec_driver_sql("UPDATE ledger_head SET note = ?", (changed,))


def _second_key(connection: Connection, chance: random.Random, anchor: Path) -> None:
    public_key = SigningKey.new().verifying_key.raw
    copied = "sealed_signing_key, sealed_secret, secret_since FROM ledger_keys"
    connection.exec_driver_sql(f"INSERT INTO ledger_keys SELECT ?, {copied}", (public_key,))
    if chance.random() < 0.5:
        junk = (os.urandom(61), os.urandom(61), public_key)
        change = "sealed_signing_key = ?, sealed_secret = ? WHERE public_key = ?"
        connection.exec_driver_sql(f"UPDATE ledger_keys SET {change}", junk)


def _raise_since(connection: Connection, chance: random.Random, anchor: Path) -> None:
    """Hide by a raised `secret_since` which entry was edited."""
    place = chance.randrange(1, 20)
    edited = "CAST(replace(CAST(entry AS TEXT), '\"done\"', '\"sone\"') AS BLOB)"
    change = f"UPDATE ledger_entries SET entry = {edited} WHERE position = ?"
    if chance.random() < 0.5:
        connection.exec_driver_sql(change, (place,))
    connection.exec_driver_sql("UPDATE ledger_keys SET secret_since = ?", (place + 1,))


def _add_subject(connection: Connection, chance: random.Random, anchor: Path) -> None:
    row = (uuid4().bytes, os.urandom(77))
    if chance.random() < 0.5:
        copied = "SELECT ?, sealed_key FROM ledger_subject_keys LIMIT 1"
        connection.exec_driver_sql(f"INSERT INTO ledger_subject_keys {copied}", row[:1])
    else:
        connection.exec_driver_sql("INSERT INTO ledger_subject_keys VALUES (?, ?)", row)


def _swap_subjects(connection: Connection, chance: random.Random, anchor: Path) -> None:
    rows = connection.exec_driver_sql("SELECT id, sealed_key FROM ledger_subject_keys").all()
    (one, its), (other, others) = chance.sample(rows, 2)
    change = "UPDATE ledger_subject_keys SET sealed_key = ? WHERE id = ?"
    for key, about in ((others, one), (its, other)):
        connection.exec_driver_sql(change, (key, about))


def _drop_subjects(connection: Connection, chance: random.Random, anchor: Path) -> None:
    for _ in range(chance.randrange(1, 4)):
        where = _one_of("ledger_subject_keys", chance)
        connection.exec_driver_sql(f"DELETE FROM ledger_subject_keys WHERE {where}")


def _another_database(connection: Connection, chance: random.Random, anchor: Path) -> None:
    connection.exec_driver_sql("UPDATE installation SET id = ?", (uuid4().bytes,))


def _flip_anchor(connection: Connection, chance: random.Random, anchor: Path) -> None:
    content = anchor.read_bytes()
    anchor.write_bytes(_flipped(content, chance))


def _cut_anchor(connection: Connection, chance: random.Random, anchor: Path) -> None:
    os.truncate(anchor, chance.randrange(511))


def _blank_anchor(connection: Connection, chance: random.Random, anchor: Path) -> None:
    anchor.write_bytes(chance.choice((bytes(512), b"\n" * 512, os.urandom(512))))


_ALL = [f"DELETE FROM {table.name}" for table in OF_LEDGER]
_ENTRIES, _HEAD, _KEYS, _SUBJECTS, _SUM = (table.name for table in OF_LEDGER)

DAMAGES = (
    Damage("values of a wrong type in entries", _ENTRIES, _retype(_ENTRIES)),
    Damage("the end cut off", _ENTRIES, _cut_end),
    Damage("entries renumbered", _ENTRIES, _renumber),
    Damage("all entries deleted", _ENTRIES, _sql(_ALL[0])),
    Damage("the ledger wiped whole", _ENTRIES, _sql(*_ALL)),
    Damage("the table of entries dropped", _ENTRIES, _sql(f"DROP TABLE {_ENTRIES}")),
    Damage("the head deleted", _HEAD, _sql(f"DELETE FROM {_HEAD}")),
    Damage("the head flipped", _HEAD, _flip_head),
    Damage("the head of a wrong type", _HEAD, _retype(_HEAD)),
    Damage("a second head", _HEAD, _sql(f"INSERT INTO {_HEAD} SELECT 2, note FROM {_HEAD}")),
    Damage("the key deleted", _KEYS, _sql(f"DELETE FROM {_KEYS}")),
    Damage("a second key", _KEYS, _second_key),
    Damage("the key flipped", _KEYS, _flip(_KEYS)),
    Damage("the key of a wrong type", _KEYS, _retype(_KEYS)),
    Damage("secret_since raised", _KEYS, _raise_since),
    Damage("keys of subjects deleted", _SUBJECTS, _drop_subjects),
    Damage("keys of subjects added", _SUBJECTS, _add_subject),
    Damage("keys of subjects swapped", _SUBJECTS, _swap_subjects),
    Damage("keys of subjects flipped", _SUBJECTS, _flip(_SUBJECTS)),
    Damage("keys of subjects of a wrong type", _SUBJECTS, _retype(_SUBJECTS)),
    Damage("the sum of keys deleted", _SUM, _sql(_ALL[-1])),
    Damage("the sum of keys flipped", _SUM, _flip(_SUM)),
    Damage("the sum of keys of a wrong type", _SUM, _retype(_SUM)),
    Damage(
        "a second sum of keys",
        _SUM,
        _sql(f"INSERT INTO {_SUM} SELECT 2, 0, total, mark FROM {_SUM}"),
    ),
    Damage("another database's id", _HEAD, _another_database),
    Damage("the row of the database deleted", "installation", _sql("DELETE FROM installation")),
    Damage(
        "a second row of the database",
        "installation",
        _sql("INSERT INTO installation SELECT randomblob(16), created_at FROM installation"),
    ),
    Damage("the anchor flipped", "anchor", _flip_anchor),
    Damage("the anchor cut", "anchor", _cut_anchor),
    Damage("the anchor blank", "anchor", _blank_anchor),
)
