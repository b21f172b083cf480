"""What other rules would have said of the uses that the ledger has.

Each use is asked about as it was admitted: at its own moment, before there were scores.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import LedgerBroken
from likeness.ledger import Entry, Kind, Rules, every_entry, read_entry
from likeness.policy import STOP_SWITCH, Circumstances, PolicyEngine
from likeness.service.uses import DESKS_OWN, Consent, Ongoing
from likeness.terms import Action, Decision, Duty, Use


@dataclass(frozen=True, slots=True)
class Said:
    """What rules say of a use: by which it is refused, by their ids, and what it owes."""

    allowed: bool
    refused_by: frozenset[str]
    owed: frozenset[tuple[Duty, float]]

    @classmethod
    def by(cls, decision: Decision) -> Self:
        """Take it from a decision."""
        return cls(
            decision.allowed,
            frozenset(rule.id for rule in decision.refused_by),
            frozenset((one.duty, one.amount) for one in decision.obligations),
        )


@dataclass(frozen=True, slots=True)
class RecordedUse:
    """A use as the ledger has it, and what was said of it."""

    index: int
    at: datetime
    use: Use
    circumstances: Circumstances
    said: Said


@dataclass(frozen=True, slots=True)
class Difference:
    """A use of which other rules say something else."""

    recorded: RecordedUse
    said: Said


@dataclass(frozen=True, slots=True)
class Simulation:
    """How many uses were asked about, and those that other rules decide otherwise."""

    uses: int
    differences: tuple[Difference, ...]


def simulate_policy(connection: Connection, engine: PolicyEngine) -> Simulation:
    """Ask other rules about every use in the ledger.

    Raises:
        LedgerBroken: an entry cannot be read.
    """
    return simulate(recorded_uses(_read_all(connection)), engine)


def _read_all(connection: Connection) -> Iterator[Entry]:
    for index, written in enumerate(every_entry(connection)):
        try:
            yield read_entry(written)
        except LedgerBroken as error:
            raise LedgerBroken(f"Entry {index} of the ledger: {error}") from error


def simulate(uses: Iterable[RecordedUse], engine: PolicyEngine) -> Simulation:
    """Ask rules about recorded uses, each at its own moment; give those decided otherwise."""
    asked = 0
    differences = []
    for recorded in uses:
        asked += 1
        decision = engine.decide(recorded.use, recorded.circumstances, recorded.at)
        if (said := Said.by(decision)) != recorded.said:
            differences.append(Difference(recorded, said))
    return Simulation(asked, tuple(differences))


def recorded_uses(entries: Iterable[Entry]) -> Iterator[RecordedUse]:
    """Give the admission of each use, in the order of the ledger.

    Of a use with an intent, every later entry says what came of it, however many those are. What
    the desk refused by itself is left out: no other packs would have decided otherwise.
    """
    begun: set[tuple[UUID, Action]] = set()
    uses_today: Counter[str] = Counter()
    today = None
    for index, entry in enumerate(entries):
        # A comparison that has to become a search goes on under its id, and is admitted again.
        use = (entry.use.id, entry.use.action)
        if use in begun:
            continue
        if entry.kind is Kind.INTENT:
            begun.add(use)
        if entry.rules is None or DESKS_OWN & set(entry.rules.refused_by):
            continue
        if entry.at.date() != today:
            today = entry.at.date()
            uses_today.clear()
        organisation = entry.use.principal.organisation
        part = Ongoing.of_entry(entry.details)
        if part is not None:  # it was counted when the search began
            yield _recorded(index, entry, entry.rules, 0, part)
            continue
        recorded = _recorded(index, entry, entry.rules, uses_today[organisation])
        uses_today[organisation] += not entry.rules.refused_by
        yield recorded


def _recorded(
    index: int,
    entry: Entry,
    rules: Rules,
    uses_today: int,
    part: tuple[Ongoing, Consent] | None = None,
) -> RecordedUse:
    # A duty that could not be met refused; to the rules it was owed.
    refused_by = frozenset(rules.refused_by) - {one.rule_id for one in rules.owed}
    circumstances = replace(
        Circumstances.at_admission(entry.use, uses_today),
        suspended=STOP_SWITCH in refused_by,
        clock_set_back="clock-set-back" in refused_by,
        least_true_positives=rules.true_positives,
    )
    if part is not None:
        ongoing, consent = part
        circumstances = ongoing.circumstances(circumstances, consent, entry.at)
    owed = frozenset((one.duty, one.amount) for one in rules.owed)
    said = Said(bool(rules.allowed_by) and not refused_by, refused_by, owed)
    return RecordedUse(index, entry.at, entry.use, circumstances, said)
