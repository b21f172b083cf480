"""What all tables share: one MetaData, names for constraints, column types alike everywhere.

A capability declares its tables on `METADATA` in its own module `tables`, without a foreign key to
another capability's. Bytes are SQLAlchemy's `LargeBinary`, which is alike on both databases.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Select,
    Table,
    Uuid,
    bindparam,
    select,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeDecorator

from likeness.errors import DatabaseUnavailable
from likeness.storage.damage import DamagedValue, legible_rows

# Named by rule, so that a later migration can name what an earlier one made, on both databases.
METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# SQLAlchemy asks for each value of each row, and the same ids and moments come again and again.
_KEPT = 4096

# SQLite counts up by itself only where the type is INTEGER, which holds 64 bits there.
Serial = BigInteger().with_variant(Integer(), "sqlite")
"""Type of a primary key that counts up; with one writer at a time, in the order of commits."""


class Instant(TypeDecorator[datetime]):
    """A moment, kept as whole microseconds since 1970 in UTC.

    A naive `datetime` is refused, and so is what lies in the year 0 or 10000 of UTC: it could be
    kept, and never be read again.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn an aware `datetime` into microseconds."""
        if value is None:
            return None
        since = value - _EPOCH  # a naive one raises TypeError here
        _ = _EPOCH + since  # and this OverflowError
        return since // _MICROSECOND

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[int | None], datetime | None]:
        """Give what turns microseconds into a `datetime` in UTC."""
        return _instant_of


@lru_cache(_KEPT)
def _instant_of(value: int | None) -> datetime | None:
    try:
        return None if value is None else _EPOCH + value * _MICROSECOND
    except (TypeError, OverflowError) as error:
        raise DamagedValue("a moment") from error


class _IdAsBytes(TypeDecorator[UUID]):
    """A UUID, kept as its 16 bytes."""

    impl = LargeBinary(16)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[UUID | None], bytes | None]:
        """Give what turns a UUID into bytes."""
        return _bytes_of

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[bytes | None], UUID | None]:
        """Give what turns bytes into a UUID."""
        return _uuid_of


@lru_cache(_KEPT)
def _bytes_of(value: UUID | None) -> bytes | None:
    return None if value is None else value.bytes


@lru_cache(_KEPT)
def _uuid_of(value: bytes | None) -> UUID | None:
    try:
        return None if value is None else UUID(bytes=value)
    except (TypeError, ValueError) as error:
        raise DamagedValue("an id") from error


Identifier = _IdAsBytes().with_variant(Uuid(), "postgresql")
"""Type of a UUID: 16 bytes in SQLite, which has no such type; native in PostgreSQL."""


INSTALLATION = Table(
    "installation",
    METADATA,
    Column("id", Identifier, primary_key=True),
    Column("created_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class DatabaseIdentity:
    """What tells one database of Likeness from another."""

    id: UUID
    created_at: datetime


def read_identity(connection: Connection) -> DatabaseIdentity:
    """Read what tells a migrated database from others.

    Raises:
        DatabaseUnavailable: its row was changed by others.
    """
    try:
        rows = connection.execute(select(INSTALLATION)).all()
        if len(rows) == 1 and None not in rows[0]:
            return DatabaseIdentity(*rows[0])
    except (ValueError, TypeError, OverflowError, DBAPIError):  # no value of its type
        pass
    raise DatabaseUnavailable(
        "Table installation has not one row with the id of this database: it was changed by others."
        " Restore a backup."
    )


class AsStored(FunctionElement[Any]):
    """What a column holds, NULL where that is not of the column's type.

    SQLite takes values of any type in any column; others that write the database may put them
    there. Text comes as bytes from SQLite, since it need not be text.
    """

    inherit_cache = True
    type = NullType()

    def __init__(self, column: Column[Any]) -> None:
        super().__init__(column)


def select_as_stored(table: Table) -> Select[Any]:
    """Select all columns of a table, each as `AsStored` gives it."""
    return select(*(AsStored(column) for column in table.c))


@compiles(AsStored)
def _as_stored(element: AsStored, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(AsStored, "sqlite")
def _as_stored_in_sqlite(element: AsStored, compiler: SQLCompiler, **options: Any) -> str:
    (column,) = element.clauses
    of = compiler.process(column, **options)
    affinity = column.type.compile(compiler.dialect)
    if affinity in ("BIGINT", "INTEGER"):
        return f"CASE WHEN typeof({of}) = 'integer' THEN {of} END"
    if affinity == "TEXT":
        return f"CASE WHEN typeof({of}) = 'text' THEN CAST({of} AS BLOB) END"
    return f"CASE WHEN typeof({of}) = 'blob' THEN {of} END"


# SQLite takes 32,766 values in a statement, older ones 999.
_AT_A_TIME = 512


class OneOf:
    """Selects the rows whose column has one of many values; `make` makes it of the condition.

    A list of values of any length makes SQLAlchemy write the statement anew each time, which takes
    longer than the database does. Here it has as many places as the next power of two; what is left
    over is filled with the last value again.
    """

    def __init__(
        self, column: Column[Any], make: Callable[[ColumnElement[bool]], Select[Any]]
    ) -> None:
        self._column = column
        self._made = lru_cache(lambda places: make(self._is_one_of(places)))

    def all(
        self, connection: Connection, values: Sequence[Any], **parameters: object
    ) -> list[Row[Any]]:
        """Give the rows, in the statement's order for every 512 values; none where there are none.

        Those with a value of another type than they have are left out: see `damage`.

        `parameters` are what else the statement has a `bindparam` for.
        """
        rows: list[Row[Any]] = []
        for start in range(0, len(values), _AT_A_TIME):
            some = list(values[start : start + _AT_A_TIME])
            places = 1 << (len(some) - 1).bit_length()
            filled = some + some[-1:] * (places - len(some))
            named = {f"value_{place}": value for place, value in enumerate(filled)}
            rows += legible_rows(
                connection, self._column, self._made(places), {**parameters, **named}
            )
        return rows

    def _is_one_of(self, places: int) -> ColumnElement[bool]:
        return self._column.in_(
            [bindparam(f"value_{place}", type_=self._column.type) for place in range(places)]
        )
