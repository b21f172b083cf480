"""Whom have people told apart? Pairs of a probe and a candidate, never proposed again.

It takes as many people as a use owes: what fewer agreed on, for a use that owed fewer, keeps nobody
from those whose rules ask for more.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update

from likeness.review.tables import TOLD_APART


def remember(
    connection: Connection,
    probe_digest: bytes,
    candidate_id: UUID,
    collection_id: UUID,
    reviews: int,
    now: datetime,
) -> None:
    """Keep that so many people say a probe is not a candidate; the most that ever agreed count."""
    pair = TOLD_APART.c.probe_digest == probe_digest, TOLD_APART.c.candidate_id == candidate_id
    known = connection.execute(select(TOLD_APART.c.reviews).where(*pair)).scalar_one_or_none()
    if known is None:
        row = {
            "probe_digest": probe_digest,
            "candidate_id": candidate_id,
            "collection_id": collection_id,
            "decided_at": now,
            "reviews": reviews,
        }
        connection.execute(insert(TOLD_APART), row)
    elif known < reviews:
        connection.execute(update(TOLD_APART).where(*pair).values(reviews=reviews, decided_at=now))


def among(
    connection: Connection, probe_digest: bytes, candidate_ids: Collection[UUID], owed: int
) -> set[UUID]:
    """Say which candidates a probe was told apart from, for a use that owes so many reviews."""
    chosen = select(TOLD_APART.c.candidate_id).where(
        TOLD_APART.c.probe_digest == probe_digest,
        TOLD_APART.c.candidate_id.in_(candidate_ids),
        TOLD_APART.c.reviews >= owed,
    )
    return set(connection.execute(chosen).scalars())


def forget(connection: Connection, candidate_ids: Collection[UUID]) -> None:
    """Delete what is known of erased references and subjects."""
    connection.execute(delete(TOLD_APART).where(TOLD_APART.c.candidate_id.in_(candidate_ids)))


def forget_collection(connection: Connection, collection_id: UUID) -> None:
    """Delete what is known of an erased collection's."""
    connection.execute(delete(TOLD_APART).where(TOLD_APART.c.collection_id == collection_id))
