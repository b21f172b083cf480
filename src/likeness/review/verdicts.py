"""Verdicts: what each person says, once, and without knowing what others say.

A verdict counts only where all of this holds:

1. The case lives.
2. The reviewer is not the one whose use it is, nor has searched for the same probe.
3. The candidate is one of the case's, and is still open.
4. The reviewer has not said anything of this candidate before.

Authorities consent by authorisations, recorded once, before the deadline of a case.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select

from likeness.errors import Conflict, Denied, NotFound
from likeness.review.apart import keep_apart
from likeness.review.case import Candidate, Case, Standing, checked_statement
from likeness.review.cases import get_case, is_own_case, outcome_of
from likeness.review.contents import key_of
from likeness.review.features import Findings, Verdict
from likeness.review.tables import AUTHORISATIONS, VERDICTS
from likeness.secrets import Keyring


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict that was given, and why; `findings` are None where they were not said."""

    number: int
    reviewer_id: str
    verdict: Verdict
    reason: str
    given_at: datetime
    findings: Findings | None = None


def give_verdict(
    connection: Connection,
    keyring: Keyring,
    case_id: UUID,
    *,
    number: int | None,
    reviewer_id: str,
    verdict: Verdict,
    reason: str,
    now: datetime,
    findings: Findings | None = None,
) -> tuple[Case, Candidate]:
    """Keep a verdict on one candidate; give the case, and where the candidate stands now.

    Args:
        connection: of a writing act.
        keyring: the installation's keys.
        case_id: the case.
        number: which candidate; None where the case has a single one.
        reviewer_id: who says it.
        verdict: what they say.
        reason: why; it is sealed.
        now: the time.
        findings: what was found in comparing the two, which is sealed too.

    Raises:
        InvalidRequest: the reason cannot be kept.
        NotFound: there is no such case or candidate.
        Denied: it is a use of the reviewer's own, or they have one of the same probe.
        Conflict: the candidate is decided, or the reviewer has said something already.
    """
    checked_statement(reason, "a reason")
    case = get_case(connection, case_id, now)  # 1
    if is_own_case(connection, case, reviewer_id):  # 2
        raise Denied(
            f"Case {case_id} is of your own use, or of the same face as one. Leave it to another"
            " reviewer."
        )
    candidate = _candidate(connection, case, number)  # 3
    if candidate.number in numbers_judged_by(connection, case, reviewer_id):  # 4
        raise Conflict(
            f"You have given your verdict on candidate {candidate.number} of case {case_id}, and"
            " it stays."
        )
    if candidate.standing is not Standing.OPEN:  # 3
        raise Conflict(
            f"Candidate {candidate.number} of case {case_id} is {candidate.standing}: nobody else"
            " is asked."
        )
    key = key_of(connection, keyring, case)
    context = _context(case_id, candidate.number, reviewer_id)
    connection.execute(
        insert(VERDICTS),
        {
            "case_id": case_id,
            "number": candidate.number,
            "reviewer_id": reviewer_id,
            "verdict": verdict.value,
            "sealed_reason": key.seal(reason.encode(), context),
            "sealed_findings": None
            if findings is None
            else key.seal(findings.as_bytes(), b"findings, " + context),
            "given_at": now,
        },
    )
    after = _candidate(connection, case, candidate.number)
    if after.standing is Standing.REJECTED:
        _tell_apart(connection, case, after, now)
    return case, after


def verdicts_of(connection: Connection, keyring: Keyring, case: Case) -> list[Judgement]:
    """List all verdicts on a case; who may see which is for `verdicts_seen_by` to say.

    Raises:
        KeyUnusable: a key is gone.
    """
    key = key_of(connection, keyring, case)
    rows = connection.execute(
        select(VERDICTS).where(VERDICTS.c.case_id == case.id).order_by("given_at", "reviewer_id")
    )

    def opened(row: Row[Any]) -> Judgement:
        context, sealed = _context(case.id, row.number, row.reviewer_id), row.sealed_findings
        return Judgement(
            row.number,
            row.reviewer_id,
            Verdict(row.verdict),
            key.unseal(row.sealed_reason, context).decode(),
            row.given_at,
            None
            if sealed is None
            else Findings.from_bytes(key.unseal(sealed, b"findings, " + context)),
        )

    return [opened(row) for row in rows]


def numbers_judged_by(connection: Connection, case: Case, reviewer_id: str) -> set[int]:
    """Say on which candidates of a case somebody has given a verdict."""
    chosen = select(VERDICTS.c.number).where(
        VERDICTS.c.case_id == case.id, VERDICTS.c.reviewer_id == reviewer_id
    )
    return set(connection.execute(chosen).scalars())


def all_judged_by(connection: Connection, reviewer_id: str) -> dict[UUID, set[int]]:
    """Say of each case on which candidates somebody has given a verdict."""
    numbers: dict[UUID, set[int]] = {}
    chosen = select(VERDICTS.c.case_id, VERDICTS.c.number)
    for row in connection.execute(chosen.where(VERDICTS.c.reviewer_id == reviewer_id)):
        numbers.setdefault(row.case_id, set()).add(row.number)
    return numbers


def verdicts_seen_by(
    case: Case, candidate: Candidate, given: list[Judgement], reviewer_id: str
) -> list[Judgement]:
    """Choose the verdicts on a candidate that a reviewer may see.

    Their own at once. Those of others once nobody is asked any more; before that, only where people
    need not judge separately, and never before the reviewer's own.
    """
    theirs = [one for one in given if one.number == candidate.number]
    own = [one for one in theirs if one.reviewer_id == reviewer_id]
    if candidate.standing is not Standing.OPEN or (own and not case.separately):
        return theirs
    return own


def _candidate(connection: Connection, case: Case, number: int | None) -> Candidate:
    candidates = outcome_of(connection, case).candidates
    if number is None and len(candidates) == 1:
        return candidates[0]
    for candidate in candidates:
        if candidate.number == number:
            return candidate
    if not candidates:  # rule 2 came first: who searched does not learn it
        raise NotFound(
            f"Case {case.id} found nobody to decide about. It ends"
            f" {case.expires_at:%Y-%m-%d %H:%M} UTC by itself."
        )
    numbers = ", ".join(str(one.number) for one in candidates)
    raise NotFound(
        f"No such candidate of case {case.id}: {number or 'no number'}. It has {numbers}."
    )


def _context(case_id: UUID, number: int, reviewer_id: str) -> bytes:
    return b"reason of case " + case_id.bytes + b"%d %s" % (number, reviewer_id.encode())


@dataclass(frozen=True, slots=True)
class Authorisation:
    """Which authority consents, under which number, and who recorded that."""

    authority: str
    number: str
    principal_id: str
    given_at: datetime


def authorise(
    connection: Connection,
    keyring: Keyring,
    case_id: UUID,
    *,
    principal_id: str,
    authority: str,
    number: str,
    now: datetime,
) -> Case:
    """Record an authority's consent to a case.

    Raises:
        InvalidRequest: authority or number cannot be kept.
        NotFound: there is no such case, or its deadline has passed.
        Denied: the case is of a use of their own.
        Conflict: none is owed, or one is recorded.
    """
    stated = [checked_statement(authority, "an authority"), checked_statement(number, "a number")]
    case = get_case(connection, case_id, now)
    if case.principal_id == principal_id:
        raise Denied(
            f"Case {case_id} is of your own use. Let another admin record its authorisation, at a"
            " terminal of their own or over /v1 with a key of theirs (`likeness keys create NAME"
            " --role admin`)."
        )
    if case.authorise_by is None:
        raise Conflict(f"Case {case_id} owes no authorisation. Nothing was recorded.")
    if case.authorised_at is not None:
        raise Conflict(f"Case {case_id} has an authorisation already, which stays.")
    key = key_of(connection, keyring, case)
    row = {
        "case_id": case_id,
        "principal_id": principal_id,
        "sealed_authority": key.seal(json.dumps(stated).encode(), _authority_context(case_id)),
        "given_at": now,
    }
    connection.execute(insert(AUTHORISATIONS), row)
    return get_case(connection, case_id, now)


def authorisation_of(connection: Connection, keyring: Keyring, case: Case) -> Authorisation | None:
    """Open what was recorded for a case; None where nothing was.

    Raises:
        KeyUnusable: a key is gone.
    """
    chosen = select(AUTHORISATIONS).where(AUTHORISATIONS.c.case_id == case.id)
    row = connection.execute(chosen).first()
    if row is None:
        return None
    key = key_of(connection, keyring, case)
    authority, number = json.loads(key.unseal(row.sealed_authority, _authority_context(case.id)))
    return Authorisation(authority, number, row.principal_id, row.given_at)


def _authority_context(case_id: UUID) -> bytes:
    return b"authority of case " + case_id.bytes


def _tell_apart(connection: Connection, case: Case, candidate: Candidate, now: datetime) -> None:
    """Keep that a case's probe is not a candidate, so that the pair is never proposed again.

    It is neither this reference nor, once every candidate of the case who is theirs is rejected,
    this subject, whichever other reference of theirs a search finds.

    It takes as many people as a use owes: what fewer agreed on, for a use that owed fewer, keeps
    nobody from those whose rules ask for more. So the most that ever agreed count.
    """
    theirs = [
        one.standing
        for one in outcome_of(connection, case).candidates
        if one.subject_id == candidate.subject_id
    ]
    ids = {candidate.id}
    if candidate.subject_id is not None and set(theirs) == {Standing.REJECTED}:
        ids.add(candidate.subject_id)
    for one in ids:
        keep_apart(connection, case, one, now)
