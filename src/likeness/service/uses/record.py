"""How a use leaves proof: no permit, no use; no entry, no answer.

    with desk.record(use) as record:        # admitted, or Denied; every exit leaves an entry
        ...                                 # decode, embed, search
        released = record.release(matches, probe, among)
        record.answered(Outcome(faces=1, candidates=len(released)))

An act that changes rows calls `write` once, in place of `answered`.

1. A use is admitted before anything is done (`admission.py`).
2. A use that computes with people's faces, or erases them, leaves an entry before it begins, so
   that one that is cut off leaves a trace.
3. Rules are asked again when scores exist, with what people have decided meanwhile.
4. Whoever works for long asks the rules again now and then, by `require_still_admitted`; of a
   search that goes on until it is ended, `ongoing.py` says more.
5. Every use ends with an entry: done, withheld, refused or failed. What it changes is committed
   together with that entry.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import Refused, required
from likeness.gallery import Collection
from likeness.ledger import Event, Kind, Position
from likeness.policy import (
    Circumstances,
)
from likeness.service.uses.admission import Admission, denial
from likeness.service.uses.caller import is_local, present_holder
from likeness.service.uses.collection_facts import use_in
from likeness.service.uses.forget import forget
from likeness.service.uses.ongoing import Consent, Ongoing
from likeness.service.uses.withhold import (
    OF_PEOPLE,
    M,
    Probe,
    Query,
    confirmed,
    crop_of,
)
from likeness.terms import Action, Decision, Duty, Principal, Use

T = TypeVar("T")

_LEAVES_INTENT = frozenset(
    {Action.DETECT, Action.COMPARE, Action.SEARCH, Action.ENROL, Action.WATCH, Action.ERASE}
)

# Of an entry that is about more people, the first so many; all are counted.
_COMMITTED_TO = 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a use: counts, ids and words of ours, which an entry may hold.

    Of subjects and references an entry holds commitments. `forgotten` are those that the act has
    erased, with `forgets_collection` all that there were: what ties entries to them goes too.
    """

    faces: int = 0
    candidates: int = 0
    reference_ids: tuple[UUID, ...] = ()
    subject_ids: tuple[UUID, ...] = ()
    certificate_id: UUID | None = None
    key_id: UUID | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    forgotten: Iterable[UUID] = ()
    forgets_collection: bool = False


@dataclass(frozen=True, slots=True)
class Desk(Admission):
    """Admits uses by role and rules, and keeps their record in the ledger."""

    @contextmanager
    def record(self, use: Use, ongoing: Ongoing | None = None) -> Iterator["Record"]:
        """Admit a use and keep its record; `ongoing` is the search that it begins or is part of.

        Raises:
            Denied: its role or a rule forbids it; that is recorded.
            LedgerBroken: it cannot be recorded, so nothing is done.
        """
        consent = self.consent_to(ongoing)
        record = Record(self, use, *self.admit(use, ongoing, consent), ongoing, consent)
        if use.action in _LEAVES_INTENT:
            record.begin()
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


class Record:
    """One use from its admission to its last entry in the ledger; one thread has it.

    `decision` is the last that was made, and `receipt` the id of the last entry. `case_id` is the
    review case of the use, if it has one. `ended` says whether what came of the use is recorded,
    and `withheld` whether that is that its answer is withheld; `withholds` whether what `release`
    was asked for last is, and `asked_case_id` the case of that. `confirmed` says whether people
    have decided the case of what `release` gave last, and `confirmed_ids` whom they confirmed:
    references, or subjects where all of theirs were fused.
    """

    def __init__(
        self,
        desk: Admission,
        use: Use,
        decision: Decision,
        circumstances: Circumstances,
        ongoing: Ongoing | None = None,
        consent: Consent = Consent.NOT_ASKED,
    ) -> None:
        """Begin with what was decided, and under which circumstances, when it was admitted."""
        self.use = use
        self.decision = decision
        self.receipt: str | None = None
        self.case_id: UUID | None = None
        self.ended = False
        self.withheld = False
        self.withholds = False
        self.confirmed = False
        self.confirmed_ids = frozenset[UUID]()
        self._desk = desk
        # What is owed of every face of a sample, whatever was released of those before.
        self._admission = decision
        self._circumstances = circumstances
        self._ongoing = ongoing
        self._consent = consent
        self.asked_case_id: UUID | None = None
        # Whether review keeps anything of the collection, so that there is something to look for.
        self._was_reviewed = False

    @property
    def _part_of(self) -> Mapping[str, str]:
        """Say for an entry of which ongoing search the use is a part."""
        return {} if self._ongoing is None else self._ongoing.details(self._consent)

    def begin(self) -> None:
        """Leave the entry that says that work begins; durable when this returns."""
        event = Event(Kind.INTENT, self.use, self.decision, details=self._part_of)

        def begin(connection: Connection) -> Position:
            self._was_reviewed = self._desk.withholding.has_reviewed(connection, self.use)
            return self._desk.ledger.append(connection, event)

        self._acknowledge(Kind.INTENT, self._desk.database.write(begin))

    def note(self, kind: Kind, **details: str) -> None:
        """Leave an entry without an outcome; durable when this returns."""
        self._append(Event(kind, self.use, self.decision, details={**self._part_of, **details}))

    def require_still_admitted(self, of: Collection | None = None) -> None:
        """Ask the rules in force again, of whoever holds the key now: for what works for long.

        `of` is the collection that is used, whose tags may have changed. What rules owe from now on
        is owed of the answer.

        Raises:
            Denied: the stop switch is on, a rule or a key's new grant refuses, the key is disabled,
                or the consent that an ongoing search owes did not come in time.
            NotFound: the collection is erased.
        """
        desk, principal = self._desk, self.use.principal
        holder: Principal | None
        use, keyring, holder = self.use, desk.withholding.keyring, principal
        if not is_local(principal.id):
            holder = desk.database.read(
                lambda connection: present_holder(connection, keyring, principal.id)
            )
        if holder is not None:
            lost = use.purpose in set(principal.purposes) - set(holder.purposes)
            use = replace(use, principal=holder, granted=use.granted and not lost)
        if of is not None:
            use = use_in(use, of.id, of.read(lambda rows: rows.tags.all()), of.model)
        ongoing, consent = self._ongoing, desk.consent_to(self._ongoing)
        # It is counted among the day's uses since it began.
        seen = desk.circumstances(use, self._circumstances.uses_today, ongoing, consent)
        decision = desk.decided_again(use, seen, holder, ongoing, consent)
        self.use, self.decision, self._consent = use, decision, consent
        if decision.refused_by:
            raise denial(use, decision)
        self._admission, self._circumstances = decision, seen
        # What people have decided by now counts, too.
        self._was_reviewed = self._was_reviewed or desk.database.read(
            lambda connection: desk.withholding.has_reviewed(connection, use)
        )

    def decision_as(self, action: Action) -> Decision | None:
        """Ask the rules whether this use may be another action too; None where they do not.

        For what tells more than was asked for: whoever may not search is told of nobody whom a
        search would find. Nor is anybody where people would have to look first.
        """
        use = replace(self.use, action=action)
        uses_today = self._circumstances.uses_today
        seen = self._desk.circumstances(use, uses_today, self._ongoing, self._consent)
        decision = self._desk.decided_again(use, seen, use.principal, self._ongoing, self._consent)
        owes_people = any(one.duty in OF_PEOPLE for one in decision.obligations)
        return None if decision.refused_by or owes_people else decision

    def ask_authority(self, connection: Connection) -> UUID | None:
        """Open the case of an ongoing search as a whole, in the act that begins it.

        None where rules owe no authority's consent. It ends with what the search has found.
        """
        if self._admission.amount_of(Duty.AUTHORISATION) is None:
            return None
        now = self._desk.clock()
        case = self._desk.withholding.open_of_whole(connection, self.use, self._admission, now)
        self.case_id = case.id
        return case.id

    def not_told_apart(self, matches: Sequence[M], probe: Probe) -> Sequence[M]:
        """Leave out whom people told apart from a probe, as `release` does.

        Whoever wants so many matches looks for others in their place.
        """
        if not (self._was_reviewed and matches):
            return matches
        desk = self._desk
        query = Query(self.use, self._admission, probe, desk.clock())
        return desk.database.read(
            lambda connection: desk.withholding.not_told_apart(connection, query, matches)
        )

    def release(
        self,
        matches: Sequence[M],
        probe: Probe,
        among: Callable[[Sequence[UUID]], Sequence[M]],
        least: float = 0.0,
    ) -> list[M]:
        """Ask policy again, now that scores exist; give what may be answered.

        Whom people confirmed is answered, whoever was enrolled since and is more alike: `among`
        gives who of some references or subjects would be matches if nobody else were enrolled.
        Nobody is asked about those who are less alike than `least`, 0 to 100: they are answered
        where rules owe nothing for them.

        Raises:
            Denied: nothing may be.
        """
        desk, now = self._desk, self._desk.clock()
        query = Query(self.use, self._admission, probe, now, self._ongoing)
        floor = self._admission.amount_of(Duty.SIMILARITY) or 0.0
        found = [match for match in matches if match.similarity >= floor]
        pending = None
        if self._was_reviewed:
            every = found
            found, pending = desk.database.read(
                lambda connection: desk.withholding.known(connection, query, every)
            )
        alike = [match for match in found if match.similarity >= least]
        agreed, seen = alike, self._circumstances
        self.confirmed, self.asked_case_id = False, None
        self.withholds = False
        self.confirmed_ids = frozenset[UUID]()
        owes_people = any(one.duty in OF_PEOPLE for one in self._admission.obligations)
        if pending is not None:
            self.case_id = self.asked_case_id = pending.case.id
            self.confirmed = pending.outcome.decided
            seen = pending.circumstances(seen, now)
        # A case that no rule owes holds nothing back while it waits, and nobody whom it is not of.
        if pending is not None and (self.confirmed or owes_people):
            agreed = [one for one in confirmed(pending, alike, among) if one.similarity >= floor]
            self.confirmed_ids = frozenset(pending.outcome.confirmed_ids)
            if not owes_people:
                others = [one for one in alike if not pending.is_of(one)]
                agreed = sorted([*agreed, *others], key=lambda one: -one.similarity)
        decision = self._decided(agreed, seen, now)
        owed = {one.duty for one in decision.obligations}
        if (
            decision.refused_by
            or owed - OF_PEOPLE
            or (
                owed
                and desk.withholding.impossible(self.use, decision, self._ongoing, self._consent)
            )
        ):
            self.decision = decision
            raise denial(self.use, decision)
        if owed:
            if self._ongoing is not None and owed == {Duty.AUTHORISATION}:
                self._await_authority(decision)
            else:
                self._open_case(Kind.WITHHELD, query, alike)
            self.withholds = True
            return []
        self.decision = decision
        others = [match for match in found if match.similarity < least]
        if others:
            of_all = self._decided([*agreed, *others], self._circumstances, now)
            if not (of_all.refused_by or of_all.obligations):
                return [*agreed, *others]
        return agreed

    def refer(self, matches: Sequence[M], probe: Probe) -> None:
        """Let people decide on matches that rates do not settle, where pictures are kept."""
        keeps = self._desk.withholding.keeps_crops and self.use.collection_id is not None
        if not keeps or not matches or self.asked_case_id is not None:
            return
        # The use goes on, and ends with an entry of its own.
        query = Query(self.use, self._admission, probe, self._desk.clock(), self._ongoing)
        self._open_case(Kind.INTENT, query, matches)

    def write(self, act: Callable[[Connection], T], outcome: Callable[[T], Outcome]) -> T:
        """Run an act in a transaction, together with the entry that says what came of it.

        Raises what `Database.write` raises, and LedgerBroken.
        """
        ledger, database = self._desk.ledger, self._desk.database
        keyring = self._desk.withholding.keyring

        def write(connection: Connection) -> tuple[T, Position]:
            result = act(connection)
            came = outcome(result)
            position = ledger.append(connection, self._done(came))
            # Afterwards, since the entry commits to those who are forgotten.
            whole = self.use.collection_id if came.forgets_collection else None
            forget(connection, keyring, ledger, came.forgotten, whole, came.certificate_id)
            return result, position

        result, position = database.write(write)
        self._acknowledge(Kind.DONE, position)
        return result

    def answered(self, outcome: Outcome) -> None:
        """Leave the entry of an act that changed no rows; durable when this returns."""
        if not self.ended:  # else it was withheld, as its entry says
            self._append(self._done(outcome))

    def answered_in_part(self, outcome: Outcome) -> None:
        """Leave the entry of what is answered beside what is withheld; durable when this returns.

        Of a search for several people, each of whom is answered by themselves.
        """
        self._append(self._done(outcome))

    def _decided(self, matches: Sequence[M], seen: Circumstances, now: datetime) -> Decision:
        least = min((match.similarity for match in matches), default=100.0)
        return self._desk.rules.decide(self.use, replace(seen, similarity=least), now)

    def _await_authority(self, decision: Decision) -> None:
        """Withhold until the ongoing search as a whole is consented to: nobody need look."""
        case_id = None if self._ongoing is None else self._ongoing.case_id
        self.case_id = self.asked_case_id = required(case_id, "the case of an ongoing search")
        ids = {"case": self.case_id}
        self._append(Event(Kind.WITHHELD, self.use, decision, ids=ids, details=self._part_of))

    def _open_case(self, kind: Kind, query: Query, matches: Sequence[M]) -> None:
        desk, crop_jpeg = self._desk, crop_of(query.probe)

        def open_case(connection: Connection) -> tuple[UUID, Position]:
            case = desk.withholding.open(connection, query, matches, crop_jpeg)
            ids = {"case": case.id}
            event = Event(kind, self.use, self._admission, ids=ids, details=self._part_of)
            return case.id, desk.ledger.append(connection, event)

        self.case_id, position = desk.database.write(open_case)
        self.asked_case_id = self.case_id
        self._was_reviewed = True
        self._acknowledge(kind, position)

    def _done(self, outcome: Outcome) -> Event:
        counts = {
            "faces": outcome.faces,
            "candidates": outcome.candidates,
            "subjects": len(outcome.subject_ids),
            "references": len(outcome.reference_ids),
        }
        ids = {"certificate": outcome.certificate_id, "key": outcome.key_id}
        if self._ongoing is not None and self._ongoing.begins:
            ids["case"] = self.case_id
        return Event(
            Kind.DONE,
            self.use,
            self.decision,
            counts={name: count for name, count in counts.items() if count},
            ids={name: each for name, each in ids.items() if each is not None},
            subject_ids=outcome.subject_ids[:_COMMITTED_TO],
            reference_ids=outcome.reference_ids[:_COMMITTED_TO],
            details={**self._part_of, **outcome.details},
        )

    def _append(self, event: Event) -> None:
        ledger = self._desk.ledger
        self._acknowledge(
            event.kind,
            self._desk.database.write(lambda connection: ledger.append(connection, event)),
        )

    def _acknowledge(self, kind: Kind, position: Position) -> None:
        self.receipt = self._desk.ledger.receipt_id(position)
        self.ended = kind is not Kind.INTENT
        self.withheld = kind is Kind.WITHHELD
