"""What acts of governing share: a home, who acts, and the record that a change leaves."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from likeness.gallery import Collections
from likeness.ledger import Ledger
from likeness.secrets import Keyring
from likeness.service.uses import Desk, Outcome, Record
from likeness.storage import Database
from likeness.terms import UNDECLARED, Action, Principal, Use

T = TypeVar("T")


class Governed(Protocol):
    """What is governed: a home's rows and keys."""

    @property
    def database(self) -> Database:
        """Where the rows are."""

    @property
    def keyring(self) -> Keyring:
        """What seals for the installation."""

    @property
    def desk(self) -> Desk:
        """What admits and records uses."""

    @property
    def ledger(self) -> Ledger:
        """Where uses stand."""

    @property
    def collections(self) -> Collections:
        """What is enrolled, by the rows."""


@dataclass(frozen=True, slots=True)
class Governing:
    """Acts of `principal` on a home; policy may refuse those on record (`Denied`)."""

    home: Governed
    principal: Principal
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def record(
        self, operation: str, action: Action = Action.GOVERN
    ) -> AbstractContextManager[Record]:
        """Have an act admitted, and keep its record."""
        purpose = (*self.principal.purposes, UNDECLARED)[0]
        return self.home.desk.record(Use(self.principal, action, operation, purpose=purpose))

    def write(
        self,
        operation: str,
        act: Callable[[Connection], T],
        outcome: Callable[[T], Outcome] | Mapping[str, str],
    ) -> T:
        """Change rows in an act on record; `outcome` says what came of it, or its details."""
        with self.record(operation) as record:
            if callable(outcome):
                return record.write(act, outcome)
            return record.write(act, lambda _: Outcome(details=outcome))
