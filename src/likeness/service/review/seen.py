"""A case as somebody may see it at one moment, and the record of every look.

Nobody sees whom a search of their own found before others have decided, whatever their role.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection

from likeness.access import may
from likeness.errors import Conflict, Denied, NotFound
from likeness.gallery import CollectionRows
from likeness.review import (
    Authorisation,
    Candidate,
    Case,
    Judgement,
    Outcome,
    ProbeNote,
    Standing,
    Verdict,
    all_judged_by,
    authorisation_of,
    get_case,
    is_own_case,
    note_of,
    numbers_judged_by,
    open_crop,
    outcome_of,
    outcomes_of,
    own_case_ids,
    probe_crop,
    sighting_crop,
    verdicts_of,
    verdicts_seen_by,
)
from likeness.secrets import Keyring
from likeness.service.uses import Caller, Record, Rows, facts_of, opens_blurred, stated_in
from likeness.terms import UNDECLARED, Action, GroupWarning, LiveStatement, Principal

T = TypeVar("T")


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

    A sighting is somebody seen in a clip, who is neither a reference nor a subject.
    `picture` is whether a picture of their face is kept: without, only `cannot-tell` is taken.
    """

    number: int
    reference_id: UUID | None
    subject_id: UUID | None
    sighting_id: UUID | None
    standing: Standing
    picture: bool
    rank: int | None
    similarity: float | None
    verdicts: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class SeenCase:
    """A case as somebody may see it; without candidates where they may know facts alone.

    `stated` is what was stated of an ongoing search, where it is the case of one as a whole: to
    that an authority consents. `probe_picture` is whether a picture of the face that was searched
    for is kept for them. `group_warning` tells who decides of groups whose strangers often look
    alike to the collection's model, at the false match rate of the settings. `note` is what they
    noted of the face that was searched for, and `owes_note` whether they have to do so before they
    compare anybody with it.
    """

    facts: CaseFacts
    probe_picture: bool
    candidates: tuple[SeenCandidate, ...]
    authorisation: Authorisation | None
    group_warning: GroupWarning | None = None
    stated: LiveStatement | None = None
    note: ProbeNote | None = None
    owes_note: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A case as a principal may see it at one moment."""

    rows: Rows
    principal: Principal
    connection: Connection
    case: Case

    @property
    def keyring(self) -> Keyring:
        """The installation's keys."""
        return self.rows.keyring

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Whom the search found, in the order of their numbers."""
        return outcome_of(self.connection, self.case).candidates

    @property
    def is_own(self) -> bool:
        """Whether it is of a search of theirs."""
        return is_own_case(self.connection, self.case, self.principal.id)

    @property
    def sees_faces(self) -> bool:
        """Whether they may look at faces of it."""
        return may(self.principal.role, Action.REVIEW) and not self.is_own

    def facts(self) -> CaseFacts:
        """Give what there is to know without a face."""
        own = numbers_judged_by(self.connection, self.case, self.principal.id)
        outcome = outcome_of(self.connection, self.case)
        return _facts(self.case, outcome, own, sees=self.sees_faces)

    def seen(self) -> SeenCase:
        """Give all that they may see."""
        facts = self.facts()
        if not self.sees_faces:
            return SeenCase(facts, False, self._found_by_own_watch(facts), None)
        given = verdicts_of(self.connection, self.keyring, self.case)
        note, has_probe = self.note(), self.probe() is not None
        return SeenCase(
            facts,
            has_probe,
            tuple(self._seen_candidate(one, given) for one in self.candidates),
            authorisation_of(self.connection, self.keyring, self.case),
            stated=stated_in(self.connection, self.keyring, self.case),
            note=note,
            owes_note=facts.yours and has_probe and note is None,
        )

    def note(self) -> ProbeNote | None:
        """Give what they noted of the face that was searched for."""
        return note_of(self.connection, self.keyring, self.case, self.principal.id)

    def require_noted(self) -> None:
        """Refuse to compare somebody with a face whose features they have not noted yet."""
        if self.seen().owes_note:
            raise Conflict(
                "Note the features of the face that was searched for first: whoever sees a"
                " candidate before sees what they expect."
            )

    def probe(self) -> bytes | None:
        """Open the picture of the face that was searched for, if one is kept."""
        return probe_crop(self.connection, self.keyring, self.case)

    def face_for_others(self, number: int | None) -> bytes | None:
        """Open a candidate's picture, or without a number that of the face searched for.

        Raises:
            Denied: it is of a search of their own.
        """
        if self.is_own:
            raise Denied(
                f"Case {self.case.id} is of your own use, or of a face that you searched for."
                " Somebody else has to look at it, with a key of role reviewer (docs/review.md)."
            )
        if number is None:
            return self.probe()
        found = (one for one in self.candidates if one.number == number)
        return next((self.face_of(one) for one in found), None)

    def face_of(self, candidate: Candidate) -> bytes | None:
        """Open a candidate's picture, if one is kept; of a whole subject the first."""
        if candidate.sighting_id is not None:
            return sighting_crop(self.connection, self.keyring, self.case, candidate.number)
        if candidate.reference_id is not None:
            ids = [candidate.reference_id]
        else:
            held = _held(self.rows, self.connection, self.case)
            ids = [one.id for one in held.references.known_of_subject(candidate.id)]
        collection_id = self.case.collection_id
        kept = (open_crop(self.connection, self.keyring, collection_id, one) for one in ids)
        return next((crop_jpeg for crop_jpeg in kept if crop_jpeg is not None), None)

    def require_faces(self, number: int | None) -> None:
        """Refuse a verdict on faces that nobody can have looked at; of one's own tell nothing."""
        if self.is_own:
            return
        for one in self.candidates:
            if number not in (None, one.number):
                continue
            if self.probe() is None or self.face_of(one) is None:
                raise Conflict(
                    f"No picture is kept of one of the two faces (candidate {one.number} of case"
                    f" {self.case.id}), so nobody can compare them. Say {Verdict.CANNOT_TELL}."
                )

    def _found_by_own_watch(self, facts: CaseFacts) -> tuple[SeenCandidate, ...]:
        """Give whom people confirmed: a search is done again to learn that, a watch cannot be."""
        own = self.case.watch_id is not None and self.case.principal_id == self.principal.id
        return tuple(
            self._seen_candidate(one, [])
            for one in self.candidates
            if own and facts.decided and one.standing is Standing.CONFIRMED
        )

    def _seen_candidate(self, one: Candidate, given: list[Judgement]) -> SeenCandidate:
        shown = verdicts_seen_by(self.case, one, given, self.principal.id)
        hidden = self.rows.scores_hidden and one.standing is Standing.OPEN and not shown
        return SeenCandidate(
            one.number,
            one.reference_id,
            one.subject_id,
            one.sighting_id,
            one.standing,
            self.face_of(one) is not None,
            None if hidden else one.rank,
            None if hidden else one.similarity,
            tuple(shown),
        )


def facts_of_each(
    connection: Connection, principal: Principal, cases: Sequence[Case]
) -> list[CaseFacts]:
    """Give what there is to know of cases without a face, in few questions however many."""
    outcomes = outcomes_of(connection, cases)
    own, judged = own_case_ids(connection, principal.id), all_judged_by(connection, principal.id)
    sees = may(principal.role, Action.REVIEW)
    return [
        _facts(
            case,
            outcomes[case.id],
            judged.get(case.id, set()),
            sees=sees and case.id not in own,
        )
        for case in cases
    ]


def _facts(case: Case, outcome: Outcome, judged: set[int], *, sees: bool) -> CaseFacts:
    yours = sees and any(
        one.standing is Standing.OPEN and one.number not in judged for one in outcome.candidates
    )
    empty = sees and not (outcome.candidates or case.is_of_whole)
    return CaseFacts(case, outcome.decided, yours, empty)


def seen_by(rows: Rows, caller: Caller, case: Case) -> SeenCase:
    """Give a case as far as somebody may see it, with a warning of groups where one is due."""
    seen = read_as(rows, caller, case, View.seen)
    if not seen.candidates or not rows.warn_from:
        return seen
    try:
        calibration = rows.calibration_of(
            rows.database.read(
                lambda connection: rows.collections.of_id(connection, case.collection_id)
            )
        )
    except NotFound:  # it was just erased, or nobody has measured what its scores mean
        return seen
    warning = calibration.group_warning(calibration.point(rows.fmr), rows.warn_from)
    return replace(seen, group_warning=warning)


def read_as(rows: Rows, caller: Caller, case: Case, act: Callable[[View], T]) -> T:
    """Read a case as somebody may see it."""
    return rows.database.read(
        lambda connection: act(View(rows, caller.principal, connection, case))
    )


@contextmanager
def recorded(
    rows: Rows, caller: Caller, action: Action, case_id: UUID
) -> Iterator[tuple[Record, Case]]:
    """Find a case and have a use of it recorded, which has the purpose of the case."""
    role = caller.principal.role
    if not may(role, looking_of(caller)):  # nobody else learns which cases there are
        with rows.record_use(caller, caller.use(action, UNDECLARED)):
            require_reader(caller)
    case = rows.database.read(lambda connection: get_case(connection, case_id, rows.clock()))
    facts = rows.database.read(
        lambda connection: facts_of(_held(rows, connection, case).tags.all())
    )
    use = caller.use(action, case.purpose)
    with rows.record_use(
        caller, replace(use, collection_id=case.collection_id, collection=facts)
    ) as record:
        _require(caller, may(role, action), f"{action.value} cases")
        yield record, case


def _held(rows: Rows, connection: Connection, case: Case) -> CollectionRows:
    return rows.collections.of_id(connection, case.collection_id).within(connection)


def looking_of(caller: Caller) -> Action:
    """Say as what somebody reads cases: reviewers see faces, auditors facts alone."""
    return Action.REVIEW if may(caller.principal.role, Action.REVIEW) else Action.AUDIT


def require_reader(caller: Caller) -> None:
    """Refuse whoever may not read cases."""
    _require(caller, may(caller.principal.role, looking_of(caller)), "read cases")


def _require(caller: Caller, allowed: bool, what: str) -> None:
    if not allowed:
        raise Denied(
            f"{caller.principal.id} of role {caller.principal.role} may not {what}. Ask an admin"
            " for a key that may."
        )


def details_of(case: Case) -> dict[str, str]:
    """Say in an entry which case it is about."""
    return {"case_id": str(case.id)}


def blurred_details(case: Case, *, unblurred: bool) -> dict[str, str]:
    """Say in an entry whether faces that open blurred were looked at as they are."""
    return {"unblurred": "yes" if unblurred else "no"} if opens_blurred(case.purpose) else {}
