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
from sqlalchemy.types import TypeDecorator, TypeEngine

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

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Turn microseconds into a `datetime` in UTC."""
        return None if value is None else _EPOCH + value * _MICROSECOND


class Identifier(TypeDecorator[UUID]):
    """A UUID: 16 bytes in SQLite, which has no such type; native in PostgreSQL."""

    impl = LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[UUID] | TypeEngine[bytes]:
        """Choose the column's type."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Uuid())
        return dialect.type_descriptor(LargeBinary(16))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> UUID | bytes | None:
        """Turn a UUID into what the database keeps."""
        if value is None or dialect.name == "postgresql":
            return value
        return value.bytes

    def process_result_value(self, value: UUID | bytes | None, dialect: Dialect) -> UUID | None:
        """Turn what the database keeps into a UUID."""
        return UUID(bytes=value) if isinstance(value, bytes) else value


INSTALLATION = Table(
    "installation",
    METADATA,
    Column("id", Identifier, primary_key=True),
    Column("created_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Installation:
    """What tells one database of Likeness from another."""

    id: UUID
    created_at: datetime


def read_installation(connection: Connection) -> Installation:
    """Read what installation a migrated database is."""
    return Installation(*connection.execute(select(INSTALLATION)).one())


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

        `parameters` are what else the statement has a `bindparam` for.
        """
        rows: list[Row[Any]] = []
        for start in range(0, len(values), _AT_A_TIME):
            some = list(values[start : start + _AT_A_TIME])
            places = 1 << (len(some) - 1).bit_length()
            filled = some + some[-1:] * (places - len(some))
            named = {f"value_{place}": value for place, value in enumerate(filled)}
            rows += connection.execute(self._made(places), {**parameters, **named}).all()
        return rows

    def _is_one_of(self, places: int) -> ColumnElement[bool]:
        return self._column.in_(
            [bindparam(f"value_{place}", type_=self._column.type) for place in range(places)]
        )
