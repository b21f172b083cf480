"""What forgets those who are erased? Everything that is not the gallery's, in the act that erases.

Entries of the ledger stay as they are; what tied them to a person is destroyed.
"""

from uuid import UUID

from sqlalchemy import Connection

from likeness.errors import required
from likeness.ledger import Ledger, commitments
from likeness.review import cases
from likeness.service.uses.record import Outcome
from likeness.terms import in_batches

_AT_A_TIME = 900

FORGOTTEN_FROM = (*commitments.FORGOTTEN_FROM, *cases.FORGOTTEN_FROM)
"""The tables that are to be scrubbed after an erasure, beside the gallery's."""


OUT_OF_REACH = (
    "ids in answers that are kept sealed for requests that come again, for up to 7 days",
)
"""What stays of the erased, for certificates: tokens of requests do not say whom they are about."""


def forget(
    connection: Connection, ledger: Ledger, collection_id: UUID | None, outcome: Outcome
) -> None:
    """Forget whom an act has erased."""
    for ids in in_batches(outcome.forgotten, _AT_A_TIME):
        ledger.forget(connection, ids)
        if not outcome.forgets_collection:
            cases.forget(connection, ids)
    if outcome.forgets_collection:
        erased = required(collection_id, "the collection that was erased")
        cases.forget_collection(connection, erased)
