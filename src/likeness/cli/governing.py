"""Acts of governing for commands, on a home's rows: all of them work while a server runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from likeness.app.home import open_rows
from likeness.cli.opened import installation
from likeness.service.govern.acts import Governing
from likeness.service.uses import Rows
from likeness.terms import Principal

A = TypeVar("A", bound=Governing)


@contextmanager
def acting(acts: Callable[[Rows, Principal], A]) -> Iterator[A]:
    """Open the rows of the home for acts of somebody at the command line."""
    with open_rows(installation()) as rows:
        yield acts(rows, rows.somebody)
