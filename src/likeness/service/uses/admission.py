"""Whether a use is admitted: by its caller's role, and by the rules in force.

1. Nothing of a use is done before it is admitted. One that is refused leaves an entry.
2. A duty that can never be met refuses: people cannot look where no picture is kept.
3. A use is counted for its day in the transaction that decides, so that no two take a day's last.
4. What works for long is decided about again, by whoever holds the key now.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from likeness.access import may
from likeness.errors import Denied
from likeness.ledger import Event, Kind, Ledger
from likeness.policy import (
    STOP_SWITCH,
    Circumstances,
    Notice,
    RulesInForce,
    count_use,
    uses_of_day,
)
from likeness.service.uses.ongoing import Consent, Ongoing
from likeness.service.uses.withhold import OF_PEOPLE, Withholding
from likeness.storage import Database
from likeness.terms import Action, Decision, Duty, Footage, Principal, Rule, Use

_ROLE = Rule("role", "likeness", "docs/keys.md: what each role may do")
_PURPOSE = Rule("purpose-not-granted", "likeness", "docs/keys.md: which purposes a key has")
_FOOTAGE = Rule("footage-unknown", "likeness", "docs/policy.md: which sorts of source there are")
_KEY = Rule("key-disabled", "likeness", "docs/keys.md: what becomes of a key that is disabled")
DESKS_OWN = frozenset(rule.id for rule in (_ROLE, _PURPOSE, _FOOTAGE, _KEY))
"""The ids of rules that are no pack's: whatever packs say, these refuse."""
# What packs refuse that a caller or an admin can mend in one step.
_LIVE_SEARCH, _REAL_TIME = "live-search", "real-time"
# What has to be done before a use, or never: nothing that comes later would mend it.
_BEFORE = frozenset({Duty.QUOTA, Duty.NOTICE})


@dataclass(frozen=True, slots=True)
class Admission:
    """Admits uses by role and rules; a refusal is in the ledger when it is raised."""

    database: Database
    ledger: Ledger
    rules: RulesInForce
    withholding: Withholding
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def consent_to(self, ongoing: Ongoing | None) -> Consent:
        """Say whether an authority consents to a search that goes on."""
        if ongoing is None or ongoing.case_id is None:
            return Consent.NOT_ASKED
        return self.database.read(lambda connection: ongoing.consent(connection, self.clock()))

    def circumstances(
        self, use: Use, uses_today: int, ongoing: Ongoing | None, consent: Consent
    ) -> Circumstances:
        """Give those of a use before anything of it is done."""
        declared = Circumstances.at_admission(use, uses_today)
        if ongoing is None:
            return declared
        return ongoing.circumstances(declared, consent, self.clock())

    def admit(
        self, use: Use, ongoing: Ongoing | None, consent: Consent
    ) -> tuple[Decision, Circumstances]:
        """Give what is decided of a use, and under which circumstances, before it is done.

        Raises:
            Denied: its role or a rule forbids it; that is recorded.
            LedgerBroken: that cannot be recorded.
        """

        def decide(uses_today: int) -> tuple[Decision, Circumstances]:
            circumstances = self.circumstances(use, uses_today, ongoing, consent)
            return self._decided(use, circumstances, ongoing, consent), circumstances

        # What is a part of an ongoing search was counted when that began.
        is_part = ongoing is not None and not ongoing.begins
        if Duty.QUOTA in self.rules.duties(self.clock()) and not is_part:
            decision, circumstances = self.database.write(
                lambda connection: self._counted(connection, use, decide)
            )
        else:
            decision, circumstances = decide(0)
        if decision.refused_by:
            details = {} if ongoing is None else ongoing.details(consent)
            event = Event(Kind.REFUSED, use, decision, details=details)
            denied = denial(use, decision)
            denied.receipt = self.ledger.receipt_id(
                self.database.write(lambda connection: self.ledger.append(connection, event))
            )
            raise denied
        return decision, circumstances

    def _counted(
        self,
        connection: Connection,
        use: Use,
        decide: Callable[[int], tuple[Decision, Circumstances]],
    ) -> tuple[Decision, Circumstances]:
        """Decide, and count a use that is admitted, so that no two take a day's last."""
        now, organisation = self.clock(), use.principal.organisation
        decision, circumstances = decide(uses_of_day(connection, organisation, now))
        if not decision.refused_by:
            count_use(connection, organisation, now)
        return decision, circumstances

    def decided_again(
        self,
        use: Use,
        circumstances: Circumstances,
        holder: Principal | None,
        ongoing: Ongoing | None,
        consent: Consent,
    ) -> Decision:
        """Decide about a use that was admitted, by whoever holds its key now."""
        decision = self._decided(use, circumstances, ongoing, consent)
        return decision if holder is not None else replace(decision, refused_by=(_KEY,))

    def _decided(
        self, use: Use, circumstances: Circumstances, ongoing: Ongoing | None, consent: Consent
    ) -> Decision:
        """Decide, and say what stands against a use first of all: its caller's role.

        A duty that can never be met refuses.
        """
        decision = self.rules.decide(use, circumstances, self.clock())
        if not may(use.principal.role, use.action):
            return replace(decision, refused_by=(_ROLE,))
        if decision.refused_by:
            return decision
        refused_by = tuple(one.rule for one in decision.obligations if one.duty in _BEFORE)
        if not use.granted:
            refused_by = (_PURPOSE,)
        # A tag that nobody may mend would be there for ever.
        elif use.footage not in set(Footage) or (
            use.action is not Action.GOVERN and use.collection.footage not in set(Footage)
        ):
            refused_by = (_FOOTAGE,)
        else:
            refused_by = refused_by or self.withholding.impossible(use, decision, ongoing, consent)
        return replace(decision, refused_by=refused_by)


def denial(use: Use, decision: Decision) -> Denied:
    """Give the error of a use that is refused, which says by what (`refusal`)."""
    denied = Denied(refusal(use, decision))
    denied.is_stopped = any(rule.id == STOP_SWITCH for rule in decision.refused_by)
    return denied


def refusal(use: Use, decision: Decision) -> str:
    """Say by which rules a use is refused, where these are written, and what would help."""
    by = decision.refused_by or tuple(one.rule for one in decision.obligations)
    rules = "; ".join(f"{rule.id} of {rule.pack} ({rule.source})" for rule in by)
    said = f"{use.operation} for purpose {use.purpose} is refused by {rules}"
    owed = {one.duty for one in decision.obligations if one.rule in by}
    if Duty.NOTICE in owed and use.collection_id is not None:
        said += (
            ", since nobody says that people have been told: an admin does, by the collection's"
            f" tag likeness:notice with the value {Notice.SHOWN}"
        )
    if use.live_search is not None and owed & OF_PEOPLE == {Duty.AUTHORISATION}:
        said += (
            ", since no authority has consented to the search in time, or none was asked when it"
            " began: begin another, and record the consent (likeness review authorise)"
        )
    elif owed & OF_PEOPLE:
        said += (
            ", since people have to look first: they can at a search or a watch, while pictures are"
            " kept (LIKENESS_CROPS=on)"
        )
    packs = {rule.pack for rule in by}
    if _REAL_TIME in packs:
        said += ", since nobody is identified as it happens until an admin disables that pack"
    if _LIVE_SEARCH in packs and use.live_search is not None and use.live_search.unstated:
        *others, last = use.live_search.unstated
        said += f"; state its {' and '.join(filter(None, (', '.join(others), last)))}"
    if not use.granted:
        said += f"; granted to this key: {', '.join(use.principal.purposes) or 'none'}"
    if any(rule.id == STOP_SWITCH for rule in by):
        return (
            f"{said}: `likeness policy list` says what is suspended and why, `likeness policy"
            " resume` lifts it"
        )
    return f"{said}: `likeness policy explain` says who may do what"
