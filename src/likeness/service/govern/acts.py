"""What acts of governing share: a home, who acts, and the record that a change leaves."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection

from likeness.service.uses import Outcome, Record, Rows
from likeness.terms import UNDECLARED, Action, Principal, Use

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Governing:
    """Acts of `principal` on a home; policy may refuse those on record (`Denied`)."""

    home: Rows
    principal: Principal

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
