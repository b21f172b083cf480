"""What would other rules have said of uses that were? Pure: records in, differences out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from likeness.policy.circumstances import Circumstances
from likeness.policy.engine import PolicyEngine
from likeness.terms import Decision, Duty, Use


@dataclass(frozen=True, slots=True)
class RecordedUse:
    """A use as the ledger has it, and what was said of it; rules by their ids."""

    index: int
    at: datetime
    use: Use
    circumstances: Circumstances
    allowed: bool
    refused_by: frozenset[str]
    owed: frozenset[tuple[Duty, float]]


@dataclass(frozen=True, slots=True)
class Difference:
    """A use of which other rules say something else."""

    recorded: RecordedUse
    decision: Decision


def simulate(uses: Iterable[RecordedUse], engine: PolicyEngine) -> Iterator[Difference]:
    """Ask rules about recorded uses, each at its own moment; give those decided otherwise."""
    for recorded in uses:
        decision = engine.decide(recorded.use, recorded.circumstances, recorded.at)
        refused_by = frozenset(rule.id for rule in decision.refused_by)
        owed = frozenset((one.duty, one.amount) for one in decision.obligations)
        said = (recorded.allowed, recorded.refused_by, recorded.owed)
        if said != (decision.allowed, refused_by, owed):
            yield Difference(recorded, decision)
