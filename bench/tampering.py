"""What may be done to the ledger's rows by somebody without its keys: flip, drop, swap, insert.

Also by somebody who knows how they are made, and computes every hash again to fit.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert

from likeness.ledger.head import every_row
from likeness.ledger.tables import ENTRIES
from likeness.ledger.tree import Frontier, leaf_hash

Row = tuple[int, bytes, bytes, bytes]
TAMPERINGS = ("flip", "drop", "swap", "insert")
_COLUMNS = ("position", "entry", "hashes", "mark")


@dataclass(frozen=True, slots=True)
class Tampered:
    """Rows as they were left, and the first entry that is not as it was."""

    rows: list[Row]
    first_bad: int


def rows_of(connection: Connection) -> list[Row]:
    """Every row: position, entry, hashes, mark."""
    return [
        (position, entry or b"", hashes or b"", mark or b"")
        for position, entry, hashes, mark in every_row(connection)
    ]


def insert_rows(connection: Connection, rows: list[Row]) -> None:
    """Put rows in, as they are."""
    connection.execute(insert(ENTRIES), [dict(zip(_COLUMNS, row, strict=True)) for row in rows])


def tampered(rows: list[Row], kind: str, chance: random.Random) -> Tampered:
    """Do one thing at a random place; half of the time, with all hashes made to fit."""
    left, place = list(rows), chance.randrange(len(rows))
    fitting = chance.random() < 0.5
    match kind:
        case "flip":
            # Hashes that are made to fit are as they were.
            column = chance.choice((1, 3) if fitting else (1, 2, 3))
            damaged = bytearray(left[place][1:][column - 1])
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
            position, *columns = left[place]
            columns[column - 1] = bytes(damaged)
            left[place] = (position, columns[0], columns[1], columns[2])
        case "drop":
            del left[place]
            left = left if chance.random() < 0.5 else _numbered(left)
        case "swap":
            other = chance.choice([each for each in range(len(rows)) if each != place])
            left[place], left[other] = left[other], left[place]
            left, place = _numbered(left), min(place, other)
        case "insert":
            copied, place = chance.choice(rows), chance.randrange(len(rows) + 1)
            left = _numbered([*left[:place], copied, *left[place:]])
            if place == copied[0]:
                place += 1  # what was put in is what was there: the one after it is wrong
    return Tampered(_fitted(left) if fitting else left, place)


@contextmanager
def in_place(connection: Connection, rows: list[Row]) -> Iterator[None]:
    """Let the table have other rows, inside an act, and then its own again."""
    savepoint = connection.begin_nested()
    try:
        connection.execute(delete(ENTRIES))
        insert_rows(connection, rows)
        yield
    finally:
        savepoint.rollback()


def _numbered(rows: list[Row]) -> list[Row]:
    return [(number, *row[1:]) for number, row in enumerate(rows)]


def _fitted(rows: list[Row]) -> list[Row]:
    tree, fitted = Frontier(), []
    for position, entry, _, mark in rows:
        tree, hashes = tree.appended(leaf_hash(entry))
        fitted.append((position, entry, b"".join(hashes), mark))
    return fitted
