"""Acts of governing for commands, on a home's rows: all of it works while a server runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from likeness.app.access import Rows
from likeness.cli.opened import installation
from likeness.secrets import Keyring
from likeness.service.govern.acts import Governing
from likeness.service.govern.ledger import LedgerActs
from likeness.service.govern.policy import PolicyActs
from likeness.service.uses.record import Desk
from likeness.storage import Database
from likeness.terms import Principal

A = TypeVar("A", bound=Governing)


@contextmanager
def acting(acts: Callable[[Database, Keyring, Desk, Principal], A]) -> Iterator[A]:
    """Open the rows of the home for acts of somebody at the command line."""
    with Rows(installation()) as rows:
        yield acts(rows.database, rows.keyring, rows.desk, rows.somebody)


@contextmanager
def on_ledger() -> Iterator[LedgerActs]:
    """Open the rows of the home for acts on its ledger."""
    with Rows(installation()) as rows:
        yield LedgerActs(rows.database, rows.keyring, rows.desk, rows.somebody, ledger=rows.ledger)


@contextmanager
def on_rules() -> Iterator[PolicyActs]:
    """Open the rows of the home for acts on its rules."""
    with Rows(installation()) as rows:
        yield PolicyActs(
            rows.database,
            rows.keyring,
            rows.desk,
            rows.somebody,
            collections=rows.collections,
        )
