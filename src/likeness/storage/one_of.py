"""How are rows chosen by many values? With a statement for each size of list, made once.

A list of values of any length makes SQLAlchemy write the statement anew each time, which takes
longer than the database does. Here it has as many places as the next power of two; what is left
over is filled with the last value again.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, bindparam

# SQLite takes 32,766 values in a statement, older ones 999.
_AT_A_TIME = 512


class OneOf:
    """Selects the rows whose column has one of many values; `make` makes it of the condition."""

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
