"""Entries of the ledger that tell a verdict, for people who have to decide without knowing it.

Whoever may audit reads entries, and may review besides: operators and admins.
"""

from functools import partial
from uuid import UUID

from sqlalchemy import Connection

from likeness.access import may
from likeness.errors import Conflict, NotFound
from likeness.ledger import Entry
from likeness.review import Standing, get_case, is_own_case, numbers_judged_by, outcome_of
from likeness.service.uses import Rows
from likeness.terms import Action, Principal


def require_no_verdict(rows: Rows, principal: Principal, entry: Entry) -> None:
    """Refuse an entry that tells what somebody else said of a case, as the case itself does.

    Raises:
        Conflict: it does, and the case is still open to them.
    """
    case_id = entry.details.get("case_id")
    theirs = entry.use.principal.id == principal.id
    if case_id is None or "verdict" not in entry.details or theirs:
        return
    if not may(principal.role, Action.REVIEW):
        return
    hidden = partial(_is_hidden, rows=rows, principal=principal, case_id=UUID(case_id))
    if rows.database.read(hidden):
        raise Conflict(
            "This entry tells a verdict on a case that others decide without knowing it, or whose"
            " answer waits for them. It can be read once the case is decided."
        )


def _is_hidden(connection: Connection, rows: Rows, principal: Principal, case_id: UUID) -> bool:
    try:
        case = get_case(connection, case_id, rows.clock())
    except NotFound:
        return False
    still_open = {
        one.number
        for one in outcome_of(connection, case).candidates
        if one.standing is Standing.OPEN
    }
    if case.separately or is_own_case(connection, case, principal.id):
        return bool(still_open)
    return bool(still_open - numbers_judged_by(connection, case, principal.id))
