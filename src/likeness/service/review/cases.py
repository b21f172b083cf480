"""Look at cases and decide them, each act on record.

Reviewers look and decide, admins record authorisations, auditors read facts alone. Nobody sees whom
a search of their own found before others have decided, whatever their role.
"""

from collections.abc import Callable, Iterator
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
    Standing,
    Verdict,
    authorisation_of,
    authorise,
    get_case,
    give_verdict,
    is_own_case,
    live_cases,
    numbers_judged_by,
    open_crop,
    outcome_of,
    probe_crop,
    sighting_crop,
    verdicts_of,
    verdicts_seen_by,
)
from likeness.secrets import Keyring
from likeness.service.uses import (
    Caller,
    Outcome,
    Record,
    Rows,
    facts_of,
    opens_blurred,
    stated_in,
    still_of,
)
from likeness.storage import legible_named
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
    alike to the collection's model, at the false match rate of the settings.
    """

    facts: CaseFacts
    probe_picture: bool
    candidates: tuple[SeenCandidate, ...]
    authorisation: Authorisation | None
    group_warning: GroupWarning | None = None
    stated: LiveStatement | None = None


def list_cases(rows: Rows, caller: Caller) -> list[CaseFacts]:
    """List the cases that live, the oldest first.

    Raises:
        Denied: the role may not.
    """
    use = caller.use(_looking(caller), UNDECLARED)
    with rows.record_use(caller, use) as record:
        _require_reader(caller)
        listed = rows.database.read(
            lambda connection: legible_named(
                connection,
                "review_cases",
                live_cases(connection, rows.clock()),
                lambda one: _View(rows, caller.principal, connection, one).facts(),
            )
        )
        record.answered(Outcome())
    return listed


def show_case(rows: Rows, caller: Caller, case_id: UUID) -> SeenCase:
    """Show a case as far as the caller may see it.

    Raises:
        NotFound: there is no such case.
    """
    with _recorded(rows, caller, _looking(caller), case_id) as (record, case):
        seen = _seen(rows, caller, case)
        record.answered(Outcome(details=_of(case)))
    return seen


def show_face(
    rows: Rows, caller: Caller, case_id: UUID, number: int | None, *, unblurred: bool = False
) -> bytes:
    """Give the picture of a candidate's face, a JPEG; of the face searched for without a number.

    Of a subject as a whole it is the first kept. It opens blurred where the case's purpose asks for
    that (`uses/stills.py`), and whether it did is on record.

    Raises:
        NotFound: there is no such case or candidate, or no picture was kept.
    """
    with _recorded(rows, caller, Action.REVIEW, case_id) as (record, case):
        crop_jpeg = _read(rows, caller, case, lambda view: view.face_for_others(number))
        if crop_jpeg is None:
            raise NotFound(
                f"No such picture of case {case_id} is kept: crops were off when the face was"
                " enrolled, or it is erased."
            )
        blurred = {"unblurred": _yes_no(unblurred)} if opens_blurred(case.purpose) else {}
        record.answered(Outcome(faces=1, details={**_of(case), **blurred}))
    return still_of(crop_jpeg, case.purpose, unblurred=unblurred)


def decide_case(
    rows: Rows, caller: Caller, case_id: UUID, number: int | None, verdict: Verdict, reason: str
) -> SeenCase:
    """Give a verdict on a candidate; `number` may be None where there is a single one.

    Raises:
        InvalidRequest, NotFound, Denied, Conflict: see `give_verdict`; and there is no picture
            of one of the two faces, where they are said to be the same or not.
    """
    now = rows.clock()
    with _recorded(rows, caller, Action.REVIEW, case_id) as (record, case):
        if verdict is not Verdict.CANNOT_TELL:
            _read(rows, caller, case, lambda view: view.require_faces(number))
        record.write(
            lambda connection: give_verdict(
                connection,
                rows.keyring,
                case_id,
                number=number,
                reviewer_id=caller.principal.id,
                verdict=verdict,
                reason=reason,
                now=now,
            ),
            lambda decided: _outcome(*decided, verdict),
        )
    return _seen(rows, caller, case)


def authorise_case(
    rows: Rows, caller: Caller, case_id: UUID, authority: str, number: str
) -> CaseFacts:
    """Record an authority's consent.

    Raises:
        InvalidRequest, NotFound, Denied, Conflict: see `authorise`.
    """
    now, who = rows.clock(), caller.principal.id
    with _recorded(rows, caller, Action.AUTHORISE, case_id) as (record, case):
        authorised = record.write(
            lambda connection: authorise(
                connection,
                rows.keyring,
                case_id,
                principal_id=who,
                authority=authority,
                number=number,
                now=now,
            ),
            lambda _: Outcome(details=_of(case)),
        )
    return _read(rows, caller, authorised, _View.facts)


@dataclass(frozen=True, slots=True)
class _View:
    """A case as a principal may see it at one moment."""

    rows: Rows
    principal: Principal
    connection: Connection
    case: Case

    @property
    def keyring(self) -> Keyring:
        return self.rows.keyring

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return outcome_of(self.connection, self.case).candidates

    @property
    def is_own(self) -> bool:
        return is_own_case(self.connection, self.case, self.principal.id)

    @property
    def sees_faces(self) -> bool:
        return may(self.principal.role, Action.REVIEW) and not self.is_own

    def facts(self) -> CaseFacts:
        outcome = outcome_of(self.connection, self.case)
        own = numbers_judged_by(self.connection, self.case, self.principal.id)
        sees = self.sees_faces
        yours = sees and any(
            one.standing is Standing.OPEN and one.number not in own for one in outcome.candidates
        )
        empty = sees and not (outcome.candidates or self.case.is_of_whole)
        return CaseFacts(self.case, outcome.decided, yours, empty)

    def seen(self) -> SeenCase:
        facts = self.facts()
        if not self.sees_faces:
            return SeenCase(facts, False, self._found_by_own_watch(facts), None)
        given = verdicts_of(self.connection, self.keyring, self.case)
        return SeenCase(
            facts,
            self.probe() is not None,
            tuple(self._seen_candidate(one, given) for one in self.candidates),
            authorisation_of(self.connection, self.keyring, self.case),
            stated=stated_in(self.connection, self.keyring, self.case),
        )

    def probe(self) -> bytes | None:
        return probe_crop(self.connection, self.keyring, self.case)

    def face_for_others(self, number: int | None) -> bytes | None:
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


def _seen(rows: Rows, caller: Caller, case: Case) -> SeenCase:
    seen = _read(rows, caller, case, _View.seen)
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


def _read(rows: Rows, caller: Caller, case: Case, act: Callable[[_View], T]) -> T:
    return rows.database.read(
        lambda connection: act(_View(rows, caller.principal, connection, case))
    )


@contextmanager
def _recorded(
    rows: Rows, caller: Caller, action: Action, case_id: UUID
) -> Iterator[tuple[Record, Case]]:
    """Find a case and have a use of it recorded, which has the purpose of the case."""
    role = caller.principal.role
    if not may(role, _looking(caller)):  # nobody else learns which cases there are
        with rows.record_use(caller, caller.use(action, UNDECLARED)):
            _require_reader(caller)
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


def _looking(caller: Caller) -> Action:
    return Action.REVIEW if may(caller.principal.role, Action.REVIEW) else Action.AUDIT


def _require_reader(caller: Caller) -> None:
    _require(caller, may(caller.principal.role, _looking(caller)), "read cases")


def _require(caller: Caller, allowed: bool, what: str) -> None:
    if not allowed:
        raise Denied(
            f"{caller.principal.id} of role {caller.principal.role} may not {what}. Ask an admin"
            " for a key that may."
        )


def _outcome(case: Case, candidate: Candidate, verdict: Verdict) -> Outcome:
    sighting_id = candidate.sighting_id
    return Outcome(
        candidates=1,
        reference_ids=() if candidate.reference_id is None else (candidate.reference_id,),
        subject_ids=() if candidate.subject_id is None else (candidate.subject_id,),
        details={
            **_of(case),
            "verdict": verdict.value,
            "standing": candidate.standing.value,
            **({} if sighting_id is None else {"sighting_id": str(sighting_id)}),
        },
    )


def _yes_no(said: bool) -> str:
    return "yes" if said else "no"


def _of(case: Case) -> dict[str, str]:
    """Say in an entry which case it is about."""
    return {"case_id": str(case.id)}
