"""What may be done to rows by somebody without the signing key: flip, drop, swap, insert."""

import random
from dataclasses import dataclass

from sqlalchemy import Connection

from likeness.ledger.rows import every_row

Row = tuple[int, bytes, bytes, bytes]
TAMPERINGS = ("flip", "drop", "swap", "insert")


@dataclass(frozen=True)
class Tampered:
    """Rows as they were left, and the first that is not as it was."""

    rows: list[Row]
    first_bad: int


def rows_of(connection: Connection) -> list[Row]:
    """Every row: position, entry, hashes, mark."""
    return list(every_row(connection))


def tampered(rows: list[Row], kind: str, chance: random.Random) -> Tampered:
    """Do one thing at a random place; positions are numbered on again half of the time."""
    left = list(rows)
    place = chance.randrange(len(rows))
    match kind:
        case "flip":
            column = chance.randrange(1, 4)
            damaged = bytearray(left[place][column])
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
            row = list(left[place])
            row[column] = bytes(damaged)
            left[place] = (row[0], row[1], row[2], row[3])
        case "drop":
            del left[place]
            if chance.random() < 0.5:
                left = _numbered(left)
        case "swap":
            other = chance.choice([each for each in range(len(rows)) if each != place])
            left[place], left[other] = left[other], left[place]
            left, place = _numbered(left), min(place, other)
        case "insert":
            copied = chance.choice(rows)
            place = chance.randrange(len(rows) + 1)
            if place < len(rows) and copied == rows[place]:
                # What is put in is what was there: the next one is in the wrong place.
                place += 1
            left = _numbered([*left[:place], copied, *left[place:]])
    return Tampered(left, place)


def _numbered(rows: list[Row]) -> list[Row]:
    return [(number, *row[1:]) for number, row in enumerate(rows)]
