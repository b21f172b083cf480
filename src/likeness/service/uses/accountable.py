"""The desk of a home: no permit, no use; no entry, no answer.

1. A use is admitted by its principal's role and by the rules in force, before anything is done.
2. A use that computes with people's faces, or erases them, leaves an entry before it begins, so
   that one that is cut off leaves a trace.
3. Rules are asked again when scores exist, with what people have decided meanwhile.
4. Every use ends with an entry: done, withheld, refused or failed. What it changes is committed
   together with that entry.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection

from likeness.access import may
from likeness.errors import Denied, Refused
from likeness.ledger import Event, Kind
from likeness.policy import Circumstances, Footage, count_use, uses_of_day
from likeness.service.uses.use_record import Office, UseRecord, refusal
from likeness.terms import Action, Decision, Duty, Rule, Use

_LEAVES_INTENT = frozenset(
    {Action.DETECT, Action.COMPARE, Action.SEARCH, Action.ENROL, Action.WATCH, Action.ERASE}
)
_ROLE = Rule("role", "likeness", "docs/keys.md: what each role may do")
_PURPOSE = Rule("purpose-not-granted", "likeness", "docs/keys.md: which purposes a key has")
_FOOTAGE = Rule("footage-unknown", "likeness", "docs/policy.md: what the tag likeness:footage says")
DESKS_OWN = frozenset(rule.id for rule in (_ROLE, _PURPOSE, _FOOTAGE))
"""The ids of rules that are no pack's: whatever packs say, these refuse."""
# What has to be done before a use, or never: nothing that comes later would mend it.
_BEFORE = frozenset({Duty.QUOTA, Duty.NOTICE})


class AccountableDesk:
    """Admits uses by role and rules, and keeps their record in the ledger."""

    def __init__(self, office: Office) -> None:
        self._office = office

    @contextmanager
    def record(self, use: Use) -> Iterator[UseRecord]:
        """Admit a use and keep its record.

        Raises:
            Denied: its role or a rule forbids it; that is recorded.
            LedgerBroken: it cannot be recorded, so nothing is done.
        """
        record = UseRecord(self._office, use, *self._admitted(use))
        if use.action in _LEAVES_INTENT:
            record.note(Kind.INTENT)
        try:
            yield record
        except BaseException as error:
            # After one face of a sample was withheld, another may be refused, or fail.
            if record.withheld or not record.ended:
                kind = Kind.REFUSED if isinstance(error, Refused) else Kind.FAILED
                record.note(kind, error=type(error).__name__)
            raise
        if not record.ended:
            record.note(Kind.FAILED, error="NoOutcome")
            raise AssertionError(f"{use.operation} ended without saying what came of it")

    def _admitted(self, use: Use) -> tuple[Decision, Circumstances]:
        office = self._office
        if Duty.QUOTA in office.rules.duties(office.clock()):
            decision, circumstances = office.database.write(
                lambda connection: self._counted(connection, use)
            )
        else:
            circumstances = Circumstances.at_admission(use, 0)
            decision = self._decided(use, circumstances)
        if decision.refused_by:
            event = Event(Kind.REFUSED, use, decision)
            denied = Denied(refusal(use, decision))
            denied.receipt = office.ledger.receipt_id(
                office.database.write(lambda connection: office.ledger.append(connection, event))
            )
            raise denied
        return decision, circumstances

    def _counted(self, connection: Connection, use: Use) -> tuple[Decision, Circumstances]:
        """Decide, and count a use that is admitted, so that no two take a day's last."""
        now, organisation = self._office.clock(), use.principal.organisation
        circumstances = Circumstances.at_admission(use, uses_of_day(connection, organisation, now))
        decision = self._decided(use, circumstances)
        if not decision.refused_by:
            count_use(connection, organisation, now)
        return decision, circumstances

    def _decided(self, use: Use, circumstances: Circumstances) -> Decision:
        """Decide, and say what stands against a use first of all: its caller's role.

        A duty that can never be met refuses.
        """
        decision = self._office.rules.decide(use, circumstances, self._office.clock())
        if not may(use.principal.role, use.action):
            return replace(decision, refused_by=(_ROLE,))
        if decision.refused_by:
            return decision
        refused_by = tuple(one.rule for one in decision.obligations if one.duty in _BEFORE)
        if not use.granted:
            refused_by = (_PURPOSE,)
        # A tag that nobody may mend would be there for ever.
        elif use.action is not Action.GOVERN and use.collection.footage not in set(Footage):
            refused_by = (_FOOTAGE,)
        else:
            refused_by = refused_by or self._office.withholding.impossible(use, decision)
        return replace(decision, refused_by=refused_by)
