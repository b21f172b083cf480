"""Forget those who are erased in all that is not the gallery's, in the act that erases.

Entries of the ledger stay as they are; what tied them to a person is destroyed.
"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection

from likeness import jobs, review
from likeness.ledger import FORGOTTEN_FROM as OF_LEDGER
from likeness.ledger import Ledger
from likeness.terms import in_batches

_AT_A_TIME = 900

FORGOTTEN_FROM = (*OF_LEDGER, *review.FORGOTTEN_FROM, *jobs.FORGOTTEN_FROM)
"""The tables that are to be scrubbed after an erasure, beside the gallery's."""


OUT_OF_REACH = (
    "ids in answers that are kept sealed for requests that come again, for up to 7 days",
    "faces that clips show and nobody was found to be like, sealed in jobs for up to 7 days",
)
"""What stays of the erased, for certificates: none of it says whom it is about."""


def forget(
    connection: Connection, ledger: Ledger, ids: Iterable[UUID], collection_id: UUID | None
) -> None:
    """Forget whom an act has erased; `collection_id` where that is a whole collection."""
    for some in in_batches(ids, _AT_A_TIME):
        ledger.forget(connection, some)
        if collection_id is None:
            review.forget_people(connection, some)
            jobs.forget_people(connection, some)
    if collection_id is not None:
        review.forget_collection(connection, collection_id)
        jobs.forget_collection(connection, collection_id)
