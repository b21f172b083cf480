"""The record of one use, from its admission to its last entry in the ledger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import Denied
from likeness.ledger import Event, Kind, Ledger, Position
from likeness.policy import STOP_SWITCH, Circumstances, Notice, RulesInForce
from likeness.service.erase.forget import forget
from likeness.service.uses.record import M, Outcome, Probe
from likeness.service.uses.withhold import OF_PEOPLE, Withholding, confirmed, crop_of
from likeness.storage import Database
from likeness.terms import Decision, Duty, Use

T = TypeVar("T")

# Of an entry that is about more people, the first so many; all are counted.
_COMMITTED_TO = 1000


@dataclass(frozen=True, slots=True)
class Office:
    """What a record is kept with."""

    database: Database
    ledger: Ledger
    rules: RulesInForce
    withholding: Withholding
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


class UseRecord:
    """A `Record` whose entries stand in the ledger; one thread has it.

    `decision` is the last that was made.
    """

    def __init__(
        self, office: Office, use: Use, decision: Decision, circumstances: Circumstances
    ) -> None:
        """Begin with what was decided, and under which circumstances, when it was admitted."""
        self.use = use
        self.decision = decision
        self.receipt: str | None = None
        self.case_id: UUID | None = None
        self.ended = False
        self.withheld = False
        self.confirmed = False
        self.confirmed_ids = frozenset[UUID]()
        # Of the face that was released last.
        self._has_case = False
        self._office = office
        # What is owed of every face of a sample, whatever was released of those before.
        self._admission = decision
        self._circumstances = circumstances

    def note(self, kind: Kind, **details: str) -> None:
        """Leave an entry without an outcome; durable when this returns."""
        self._append(Event(kind, self.use, self.decision, details=details))

    def release(
        self, matches: Sequence[M], probe: Probe, among: Callable[[Sequence[UUID]], Sequence[M]]
    ) -> list[M]:
        """Ask policy again, now that scores exist; give what may be answered.

        Raises:
            Denied: nothing may be.
        """
        office, now = self._office, self._office.clock()
        floor = self._admission.amount_of(Duty.SIMILARITY) or 0.0
        alike = [match for match in matches if match.similarity >= floor]
        alike, pending = office.database.read(
            lambda connection: office.withholding.known(
                connection, self.use, self._admission, probe, alike, now
            )
        )
        agreed, seen = alike, self._circumstances
        self.confirmed, self._has_case = False, pending is not None
        self.confirmed_ids = frozenset[UUID]()
        owes_people = any(one.duty in OF_PEOPLE for one in self._admission.obligations)
        if pending is not None:
            self.case_id = pending.case.id
            self.confirmed = pending.outcome.decided
            seen = pending.circumstances(seen, now)
        # A case that no rule owes holds nothing back while it waits, and nobody whom it is not of.
        if pending is not None and (self.confirmed or owes_people):
            agreed = [one for one in confirmed(pending, alike, among) if one.similarity >= floor]
            self.confirmed_ids = frozenset(pending.outcome.confirmed_ids)
            if not owes_people:
                others = [one for one in alike if not pending.is_of(one)]
                agreed = sorted([*agreed, *others], key=lambda one: -one.similarity)
        least = min((match.similarity for match in agreed), default=100.0)
        decision = office.rules.decide(self.use, replace(seen, similarity=least), now)
        owed = {one.duty for one in decision.obligations}
        if (
            decision.refused_by
            or owed - OF_PEOPLE
            or (owed and office.withholding.impossible(self.use, decision))
        ):
            self.decision = decision
            raise Denied(refusal(self.use, decision))
        if owed:
            self._open_case(Kind.WITHHELD, alike, probe, now)
            return []
        self.decision = decision
        return agreed

    def refer(self, matches: Sequence[M], probe: Probe) -> None:
        """Let people decide on matches that rates do not settle, where pictures are kept."""
        office, now = self._office, self._office.clock()
        keeps = office.withholding.keeps_crops and self.use.collection_id is not None
        if not keeps or not matches or self._has_case:
            return
        # The use goes on, and ends with an entry of its own.
        self._open_case(Kind.INTENT, matches, probe, now)

    def write(self, act: Callable[[Connection], T], outcome: Callable[[T], Outcome]) -> T:
        """Run an act in a transaction, together with the entry that says what came of it.

        Raises what `Database.write` raises, and LedgerBroken.
        """
        office = self._office

        def act_on_record(connection: Connection) -> tuple[T, Position]:
            result = act(connection)
            came = outcome(result)
            position = office.ledger.append(connection, self._done(came))
            # Afterwards, since the entry commits to those who are forgotten.
            forget(connection, office.ledger, self.use.collection_id, came)
            return result, position

        result, position = office.database.write(act_on_record)
        self._acknowledge(Kind.DONE, position)
        return result

    def answered(self, outcome: Outcome) -> None:
        """Leave the entry of an act that changed no rows; durable when this returns."""
        if not self.ended:  # else it was withheld, as its entry says
            self._append(self._done(outcome))

    def _open_case(self, kind: Kind, matches: Sequence[M], probe: Probe, now: datetime) -> None:
        office, crop_jpeg = self._office, crop_of(probe)

        def open_case(connection: Connection) -> tuple[UUID, Position]:
            case = office.withholding.open(
                connection, self.use, self._admission, probe, crop_jpeg, matches, now
            )
            event = Event(kind, self.use, self._admission, ids={"case": case.id})
            return case.id, office.ledger.append(connection, event)

        self.case_id, position = office.database.write(open_case)
        self._acknowledge(kind, position)

    def _done(self, outcome: Outcome) -> Event:
        counts = {
            "faces": outcome.faces,
            "candidates": outcome.candidates,
            "subjects": len(outcome.subject_ids),
            "references": len(outcome.reference_ids),
        }
        ids = {"certificate": outcome.certificate_id, "key": outcome.key_id}
        return Event(
            Kind.DONE,
            self.use,
            self.decision,
            counts={name: count for name, count in counts.items() if count},
            ids={name: each for name, each in ids.items() if each is not None},
            subject_ids=outcome.subject_ids[:_COMMITTED_TO],
            reference_ids=outcome.reference_ids[:_COMMITTED_TO],
            details=outcome.details,
        )

    def _append(self, event: Event) -> None:
        ledger = self._office.ledger
        self._acknowledge(
            event.kind,
            self._office.database.write(lambda connection: ledger.append(connection, event)),
        )

    def _acknowledge(self, kind: Kind, position: Position) -> None:
        self.receipt = self._office.ledger.receipt_id(position)
        self.ended = kind is not Kind.INTENT
        self.withheld = kind is Kind.WITHHELD


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
    if owed & OF_PEOPLE:
        said += (
            ", since people have to look first: they can at a search or a watch, while pictures are"
            " kept (LIKENESS_CROPS=on)"
        )
    if not use.granted:
        said += f"; granted to this key: {', '.join(use.principal.purposes) or 'none'}"
    if any(rule.id == STOP_SWITCH for rule in by):
        return (
            f"{said}: `likeness policy list` says what is suspended and why, `likeness policy"
            " resume` lifts it"
        )
    return f"{said}: `likeness policy explain` says who may do what"
