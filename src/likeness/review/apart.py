"""Whom people told apart from a probe, so that the pair is never proposed again."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from likeness.review.case import Case
from likeness.review.contents import kept_of
from likeness.review.faces import ClipFace, Identity, SampleFace, identities_of
from likeness.review.keys import find_key
from likeness.review.tables import TOLD_APART
from likeness.secrets import Keyring


def told_apart_from(
    connection: Connection,
    keyring: Keyring,
    collection_id: UUID,
    *,
    probe: bytes | SampleFace | ClipFace,
    candidate_ids: Collection[UUID],
    owed: int,
) -> set[UUID]:
    """Say which references and subjects so many people have told apart from a probe as are owed."""
    key = find_key(connection, keyring, collection_id)
    if key is None:
        return set()
    digests = [one.digest(key) for one in identities_of(connection, key, probe)]
    return told_apart_among(connection, digests, candidate_ids, owed)


def told_apart_among(
    connection: Connection,
    probe_digests: Collection[bytes],
    candidate_ids: Collection[UUID],
    owed: int,
) -> set[UUID]:
    """Say which candidates a probe was told apart from, for a use that owes so many reviews."""
    chosen = select(TOLD_APART.c.candidate_id).where(
        TOLD_APART.c.probe_digest.in_(probe_digests), TOLD_APART.c.reviews >= owed
    )
    # Of a probe they are few, and candidates may be more than a statement takes values.
    return set(connection.execute(chosen).scalars()).intersection(candidate_ids)


def pairs_told_apart(
    connection: Connection, probe_digests: Collection[bytes]
) -> dict[bytes, dict[UUID, int]]:
    """Say whom some probes were told apart from, each by the most people who agreed."""
    found: dict[bytes, dict[UUID, int]] = {}
    chosen = select(TOLD_APART.c.probe_digest, TOLD_APART.c.candidate_id, TOLD_APART.c.reviews)
    for row in connection.execute(chosen.where(TOLD_APART.c.probe_digest.in_(probe_digests))):
        found.setdefault(row.probe_digest, {})[row.candidate_id] = row.reviews
    return found


def are_told_apart(
    connection: Connection,
    keyring: Keyring,
    collection_id: UUID,
    some: Collection[UUID],
    others: Collection[UUID],
) -> bool:
    """Say whether anybody told one of some references and subjects apart from one of others."""
    key = find_key(connection, keyring, collection_id)
    if key is None:
        return False
    return any(
        told_apart_among(connection, [Identity(one.bytes).digest(key)], candidates, owed=1)
        for probes, candidates in ((some, others), (others, some))
        for one in probes
    )


def keep_apart(connection: Connection, case: Case, candidate_id: UUID, now: datetime) -> None:
    """Keep that a case's probe is not a reference or subject, by the most people who agreed."""
    probe_digest = kept_of(connection, case, "probe_digest")
    pair = TOLD_APART.c.probe_digest == probe_digest, TOLD_APART.c.candidate_id == candidate_id
    known = connection.execute(select(TOLD_APART.c.reviews).where(*pair)).scalar_one_or_none()
    if known is None:
        row = {
            "probe_digest": probe_digest,
            "candidate_id": candidate_id,
            "collection_id": case.collection_id,
            "decided_at": now,
            "reviews": case.reviews,
        }
        connection.execute(insert(TOLD_APART), row)
    elif known < case.reviews:
        changed = update(TOLD_APART).where(*pair).values(reviews=case.reviews, decided_at=now)
        connection.execute(changed)
