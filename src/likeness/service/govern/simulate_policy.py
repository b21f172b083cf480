"""Ask other rules about the uses that the ledger has: what would differ?

Each use is asked about as it was admitted: at its own moment, before there were scores.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Connection

from likeness.ledger.entry import Entry, Kind, Rules, read_entry
from likeness.ledger.rows import every_entry
from likeness.policy.circumstances import Circumstances
from likeness.policy.engine import PolicyEngine
from likeness.policy.simulate import Difference, RecordedUse, simulate
from likeness.policy.suspensions import STOP_SWITCH
from likeness.service.uses.accountable import DESKS_OWN
from likeness.terms import Action


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
    asked = 0
    differences: list[Difference] = []
    for recorded in recorded_uses(map(read_entry, every_entry(connection))):
        asked += 1
        differences += simulate([recorded], engine)
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
        recorded = _recorded(index, entry, entry.rules, uses_today[organisation])
        if not entry.rules.refused_by:
            uses_today[organisation] += 1
        yield recorded


def _recorded(index: int, entry: Entry, rules: Rules, uses_today: int) -> RecordedUse:
    # A duty that could not be met refused; to the rules it was owed.
    refused_by = frozenset(rules.refused_by) - {one.rule_id for one in rules.owed}
    circumstances = replace(
        Circumstances.at_admission(entry.use, uses_today),
        suspended=STOP_SWITCH in refused_by,
        clock_set_back="clock-set-back" in refused_by,
    )
    return RecordedUse(
        index,
        entry.at,
        entry.use,
        circumstances,
        bool(rules.allowed_by) and not refused_by,
        refused_by,
        frozenset((one.duty, one.amount) for one in rules.owed),
    )
