"""Authorisations: which authority consents, recorded once, before the deadline of a case."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, insert, select

from likeness.errors import Conflict, Denied
from likeness.review import cases
from likeness.review.case import Case, checked_statement
from likeness.review.tables import AUTHORISATIONS
from likeness.secrets import Keyring


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
    case = cases.get(connection, case_id, now)
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
    key = cases.key_of(connection, keyring, case)
    row = {
        "case_id": case_id,
        "principal_id": principal_id,
        "sealed_authority": key.seal(json.dumps(stated).encode(), _context(case_id)),
        "given_at": now,
    }
    connection.execute(insert(AUTHORISATIONS), row)
    return cases.get(connection, case_id, now)


def of_case(connection: Connection, keyring: Keyring, case: Case) -> Authorisation | None:
    """Open what was recorded for a case; None where nothing was.

    Raises:
        KeyUnusable: a key is gone.
    """
    chosen = select(AUTHORISATIONS).where(AUTHORISATIONS.c.case_id == case.id)
    row = connection.execute(chosen).first()
    if row is None:
        return None
    key = cases.key_of(connection, keyring, case)
    authority, number = json.loads(key.unseal(row.sealed_authority, _context(case.id)))
    return Authorisation(authority, number, row.principal_id, row.given_at)


def _context(case_id: UUID) -> bytes:
    return b"authority of case " + case_id.bytes
