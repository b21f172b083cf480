"""Look at cases and decide them, each act on record.

Reviewers look and decide, admins record authorisations, auditors read facts alone. Nobody sees whom
a search of their own found before others have decided, whatever their role.
"""

from functools import partial
from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import InvalidRequest, KeyUnusable, NotFound
from likeness.review import Candidate, Case, Findings, Verdict, authorise, give_verdict, live_cases
from likeness.service.review.seen import (
    CaseFacts,
    SeenCandidate,
    SeenCase,
    View,
    blurred_details,
    details_of,
    facts_of_each,
    looking_of,
    read_as,
    recorded,
    require_reader,
    seen_by,
)
from likeness.service.uses import Caller, Outcome, Rows, still_of
from likeness.storage import legible_named
from likeness.terms import UNDECLARED, Action, Principal

__all__ = [
    "CaseFacts",
    "SeenCandidate",
    "SeenCase",
    "authorise_case",
    "decide_case",
    "list_cases",
    "show_case",
    "show_face",
]


def list_cases(rows: Rows, caller: Caller) -> list[CaseFacts]:
    """List the cases that live, the oldest first.

    Raises:
        Denied: the role may not.
    """
    use = caller.use(looking_of(caller), UNDECLARED)
    with rows.record_use(caller, use) as record:
        require_reader(caller)
        listed = rows.database.read(partial(_every, rows, caller.principal))
        record.answered(Outcome())
    return listed


def _every(rows: Rows, principal: Principal, connection: Connection) -> list[CaseFacts]:
    cases = live_cases(connection, rows.clock())
    try:
        return facts_of_each(connection, principal, cases)
    except (KeyUnusable, ValueError, TypeError, LookupError):  # which one is damaged is said
        return legible_named(
            connection,
            "review_cases",
            cases,
            lambda one: View(rows, principal, connection, one).facts(),
        )


def show_case(rows: Rows, caller: Caller, case_id: UUID) -> SeenCase:
    """Show a case as far as the caller may see it.

    Raises:
        NotFound: there is no such case.
    """
    with recorded(rows, caller, looking_of(caller), case_id) as (record, case):
        seen = seen_by(rows, caller, case)
        record.answered(Outcome(details=details_of(case)))
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
    with recorded(rows, caller, Action.REVIEW, case_id) as (record, case):
        crop_jpeg = read_as(rows, caller, case, lambda view: view.face_for_others(number))
        if crop_jpeg is None:
            raise NotFound(
                f"No such picture of case {case_id} is kept: crops were off when the face was"
                " enrolled, or it is erased."
            )
        blurred = blurred_details(case, unblurred=unblurred)
        record.answered(Outcome(faces=1, details={**details_of(case), **blurred}))
    return still_of(crop_jpeg, case.purpose, unblurred=unblurred)


def decide_case(
    rows: Rows,
    caller: Caller,
    case_id: UUID,
    number: int | None,
    verdict: Verdict,
    reason: str,
    findings: Findings | None = None,
) -> SeenCase:
    """Give a verdict on a candidate; `number` may be None where there is a single one.

    Raises:
        InvalidRequest, NotFound, Denied, Conflict: see `give_verdict`; and there is no picture
            of one of the two faces, where they are said to be the same or not; or the verdict is
            not what the findings come to.
    """
    now = rows.clock()
    if findings is not None and findings.support.verdict is not verdict:
        raise InvalidRequest(
            f"The verdict is {verdict}, and the findings come to {findings.support.verdict}."
            " Correct one of them."
        )
    with recorded(rows, caller, Action.REVIEW, case_id) as (record, case):
        if verdict is not Verdict.CANNOT_TELL:
            read_as(rows, caller, case, lambda view: view.require_faces(number))
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
                findings=findings,
            ),
            lambda decided: _outcome(*decided, verdict),
        )
    return seen_by(rows, caller, case)


def authorise_case(
    rows: Rows, caller: Caller, case_id: UUID, authority: str, number: str
) -> CaseFacts:
    """Record an authority's consent.

    Raises:
        InvalidRequest, NotFound, Denied, Conflict: see `authorise`.
    """
    now, who = rows.clock(), caller.principal.id
    with recorded(rows, caller, Action.AUTHORISE, case_id) as (record, case):
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
            lambda _: Outcome(details=details_of(case)),
        )
    return read_as(rows, caller, authorised, View.facts)


def _outcome(case: Case, candidate: Candidate, verdict: Verdict) -> Outcome:
    sighting_id = candidate.sighting_id
    return Outcome(
        candidates=1,
        reference_ids=() if candidate.reference_id is None else (candidate.reference_id,),
        subject_ids=() if candidate.subject_id is None else (candidate.subject_id,),
        details={
            **details_of(case),
            "verdict": verdict.value,
            "standing": candidate.standing.value,
            **({} if sighting_id is None else {"sighting_id": str(sighting_id)}),
        },
    )
