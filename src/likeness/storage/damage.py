"""Rows that cannot be read: each is named once in the log, counted, and left out of lists.

One damaged row is not to keep anybody from the others. What decides about a use, such as rules, key
rows and the tags of a collection, is not read this way: there, a row that cannot be read refuses.

Rows of a list are read in two steps, each of which leaves out what is damaged: `legible_rows` gives
those whose columns are of their types, `legible` those that say what they should, such as what is
sealed in them.
"""

import logging
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Column, Connection, Executable, Row, Select
from sqlalchemy.exc import OperationalError

from likeness.errors import KeyUnusable, LikenessError

_logger = logging.getLogger(__name__)

T = TypeVar("T")


class Named(Protocol):
    """What has an id."""

    @property
    def id(self) -> object:
        """Tell it from others."""


N = TypeVar("N", bound=Named)

_OPTION = "likeness_damage"
_MOST_REMEMBERED = 10_000
# What reading a value raises that is not of its type, or says what no row of ours says.
_ODD = (
    KeyUnusable,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    struct.error,
)


class DamagedValue(KeyUnusable, ValueError):
    """A value is not what its column holds: somebody else wrote it, or the disk."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"A row of the database has something else where {what} belongs: it was changed from"
            " outside, or is damaged. Restore it from a backup; `likeness doctor` looks for it."
        )


@dataclass(frozen=True, slots=True, order=True)
class DamagedRow:
    """A row that could not be read; `key` is the value of a column that tells it from others."""

    table: str
    key: str

    def __str__(self) -> str:
        """Name it."""
        return f"{self.key} of {self.table}"


class Damage:
    """The rows of a database that this process found damaged; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[DamagedRow, None] = {}

    @property
    def rows(self) -> list[DamagedRow]:
        """Those that were found, in order; at most 10,000."""
        with self._lock:
            return list(self._rows)

    def note(self, row: DamagedRow, why: str) -> None:
        """Remember a row, and say so in the log the first time."""
        with self._lock:
            if row in self._rows or len(self._rows) >= _MOST_REMEMBERED:
                return
            self._rows[row] = None
        _logger.warning(
            "row %s is damaged and left out (%s). Restore it from a backup, or delete it.", row, why
        )


def damage_options(damage: Damage) -> dict[str, Any]:
    """Give the execution options of an engine whose connections note damage there."""
    return {_OPTION: damage}


def damage_of(connection: Connection) -> Damage:
    """Give where damage of a connection's database is noted."""
    damage = connection.get_execution_options().get(_OPTION)
    return damage if isinstance(damage, Damage) else Damage()


def legible(
    connection: Connection,
    key: Column[Any],
    rows: Iterable[Row[Any]],
    read: Callable[[Row[Any]], T],
) -> list[T]:
    """Read rows; those that cannot be are noted under the value of a column, and left out."""
    read_rows: list[T] = []
    for row in rows:
        with leaving_out(connection, key, row):
            read_rows.append(read(row))
    return read_rows


@contextmanager
def leaving_out(connection: Connection, key: Column[Any], row: Row[Any]) -> Iterator[None]:
    """Note what is raised for a row that cannot be read, and go on without it."""
    try:
        yield
    except _ODD as error:
        note_damage(connection, key, row._mapping.get(key, row[0]), error)


def note_damage(connection: Connection, key: Column[Any], value: object, error: Exception) -> None:
    """Note a row that could not be read, by the value of a column that tells it from others."""
    damage_of(connection).note(_named(key, value), _why(error))


def legible_named(
    connection: Connection, table: str, found: Iterable[N], read: Callable[[N], T]
) -> list[T]:
    """Read what belongs to values that have an id, as `legible` does."""
    read_values: list[T] = []
    for one in found:
        try:
            read_values.append(read(one))
        except _ODD as error:
            damage_of(connection).note(DamagedRow(table, f"id {one.id}"), _why(error))
    return read_values


def legible_page(
    connection: Connection,
    number: Column[int],
    statement: Select[Any],
    read: Callable[[Row[Any]], T],
    after: int,
    limit: int,
) -> list[T]:
    """Read at most `limit` rows whose number is above `after`, in its order, as `legible` does.

    Others take the places of those that are left out, so fewer than `limit` are the last.
    """
    found: list[T] = []
    while (lacking := limit - len(found)) > 0:
        some = statement.where(number > after).order_by(number).limit(lacking)
        rows, there, last = _legible(connection, number, some, None)
        found += legible(connection, number, rows, read)
        if there < lacking:
            break
        after = last
    return found


def legible_rows(
    connection: Connection,
    key: Column[Any],
    statement: Executable,
    parameters: Mapping[str, Any] | None = None,
) -> Sequence[Row[Any]]:
    """Give the rows of a statement; those with a value of another type are noted, and left out."""
    rows, *_ = _legible(connection, key, statement, parameters)
    return rows


def _legible(
    connection: Connection,
    key: Column[Any],
    statement: Executable,
    parameters: Mapping[str, Any] | None,
) -> tuple[Sequence[Row[Any]], int, Any]:
    """Give the rows that are legible, how many there are, and the key of the last of these."""
    try:
        rows = connection.execute(statement, parameters).all()
        return rows, len(rows), rows[-1]._mapping.get(key, rows[-1][0]) if rows else None
    except _ODD:
        pass
    except OperationalError as error:
        if getattr(error.orig, "sqlite_errorcode", None) is not None:
            raise  # the database, and not a value
    # Once more, row by row; what is stored names those that are left out.
    with _text_as_it_is(connection):
        stored = connection.execute(statement, parameters)
        names = list(stored.keys())
        place = names.index(key.name) if key.name in names else 0
        keys = [values[place] for values in stored.cursor.fetchall()]
        stored.close()
        found, result = list[Row[Any]](), connection.execute(statement, parameters)
        for value in keys:
            try:
                if (row := result.fetchone()) is not None:
                    found.append(row)
            except _ODD as error:
                damage_of(connection).note(_named(key, value), _why(error))
        result.close()
    return found, len(keys), keys[-1] if keys else None


@contextmanager
def _text_as_it_is(connection: Connection) -> Iterator[None]:
    """Let SQLite give text that is no UTF-8, too."""
    driver: Any = connection.connection.dbapi_connection
    if not hasattr(driver, "text_factory"):
        yield
        return
    before = driver.text_factory
    driver.text_factory = lambda stored: stored.decode(errors="surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = before


def _named(key: Column[Any], value: object) -> DamagedRow:
    if isinstance(value, bytes) and len(value) == 16:
        value = UUID(bytes=value)
    elif isinstance(value, bytes):
        value = value.hex()
    return DamagedRow(key.table.name, f"{key.name} {_printable(str(value))[:80]}")


def _why(error: Exception) -> str:
    # What other errors say may hold a value.
    is_ours = isinstance(error, LikenessError) and not isinstance(error, DamagedValue)
    said = str(error) if is_ours else type(error).__name__
    return _printable(said)


def _printable(said: str) -> str:
    # What is damaged may be anything, such as half of a character, which no stream takes.
    return said.encode("ascii", "backslashreplace").decode()
