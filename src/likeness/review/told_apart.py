"""Whom have people told apart for good? Pairs of a probe and a candidate, never proposed again."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from likeness.review.tables import TOLD_APART


def remember(
    connection: Connection,
    probe_digest: bytes,
    candidate_id: UUID,
    collection_id: UUID,
    now: datetime,
) -> None:
    """Keep that a probe is not a candidate; to say it twice changes nothing."""
    if among(connection, probe_digest, [candidate_id]):
        return
    row = {
        "probe_digest": probe_digest,
        "candidate_id": candidate_id,
        "collection_id": collection_id,
        "decided_at": now,
    }
    connection.execute(insert(TOLD_APART), row)


def among(
    connection: Connection, probe_digest: bytes, candidate_ids: Collection[UUID]
) -> set[UUID]:
    """Say which candidates a probe was told apart from."""
    chosen = select(TOLD_APART.c.candidate_id).where(
        TOLD_APART.c.probe_digest == probe_digest, TOLD_APART.c.candidate_id.in_(candidate_ids)
    )
    return set(connection.execute(chosen).scalars())


def forget(connection: Connection, candidate_ids: Collection[UUID]) -> None:
    """Delete what is known of erased references and subjects."""
    connection.execute(delete(TOLD_APART).where(TOLD_APART.c.candidate_id.in_(candidate_ids)))


def forget_collection(connection: Connection, collection_id: UUID) -> None:
    """Delete what is known of an erased collection's."""
    connection.execute(delete(TOLD_APART).where(TOLD_APART.c.collection_id == collection_id))
