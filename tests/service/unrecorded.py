"""A desk that admits everything and records nothing: for tests, and nowhere else."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection

from likeness.gallery import Collection
from likeness.service.uses import Ongoing
from likeness.service.uses.record import Outcome
from likeness.service.uses.withhold import M, Probe
from likeness.storage import Database
from likeness.terms import Action, Decision, Rule, Use

T = TypeVar("T")

_EVERYTHING = Decision((Rule("everything", "unrecorded", "none"),), (), (), "unrecorded")


@dataclass(frozen=True, slots=True)
class _NoRecord:
    database: Database
    use: Use
    decision: Decision = _EVERYTHING
    receipt: str | None = None
    case_id: UUID | None = None
    ended: bool = False
    withheld: bool = False
    confirmed: bool = False
    confirmed_ids: frozenset[UUID] = frozenset()

    def require_still_admitted(self, of: Collection | None = None) -> None:
        pass

    def decision_as(self, action: Action) -> Decision:
        return self.decision

    def not_told_apart(self, matches: Sequence[M], probe: Probe) -> Sequence[M]:
        return matches

    def refer(self, matches: Sequence[M], probe: Probe) -> None:
        pass

    def release(
        self,
        matches: Sequence[M],
        probe: Probe,
        among: Callable[[Sequence[UUID]], Sequence[M]],
        least: float = 0.0,
    ) -> list[M]:
        return list(matches)

    def write(self, act: Callable[[Connection], T], outcome: Callable[[T], Outcome]) -> T:
        result = self.database.write(act)
        outcome(result)
        return result

    def answered(self, outcome: Outcome) -> None:
        pass


@dataclass(frozen=True, slots=True)
class UnrecordedDesk:
    """A `Desk` without rules and without proof."""

    database: Database

    @contextmanager
    def record(self, use: Use, ongoing: Ongoing | None = None) -> Iterator[_NoRecord]:
        """Admit the use."""
        yield _NoRecord(self.database, use)
