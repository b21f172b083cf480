"""Report cards that an admin accepted: what they say of a model counts as a fact for rules.

Rows, as functions over a connection. What several unexpired cards say of one model is the least of
it, so that no card hides another; revoking one takes its word away.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from likeness.errors import AlreadyExists, NotFound
from likeness.policy.changes import count_change
from likeness.policy.tables import EVIDENCE
from likeness.terms import Use

_SCALE = Decimal(10_000)

ModelOf = Callable[[Use], str]
"""Names the model that a use works with; empty where nobody knows."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a report card says of a model, and who accepted it.

    `least_true_positives` is percent, of the group with the fewest. `card` is the signed envelope,
    `card_digest` the SHA-256 of what is signed, and `public_key` the signer's. `accepted_by` is a
    principal's id.
    """

    id: UUID
    model: str
    test: str
    least_true_positives: Decimal
    card: str
    card_digest: str
    public_key: bytes
    expires_at: datetime
    accepted_at: datetime
    accepted_by: str


def every_evidence(connection: Connection) -> list[Evidence]:
    """List what was accepted, oldest first; expired cards too."""
    return [
        Evidence(
            row.id,
            row.model,
            row.test,
            row.least_true_positives / _SCALE,
            row.card,
            row.card_digest,
            row.public_key,
            row.expires_at,
            row.accepted_at,
            row.accepted_by,
        )
        for row in connection.execute(select(EVIDENCE).order_by(EVIDENCE.c.accepted_at))
    ]


def accept_evidence(connection: Connection, evidence: Evidence) -> Evidence:
    """Let a card count from now on; what it says is rounded down to four decimals.

    Raises:
        AlreadyExists: the card counts already.
    """
    known = select(EVIDENCE.c.id).where(EVIDENCE.c.card_digest == evidence.card_digest)
    if connection.execute(known).first() is not None:
        raise AlreadyExists("This card was accepted before. `likeness report list` shows it.")
    exact = (evidence.least_true_positives * _SCALE).to_integral_value(ROUND_FLOOR)
    connection.execute(
        insert(EVIDENCE).values(
            id=evidence.id,
            model=evidence.model,
            test=evidence.test,
            least_true_positives=int(exact),
            card=evidence.card,
            card_digest=evidence.card_digest,
            public_key=evidence.public_key,
            expires_at=evidence.expires_at,
            accepted_at=evidence.accepted_at,
            accepted_by=evidence.accepted_by,
        )
    )
    count_change(connection, evidence.accepted_at)
    return evidence


def revoke_evidence(connection: Connection, evidence_id: UUID, *, now: datetime) -> Evidence:
    """Let a card count no more.

    Raises:
        NotFound: no accepted card has this id.
    """
    for one in every_evidence(connection):
        if one.id == evidence_id:
            connection.execute(delete(EVIDENCE).where(EVIDENCE.c.id == evidence_id))
            count_change(connection, now)
            return one
    raise NotFound(
        f"No accepted report card has the id {evidence_id}. `likeness report list` shows them."
    )


def least_true_positives(
    evidence: Sequence[Evidence], use: Use, model_of: ModelOf, now: datetime
) -> Decimal:
    """Say what unexpired cards say of the model that a use works with; 0 where none does."""
    counting = [one for one in evidence if one.accepted_at <= now < one.expires_at]
    if not counting:
        return Decimal(0)
    model = model_of(use)
    return min(
        (one.least_true_positives for one in counting if one.model == model), default=Decimal(0)
    )
