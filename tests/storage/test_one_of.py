"""Rows chosen by many values: each once, whatever the length of the list."""

from collections.abc import Sequence

import pytest
from sqlalchemy import Table, bindparam, insert, select

from likeness.storage import Database, OneOf


def some_names(things: Table) -> OneOf:
    return OneOf(things.c.name, lambda some: select(things.c.name).where(some))


@pytest.fixture
def filled(database: Database, things: Table) -> Database:
    rows = [{"name": str(number)} for number in range(1100)]
    database.write(lambda connection: connection.execute(insert(things), rows))
    return database


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 511, 512, 513, 1100])
def test_every_row_of_a_list_comes_once(filled: Database, things: Table, count: int) -> None:
    names = [str(number) for number in range(count)]
    chosen = some_names(things)

    rows = filled.read(lambda connection: chosen.all(connection, names))

    assert sorted(row.name for row in rows) == sorted(names)


@pytest.mark.parametrize("names", [["404"], ["404", "405", "absent"], ["404", "404"]])
def test_values_without_a_row_and_twins_bring_no_more_rows(
    filled: Database, things: Table, names: Sequence[str]
) -> None:
    rows = filled.read(lambda connection: some_names(things).all(connection, names))
    assert {row.name for row in rows} == set(names) - {"absent"}
    assert len(rows) == len({*names} - {"absent"})


def test_other_conditions_hold_for_every_part_of_a_list(filled: Database, things: Table) -> None:
    chosen = OneOf(
        things.c.name,
        lambda some: select(things.c.name).where(some, things.c.name != bindparam("without")),
    )
    names = [str(number) for number in range(600)]

    rows = filled.read(lambda connection: chosen.all(connection, names, without="599"))

    assert {row.name for row in rows} == set(names) - {"599"}
