"""What does review forget of those who are erased? All: cases, pictures, watches, pairs, keys."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection

from likeness.review import cases, crops, keys, watches
from likeness.review.tables import (
    AUTHORISATIONS,
    CANDIDATES,
    CASES,
    CROPS,
    KEYS,
    OUTBOX,
    TOLD_APART,
    VERDICTS,
    WATCHES,
)

FORGOTTEN_FROM = (
    AUTHORISATIONS,
    CANDIDATES,
    CASES,
    CROPS,
    KEYS,
    OUTBOX,
    TOLD_APART,
    VERDICTS,
    WATCHES,
)
"""The tables that are to be scrubbed after an erasure."""


def forget(connection: Connection, ids: Collection[UUID]) -> None:
    """Forget erased references and subjects, by their ids."""
    cases.forget(connection, ids)
    crops.forget(connection, ids)


def forget_collection(connection: Connection, collection_id: UUID) -> None:
    """Forget an erased collection."""
    cases.forget_collection(connection, collection_id)
    crops.forget_collection(connection, collection_id)
    watches.forget_collection(connection, collection_id)
    keys.destroy(connection, collection_id)
