"""Sign report cards, and let them count as evidence about a model, each act on record."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
from uuid import UUID, uuid4

from likeness.errors import InvalidRequest, NotFound
from likeness.ledger import read_verifying_key
from likeness.policy import Evidence, accept_evidence, every_evidence, revoke_evidence
from likeness.secrets import VerifyingKey
from likeness.service.evaluate.cards.card import Card, NistFigures, card_of_nist, card_of_report
from likeness.service.evaluate.cards.nist_form import counts_until
from likeness.service.evaluate.cards.signed_card import (
    SignedCard,
    key_id_of,
    read_signed_card,
    sign_with,
)
from likeness.service.evaluate.findings import from_json
from likeness.service.uses import Caller, Outcome, Rows
from likeness.terms import Action


@dataclass(frozen=True, slots=True)
class ListedEvidence:
    """An accepted card; `as_signed` is whether its row still says what its signer signed."""

    evidence: Evidence
    as_signed: bool
    expired: bool


def sign_report(rows: Rows, caller: Caller, report_json: bytes, where: str) -> SignedCard:
    """Sign the card of a report with the ledger's key, and enter it in the ledger.

    Raises:
        InvalidRequest: it is no report, or does not pin its data.
        Denied: the caller may not audit, or a rule forbids it.
    """
    with rows.record(caller, Action.AUDIT) as record:
        card = card_of_report(from_json(report_json, where), report_json)
        return record.write(
            lambda connection: sign_with(card, partial(rows.ledger.sign, connection)),
            lambda signed: _signed(card, signed),
        )


def sign_nist(rows: Rows, caller: Caller, figures: NistFigures) -> SignedCard:
    """Sign what the caller copied of NIST's figures, and enter it in the ledger.

    Raises:
        Denied: the caller may not audit, or a rule forbids it.
    """
    card = card_of_nist(figures, now=rows.clock(), by=caller.principal.id)
    with rows.record(caller, Action.AUDIT) as record:
        return record.write(
            lambda connection: sign_with(card, partial(rows.ledger.sign, connection)),
            lambda signed: _signed(card, signed),
        )


def accept_card(
    rows: Rows,
    caller: Caller,
    signed: SignedCard,
    *,
    key: VerifyingKey | None = None,
    until: date | None = None,
) -> Evidence:
    """Let a card count as evidence about the model that it names.

    1. `key` signed it, or the ledger's own key where none is given.
    2. It carries figures of NIST's, which rules can read.
    3. Its model is in use here: a collection's, or that of new collections.
    4. It has not expired: a year after publication, or on the day `until`.

    Raises:
        InvalidRequest: one of these does not hold.
        AlreadyExists: it counts already.
        Denied: the caller may not govern.
    """
    with rows.record(caller, Action.GOVERN) as record:
        trusted = key or own_key(rows)
        now = rows.clock()
        evidence = _evidence(rows, signed, trusted, until, now=now, by=caller.principal.id)
        return record.write(
            partial(accept_evidence, evidence=evidence),
            lambda accepted: Outcome(
                details=_of(accepted) | {"signer": key_id_of(trusted), "expires": _day(accepted)}
            ),
        )


def revoke_card(rows: Rows, caller: Caller, evidence_id: UUID) -> Evidence:
    """Let an accepted card count no more.

    Raises:
        NotFound: no accepted card has this id.
        Denied: the caller may not govern.
    """
    with rows.record(caller, Action.GOVERN) as record:
        return record.write(
            partial(revoke_evidence, evidence_id=evidence_id, now=rows.clock()),
            lambda revoked: Outcome(details=_of(revoked)),
        )


def list_evidence(rows: Rows, caller: Caller) -> list[ListedEvidence]:
    """List the accepted cards, oldest first; each is checked against its signature again.

    Raises:
        Denied: a rule forbids it.
    """
    with rows.record(caller, Action.READ) as record:
        now = rows.clock()
        listed = [
            ListedEvidence(one, _is_as_signed(one), one.expires_at <= now)
            for one in rows.database.read(every_evidence)
        ]
        record.answered(Outcome())
    return listed


def own_key(rows: Rows) -> VerifyingKey:
    """Give the public key with which cards of this home are signed now.

    Raises:
        NotFound: nothing was recorded here yet, so there is none.
    """
    key = rows.database.read(read_verifying_key)
    if key is None:
        raise NotFound("This home has no key yet. Give the signer's public key by --key KEY.pem.")
    return key


def _signed(card: Card, signed: SignedCard) -> Outcome:
    systems = {f"system_{place}": one.digest for place, one in enumerate(card.systems, 1)}
    details = {"card": signed.digest, "kind": card.kind.value, "report": card.report}
    return Outcome(details=details | systems)


def _evidence(
    rows: Rows,
    signed: SignedCard,
    key: VerifyingKey,
    until: date | None,
    *,
    now: datetime,
    by: str,
) -> Evidence:
    figures = signed.card(key).nist
    if figures is None:
        raise InvalidRequest(
            "The card carries no figures of NIST's, and rules read no others. Copy NIST's figures"
            " into a form and sign that: `likeness report nist`."
        )
    used = _models_in_use(rows)
    if figures.model not in used:
        raise InvalidRequest(
            f"The card is about the model {figures.model}, which nothing here uses. In use:"
            f" {', '.join(sorted(used)) or 'none'}."
        )
    last = counts_until(figures)
    if until is not None and until > last:
        raise InvalidRequest(
            f"Figures of {figures.published} count until {last}, a year after their publication."
            " Give an earlier day by --until, or figures of a later test."
        )
    expires_at = datetime.combine(until or last, time(), UTC)
    if expires_at <= now or figures.published > now.date():
        raise InvalidRequest(
            f"The card does not count: its figures were published on {figures.published} and"
            f" expire on {expires_at:%Y-%m-%d}. Give figures of a test of the last year."
        )
    return Evidence(
        uuid4(),
        figures.model,
        figures.test,
        figures.least_true_positives,
        signed.text,
        signed.digest,
        key.raw,
        expires_at,
        now,
        by,
    )


def _models_in_use(rows: Rows) -> set[str]:
    used = {one.model for one in rows.collections.collections()}
    with suppress(NotFound):  # without a cohort new collections cannot be made
        used.add(rows.templates_of(None).model)
    return used


def _is_as_signed(evidence: Evidence) -> bool:
    try:
        signed = read_signed_card(evidence.card.encode(), "the row")
        figures = signed.card(VerifyingKey(evidence.public_key)).nist
    except (InvalidRequest, ValueError):
        return False
    return (
        figures is not None
        and figures.model == evidence.model
        and figures.least_true_positives >= evidence.least_true_positives
        and signed.digest == evidence.card_digest
        and datetime.combine(counts_until(figures), time(), UTC) >= evidence.expires_at
    )


def _of(evidence: Evidence) -> dict[str, str]:
    """Say in an entry which card it is about, and what that says."""
    return {
        "card": evidence.card_digest,
        "evidence_id": str(evidence.id),
        "model": evidence.model,
        "test": evidence.test,
        "true_positives": f"{evidence.least_true_positives.normalize():f}",
    }


def _day(evidence: Evidence) -> str:
    return f"{evidence.expires_at:%Y-%m-%d}"
