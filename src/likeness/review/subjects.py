"""Lets cases and verdicts follow subjects who are merged or split, and faces that change hands.

1. Candidates of cases are of whoever their reference is now.
2. Whom people told apart from somebody stays told apart: from a subject who takes another up, what
   was said of that one is said too; from one who is split off, what was said of a reference of
   theirs. What was said of a subject before stays as it is.
3. `Followed` is what has to be taken back where a merge or a split is undone. What people have
   decided since stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, insert, select, tuple_, update

from likeness.review.faces import Identity
from likeness.review.keys import find_key
from likeness.review.tables import CANDIDATES, TOLD_APART
from likeness.secrets import Keyring
from likeness.terms import in_batches

_AT_A_TIME = 900


@dataclass(frozen=True, slots=True)
class Followed:
    """What following a merge or a split changed in review, beside the subjects of references.

    `fused` are candidates, by case and number, who stand for a whole subject. `apart` are pairs
    that were added, or were raised to more reviews from so many; None where there was none.
    """

    fused: tuple[tuple[UUID, int], ...] = ()
    apart: tuple[tuple[bytes, UUID, int | None], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give the values that JSON can hold."""
        return {
            "fused": [[str(case_id), number] for case_id, number in self.fused],
            "apart": [[digest.hex(), str(one), least] for digest, one, least in self.apart],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Followed":
        """Make it of what `as_json` gave."""
        return cls(
            tuple((UUID(case_id), number) for case_id, number in value["fused"]),
            tuple((bytes.fromhex(one), UUID(other), n) for one, other, n in value["apart"]),
        )


def follow_merge(
    connection: Connection,
    keyring: Keyring,
    collection_id: UUID,
    *,
    gone_id: UUID,
    into_id: UUID,
    at: datetime,
) -> Followed:
    """Let what review keeps of a subject go to another, who has taken them up.

    Raises:
        KeyUnusable: the installation's key is gone, or another's.
    """
    theirs = CANDIDATES.c.subject_id == gone_id
    place = select(CANDIDATES.c.case_id, CANDIDATES.c.number)
    fused = connection.execute(place.where(theirs, CANDIDATES.c.reference_id.is_(None))).all()
    connection.execute(update(CANDIDATES).where(theirs).values(subject_id=into_id))
    said = connection.execute(
        select(TOLD_APART.c.probe_digest, TOLD_APART.c.reviews).where(
            TOLD_APART.c.candidate_id == gone_id
        )
    ).all()
    apart = _keep_apart(
        connection, collection_id, [(row.probe_digest, into_id, row.reviews) for row in said], at
    )
    key = find_key(connection, keyring, collection_id)
    if key is not None:
        digest_gone, digest_into = (Identity(one.bytes).digest(key) for one in (gone_id, into_id))
        said = connection.execute(
            select(TOLD_APART.c.candidate_id, TOLD_APART.c.reviews).where(
                TOLD_APART.c.probe_digest == digest_gone
            )
        ).all()
        pairs = [
            (digest_into, row.candidate_id, row.reviews)
            for row in said
            if row.candidate_id != into_id
        ]
        apart += _keep_apart(connection, collection_id, pairs, at)
    return Followed(tuple((row.case_id, row.number) for row in fused), tuple(apart))


def follow_move(
    connection: Connection,
    collection_id: UUID,
    *,
    was_id: UUID | None,
    now_id: UUID,
    reference_ids: Sequence[UUID],
    at: datetime,
) -> Followed:
    """Let what review keeps of references be of the subject who has them now.

    They were another's before, or nobody's.
    """
    give_references(connection, reference_ids, was_id, now_id)
    of_subject = select(TOLD_APART.c.probe_digest).where(TOLD_APART.c.candidate_id == was_id)
    most: dict[bytes, int] = {}
    for some in in_batches(reference_ids, _AT_A_TIME):
        for row in connection.execute(
            select(TOLD_APART.c.probe_digest, TOLD_APART.c.reviews).where(
                TOLD_APART.c.candidate_id.in_(some), TOLD_APART.c.probe_digest.in_(of_subject)
            )
        ):
            most[row.probe_digest] = max(row.reviews, most.get(row.probe_digest, 0))
    pairs = [(digest, now_id, reviews) for digest, reviews in most.items()]
    return Followed(apart=tuple(_keep_apart(connection, collection_id, pairs, at)))


def undo_following(
    connection: Connection,
    followed: Followed,
    *,
    subject_id: UUID,
    back_id: UUID | None,
    reference_ids: Sequence[UUID],
    at: datetime,
) -> None:
    """Take back what `follow_merge` or `follow_move` changed; what people decided since stays.

    References go back to who had them; None where they were nobody's.
    """
    give_references(connection, reference_ids, subject_id, back_id)
    for some in in_batches(followed.fused, _AT_A_TIME):
        theirs = tuple_(CANDIDATES.c.case_id, CANDIDATES.c.number).in_(some)
        connection.execute(update(CANDIDATES).where(theirs).values(subject_id=back_id))
    for digest, candidate_id, before in followed.apart:
        added = (
            TOLD_APART.c.probe_digest == digest,
            TOLD_APART.c.candidate_id == candidate_id,
            TOLD_APART.c.decided_at == at,
        )
        if before is None:
            connection.execute(delete(TOLD_APART).where(*added))
        else:
            connection.execute(update(TOLD_APART).where(*added).values(reviews=before))


def give_references(
    connection: Connection,
    reference_ids: Sequence[UUID],
    was_id: UUID | None,
    now_id: UUID | None,
) -> None:
    """Let candidates of cases be another subject's, whose references theirs are now.

    None stands for nobody's.
    """
    for some in in_batches(reference_ids, _AT_A_TIME):
        theirs: list[ColumnElement[bool]] = [
            CANDIDATES.c.reference_id.in_(some),
            CANDIDATES.c.subject_id == was_id,
        ]
        connection.execute(update(CANDIDATES).where(*theirs).values(subject_id=now_id))


def _keep_apart(
    connection: Connection,
    collection_id: UUID,
    pairs: Sequence[tuple[bytes, UUID, int]],
    at: datetime,
) -> list[tuple[bytes, UUID, int | None]]:
    """Keep pairs told apart; give those that are new, or were said by fewer before."""
    changed: list[tuple[bytes, UUID, int | None]] = []
    for digest, candidate_id, reviews in pairs:
        pair = TOLD_APART.c.probe_digest == digest, TOLD_APART.c.candidate_id == candidate_id
        known = connection.execute(select(TOLD_APART.c.reviews).where(*pair)).scalar_one_or_none()
        if known is not None and known >= reviews:
            continue
        changed.append((digest, candidate_id, known))
        if known is None:
            row = {
                "probe_digest": digest,
                "candidate_id": candidate_id,
                "collection_id": collection_id,
                "decided_at": at,
                "reviews": reviews,
            }
            connection.execute(insert(TOLD_APART), row)
        else:
            values = {"reviews": reviews, "decided_at": at}
            connection.execute(update(TOLD_APART).where(*pair).values(**values))
    return changed
