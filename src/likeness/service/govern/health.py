"""What an operator wants to know of a home: whether it answers, what is recorded, what is damaged.

A finding is one thing that was looked at. `look` is quick, for a page that is opened often;
`likeness doctor` and its page look at everything.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from likeness.errors import LikenessError, NotFound
from likeness.ledger import read_checkpoint
from likeness.service.uses import Rows
from likeness.storage import DamagedRow

_MOST_NAMED = 20
_MEND_ROW = "restore it from a backup, or erase it"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: its state in words, whether that is well, and what mends or adds it."""

    subject: str
    state: str
    well: bool = True
    mend: str | None = None


def look(rows: Rows) -> list[Finding]:
    """Look at what is quickly seen of a home that is open."""
    return [_database(rows), _ledger(rows), *_damage(rows)]


def findings_of_damage(damaged: Sequence[DamagedRow]) -> list[Finding]:
    """Name rows that could not be read, at most so many."""
    found = [
        Finding(
            "row",
            f"{row} is damaged, and left out of lists and searches",
            well=False,
            mend=_MEND_ROW,
        )
        for row in damaged[:_MOST_NAMED]
    ]
    if len(damaged) > _MOST_NAMED:
        more = f"{len(damaged) - _MOST_NAMED} more are damaged"
        found.append(Finding("rows", more, well=False, mend=_MEND_ROW))
    return found


def _database(rows: Rows) -> Finding:
    database = rows.database
    try:
        database.read(lambda connection: connection.execute(text("SELECT 1")))
    except LikenessError as error:
        return Finding("database", str(error), well=False)
    return Finding("database", f"{database.address}, answers")


def _ledger(rows: Rows) -> Finding:
    try:
        signed = read_checkpoint(rows.ledger.checkpoint()).checkpoint
    except NotFound:
        return Finding("ledger", "nothing is recorded yet")
    except LikenessError as error:
        mend = "likeness ledger verify"
        return Finding("ledger", str(error), well=False, mend=mend)
    return Finding("ledger", f"{signed.size:,} entries, and the newest are as they were signed")


def _damage(rows: Rows) -> list[Finding]:
    damaged = rows.database.damage.rows
    if not damaged:
        return [Finding("rows", "none that was read since the start is damaged")]
    return findings_of_damage(damaged)
