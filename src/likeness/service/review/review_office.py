"""Look at cases and decide them, each act on record.

Who may do what: reviewers look and decide, admins record authorisations, auditors read facts alone.
Nobody sees whom a search of their own found before others have decided, whatever their role.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection

from likeness.access import may
from likeness.errors import Conflict, Denied, NotFound
from likeness.gallery import CollectionRows, Collections
from likeness.review import (
    Authorisation,
    Candidate,
    Case,
    Given,
    Standing,
    Verdict,
    authorisations,
    cases,
    crops,
    verdicts,
)
from likeness.secrets import Keyring
from likeness.service.uses.collection_facts import facts_of
from likeness.service.uses.record import Desk, Outcome, Record
from likeness.storage import Database
from likeness.terms import Action, CollectionFacts, Principal, Use


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """A case without anybody's face; `yours` is whether the one who asks has a verdict to give.

    `empty` is whether it found nobody; it seems not to be to those who may know facts alone.
    """

    case: Case
    decided: bool
    yours: bool
    empty: bool


@dataclass(frozen=True, slots=True)
class SeenCandidate:
    """A candidate as somebody may see them; rank and similarity are None where they are hidden.

    `picture` is whether a picture of their face is kept: without, only `cannot-tell` is taken.
    """

    number: int
    reference_id: UUID | None
    subject_id: UUID | None
    standing: Standing
    picture: bool
    rank: int | None
    similarity: float | None
    verdicts: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class SeenCase:
    """A case as somebody may see it; without candidates where they may know facts alone.

    `probe_picture` is whether a picture of the face that was searched for is kept for them.
    """

    facts: CaseFacts
    probe_picture: bool
    candidates: tuple[SeenCandidate, ...]
    authorisation: Authorisation | None


@dataclass(frozen=True, slots=True)
class ReviewOffice:
    """Where `principal` works on cases; policy may refuse every act (`Denied`).

    `scores_hidden` keeps ranks and similarities from reviewers until they have decided.
    """

    database: Database
    keyring: Keyring
    collections: Collections
    desk: Desk
    principal: Principal
    scores_hidden: bool = False
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def every(self) -> list[CaseFacts]:
        """List the cases that live, the oldest first.

        Raises:
            Denied: the role may not.
        """
        now = self.clock()
        with self.desk.record(Use(self.principal, self._looking, "ListCases")) as record:
            self._require_reader()
            listed = self.database.read(
                lambda connection: [
                    self._facts(connection, one) for one in cases.every(connection, now)
                ]
            )
            record.answered(Outcome())
        return listed

    def show(self, case_id: UUID) -> SeenCase:
        """Show a case as far as one may see it.

        Raises:
            NotFound: there is no such case.
        """
        with self._on_record(self._looking, "ShowCase", case_id) as (record, case):
            seen = self.database.read(lambda connection: self._seen(connection, case))
            record.answered(Outcome(details=_of(case)))
        return seen

    def probe_crop(self, case_id: UUID) -> bytes:
        """Give the picture of the face that was searched for, a JPEG.

        Raises:
            NotFound: there is no such case, or no picture was kept.
        """
        return self._picture(
            case_id, lambda connection, case: cases.probe_crop(connection, self.keyring, case)
        )

    def candidate_crop(self, case_id: UUID, number: int) -> bytes:
        """Give the picture of a candidate's face, a JPEG; of a subject as a whole the first kept.

        Raises:
            NotFound: there is no such case or candidate, or no picture was kept.
        """

        def opened(connection: Connection, case: Case) -> bytes | None:
            for one in cases.outcome_of(connection, case).candidates:
                if one.number == number:
                    return self._face_of(connection, case, one)
            return None

        return self._picture(case_id, opened)

    def decide(self, case_id: UUID, number: int | None, verdict: Verdict, reason: str) -> SeenCase:
        """Give a verdict on a candidate; `number` may be None where there is a single one.

        Raises:
            InvalidRequest, NotFound, Denied, Conflict: see `verdicts.decide`; and there is no
                picture of one of the two faces, where they are said to be the same or not.
        """
        now = self.clock()
        with self._on_record(Action.REVIEW, "DecideCase", case_id) as (record, case):
            if verdict is not Verdict.CANNOT_TELL:
                self.database.read(lambda connection: self._require_faces(connection, case, number))
            record.write(
                lambda connection: verdicts.decide(
                    connection,
                    self.keyring,
                    case_id,
                    number,
                    self.principal.id,
                    verdict,
                    reason,
                    now,
                ),
                lambda decided: _outcome(*decided, verdict),
            )
        return self.database.read(lambda connection: self._seen(connection, case))

    def authorise(self, case_id: UUID, authority: str, number: str) -> CaseFacts:
        """Record an authority's consent.

        Raises:
            InvalidRequest, NotFound, Denied, Conflict: see `authorisations.authorise`.
        """
        now = self.clock()
        with self._on_record(Action.AUTHORISE, "AuthoriseCase", case_id) as (record, case):
            authorised = record.write(
                lambda connection: authorisations.authorise(
                    connection, self.keyring, case_id, self.principal.id, authority, number, now
                ),
                lambda _: Outcome(details=_of(case)),
            )
        return self.database.read(lambda connection: self._facts(connection, authorised))

    @contextmanager
    def _on_record(
        self, action: Action, operation: str, case_id: UUID
    ) -> Iterator[tuple[Record, Case]]:
        if not self._reads:  # nobody else learns which cases there are
            with self.desk.record(Use(self.principal, action, operation)):
                self._require_reader()
        case = self.database.read(lambda connection: cases.get(connection, case_id, self.clock()))
        facts = self.database.read(lambda connection: self._collection_facts(connection, case))
        use = Use(
            self.principal,
            action,
            operation,
            case.collection_id,
            facts,
            case.purpose,
        )
        with self.desk.record(use) as record:
            self._require(self._may(action), f"{action.value} cases")
            yield record, case

    def _collection_facts(self, connection: Connection, case: Case) -> CollectionFacts:
        return facts_of(self._rows(connection, case).tags.all())

    def _rows(self, connection: Connection, case: Case) -> CollectionRows:
        return self.collections.of_id(connection, case.collection_id).within(connection)

    def _face_of(self, connection: Connection, case: Case, candidate: Candidate) -> bytes | None:
        if candidate.reference_id is not None:
            ids = [candidate.reference_id]
        else:
            held = self._rows(connection, case).references.of_subject(candidate.id)
            ids = [one.id for one in held]
        kept = (crops.opened(connection, self.keyring, case.collection_id, one) for one in ids)
        return next((crop_jpeg for crop_jpeg in kept if crop_jpeg is not None), None)

    def _require_faces(self, connection: Connection, case: Case, number: int | None) -> None:
        """Refuse a verdict on faces that nobody can have looked at; of one's own tell nothing."""
        if cases.is_own(connection, case, self.principal.id):
            return
        probe = cases.probe_crop(connection, self.keyring, case)
        for one in cases.outcome_of(connection, case).candidates:
            if number not in (None, one.number):
                continue
            if probe is None or self._face_of(connection, case, one) is None:
                raise Conflict(
                    "a verdict on two faces that can be looked at was expected, and of one no"
                    f" picture was kept (candidate {one.number} of case {case.id}): say"
                    f" {Verdict.CANNOT_TELL}"
                )

    def _picture(self, case_id: UUID, opened: Callable[[Connection, Case], bytes | None]) -> bytes:
        with self._on_record(Action.REVIEW, "ShowFace", case_id) as (record, case):

            def opened_to_others(connection: Connection) -> bytes | None:
                if cases.is_own(connection, case, self.principal.id):
                    raise Denied(
                        f"somebody else was expected to look at case {case_id}, which is of your"
                        " own use or of the same face: another person has to, with a key of role"
                        " reviewer (docs/review.md)"
                    )
                return opened(connection, case)

            crop_jpeg = self.database.read(opened_to_others)
            if crop_jpeg is None:
                raise NotFound(
                    f"a picture of case {case_id} was expected and none was kept: crops were off"
                    " when it was enrolled, or it is erased"
                )
            record.answered(Outcome(faces=1, details=_of(case)))
        return crop_jpeg

    def _facts(self, connection: Connection, case: Case) -> CaseFacts:
        outcome = cases.outcome_of(connection, case)
        own = verdicts.numbers_of(connection, case, self.principal.id)
        sees = self._sees_faces(connection, case)
        yours = sees and any(
            one.standing is Standing.OPEN and one.number not in own for one in outcome.candidates
        )
        empty = sees and not outcome.candidates
        return CaseFacts(case, outcome.decided, yours, empty)

    def _seen(self, connection: Connection, case: Case) -> SeenCase:
        facts = self._facts(connection, case)
        if not self._sees_faces(connection, case):
            return SeenCase(facts, False, self._found_by_own_watch(connection, facts), None)
        given = verdicts.of_case(connection, self.keyring, case)
        return SeenCase(
            facts,
            cases.probe_crop(connection, self.keyring, case) is not None,
            tuple(
                self._seen_candidate(connection, case, one, given)
                for one in cases.outcome_of(connection, case).candidates
            ),
            authorisations.of_case(connection, self.keyring, case),
        )

    def _found_by_own_watch(
        self, connection: Connection, facts: CaseFacts
    ) -> tuple[SeenCandidate, ...]:
        """Give whom people confirmed: a search is done again to learn that, a watch cannot be."""
        case = facts.case
        if case.watch_id is None or case.principal_id != self.principal.id or not facts.decided:
            return ()
        return tuple(
            self._seen_candidate(connection, case, one, [])
            for one in cases.outcome_of(connection, case).candidates
            if one.standing is Standing.CONFIRMED
        )

    def _seen_candidate(
        self, connection: Connection, case: Case, one: Candidate, given: list[Given]
    ) -> SeenCandidate:
        shown = verdicts.seen_by(case, one, given, self.principal.id)
        hidden = self.scores_hidden and one.standing is Standing.OPEN and not shown
        return SeenCandidate(
            one.number,
            one.reference_id,
            one.subject_id,
            one.standing,
            self._face_of(connection, case, one) is not None,
            None if hidden else one.rank,
            None if hidden else one.similarity,
            tuple(shown),
        )

    def _may(self, action: Action) -> bool:
        return may(self.principal.role, action)

    def _sees_faces(self, connection: Connection, case: Case) -> bool:
        own = cases.is_own(connection, case, self.principal.id)
        return self._may(Action.REVIEW) and not own

    @property
    def _looking(self) -> Action:
        return Action.REVIEW if self._may(Action.REVIEW) else Action.AUDIT

    @property
    def _reads(self) -> bool:
        return self._may(self._looking)

    def _require_reader(self) -> None:
        self._require(self._reads, "read cases")

    def _require(self, allowed: bool, what: str) -> None:
        if not allowed:
            raise Denied(
                f"somebody who may {what} was expected, and {self.principal.id} of role"
                f" {self.principal.role} may not: ask an admin who may"
            )


def _outcome(case: Case, candidate: Candidate, verdict: Verdict) -> Outcome:
    return Outcome(
        candidates=1,
        reference_ids=() if candidate.reference_id is None else (candidate.reference_id,),
        subject_ids=() if candidate.subject_id is None else (candidate.subject_id,),
        details={**_of(case), "verdict": verdict.value, "standing": candidate.standing.value},
    )


def _of(case: Case) -> dict[str, str]:
    """Say in an entry which case it is about."""
    return {"case_id": str(case.id)}
