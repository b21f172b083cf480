"""The rules in force right now: those of the rows, never older than a moment.

1. A change by another program is in force within half a second of its commit: `Freshness` sees to
   it. The revision says whether anything changed.
2. Where the rows cannot be read, nothing is decided: `decide` raises.
3. Where a pack that is enabled cannot be read, or does not go with the others, nothing is allowed
   but what the packs allow that are always in force: that admins put it right.
4. The stop switch, a clock that was set back, and what accepted report cards say of the model in
   use are seen to here, whatever was passed. A change of policy is an admin's word that the clock
   is right.
"""

import logging
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from likeness.errors import InvalidRequest
from likeness.policy.changes import (
    Suspension,
    every_suspension,
    packs_in_force,
    permanent_packs,
)
from likeness.policy.circumstances import Circumstances
from likeness.policy.engine import PolicyEngine
from likeness.policy.evidence import (
    Evidence,
    ModelOf,
    every_evidence,
    least_true_positives,
)
from likeness.policy.tables import STATE, USES
from likeness.storage import Freshness
from likeness.terms import Decision, Duty, Rule, Use

_logger = logging.getLogger(__name__)

UNUSABLE = Rule("policy-unusable", "likeness", "a pack cannot be read: likeness policy list")

_NEVER_READ, _NEVER = -1, datetime.max.replace(tzinfo=UTC)
# What clocks are put right by, and threads overtake each other by, is no setting back.
_SET_BACK = timedelta(minutes=1)


def is_set_back(now: datetime, latest: datetime) -> bool:
    """Whether a clock that says `now` was set back, since it was `latest` before."""
    return now < latest - _SET_BACK


class RulesInForce:
    """The rules and the stop switch of an installation; safe to use from many threads."""

    def __init__(self, freshness: Freshness, model_of: ModelOf = lambda use: "") -> None:
        """Read the rules when they are asked; `model_of` names the model that a use works with.

        Without it nothing is known of any model. It is called only while there is evidence.
        """
        self._freshness = freshness
        self._model_of = model_of
        self._lock = threading.Lock()
        self._known = _Known(_NEVER_READ, _NEVER, PolicyEngine(()), True, (), ())
        self._latest: datetime | None = None
        freshness.follow(self._read_what_changed)

    def decide(self, use: Use, circumstances: Circumstances, now: datetime) -> Decision:
        """Say what the rules in force say: before anything is done, and when scores are known.

        Raises:
            Conflict, DatabaseUnavailable: the rows cannot be read.
        """
        known, latest = self._look(now)
        seen = replace(
            circumstances,
            suspended=any(one.stops(use) for one in known.suspensions),
            clock_set_back=is_set_back(now, latest),
            least_true_positives=least_true_positives(known.evidence, use, self._model_of, now),
        )
        decision = known.engine.decide(use, seen, now)
        if known.broken and not decision.allowed:
            return replace(decision, refused_by=(UNUSABLE,))
        return decision

    def duties(self, now: datetime) -> frozenset[Duty]:
        """Say what any rule in force may demand, so that only that need be found out.

        Raises:
            Conflict, DatabaseUnavailable: the rows cannot be read.
        """
        return self._look(now)[0].engine.duties

    def is_anything_stopped(self, now: datetime) -> bool:
        """Say whether the stop switch refuses some uses.

        Raises:
            Conflict, DatabaseUnavailable: the rows cannot be read.
        """
        return bool(self._look(now)[0].suspensions)

    def _look(self, now: datetime) -> "tuple[_Known, datetime]":
        self._freshness.ensure()
        with self._lock:
            known = self._known
            self._latest = max(now, self._latest or known.changed_at)
            return known, self._latest

    def _read_what_changed(self, connection: Connection) -> None:
        state = connection.execute(select(STATE.c.revision, STATE.c.changed_at)).one()
        if self._known.revision == state.revision:
            return
        broken = False
        try:
            engine = PolicyEngine(packs_in_force(connection))
        except InvalidRequest as error:
            _logger.error("nothing is allowed, a pack cannot be read: %s", error)
            engine, broken = PolicyEngine(permanent_packs()), True
        suspensions = tuple(every_suspension(connection))
        evidence = tuple(every_evidence(connection))
        with self._lock:
            self._latest = None
            self._known = _Known(
                state.revision, state.changed_at, engine, broken, suspensions, evidence
            )


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read; where it is `broken`, `engine` has the rules that are always in force."""

    revision: int
    changed_at: datetime
    engine: PolicyEngine
    broken: bool
    suspensions: tuple[Suspension, ...]
    evidence: tuple[Evidence, ...]


def uses_of_day(connection: Connection, organisation: str, now: datetime) -> int:
    """Say how often an organisation used Likeness on this day, which begins at 00:00 UTC.

    It is counted only while a rule asks.
    """
    chosen = select(USES.c.uses).where(USES.c.organisation == organisation, USES.c.day == _day(now))
    return connection.execute(chosen).scalar() or 0


def count_use(connection: Connection, organisation: str, now: datetime) -> None:
    """Count one more; other days' counts are deleted."""
    day = _day(now)
    connection.execute(delete(USES).where(USES.c.day != day))
    chosen = update(USES).where(USES.c.organisation == organisation, USES.c.day == day)
    if not connection.execute(chosen.values(uses=USES.c.uses + 1)).rowcount:
        connection.execute(insert(USES), {"organisation": organisation, "day": day, "uses": 1})


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()
