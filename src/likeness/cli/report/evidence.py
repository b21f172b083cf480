"""`likeness report accept|list|revoke`: let report cards count, so that rules can go by them."""

from datetime import date
from typing import Annotated
from uuid import UUID

import typer

from likeness.cli.acts import rows_for
from likeness.cli.report.cards import CardFile, KeyFile
from likeness.cli.report.files import read_key
from likeness.cli.terminal.answers import Json, print_answer
from likeness.cli.terminal.input_file import read_bytes
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.words import minute
from likeness.errors import InvalidRequest
from likeness.policy import Evidence
from likeness.service.evaluate.cards import acts
from likeness.service.evaluate.cards.acts import ListedEvidence
from likeness.service.evaluate.cards.signed_card import LARGEST_CARD, read_signed_card


def accept(
    card: CardFile,
    key: KeyFile = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="DAY",
            help="Day from which it counts no more, from 00:00 UTC on. Default: a year after NIST's"
            " publication.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let a card with NIST's figures count as evidence about its model, for rules to go by."""
    signed = read_signed_card(read_bytes(card, LARGEST_CARD, "Name a report card."), f"'{card}'")
    trusted, last = read_key(key), _day(until)
    with rows_for("report accept", makes_home=True) as (rows, caller):
        accepted = acts.accept_card(rows, caller, signed, key=trusted, until=last)
    print_answer(as_json, _evidence_json(accepted), [f"Accepted: {_in_words(accepted)}."])


def list_cards(as_json: AsJson = False) -> None:
    """List the cards that count as evidence, each checked against its signature."""
    with rows_for("report list", makes_home=True) as (rows, caller):
        listed = acts.list_evidence(rows, caller)
    document = {
        "cards": [
            {**_evidence_json(one.evidence), "as_signed": one.as_signed, "expired": one.expired}
            for one in listed
        ]
    }
    lines = [f"{one.evidence.id}  {_in_words(one.evidence)}{_standing(one)}" for one in listed]
    print_answer(
        as_json,
        document,
        lines or ["No card counts. `likeness report accept CARD.json` accepts one."],
    )


def revoke(
    card_id: Annotated[str, typer.Argument(metavar="ID", help="Id of an accepted card.")],
    as_json: AsJson = False,
) -> None:
    """Let an accepted card count no more."""
    try:
        evidence_id = UUID(card_id)
    except ValueError as error:
        raise InvalidRequest(
            f"Not the id of an accepted card: {card_id!r}. `likeness report list` shows them."
        ) from error
    with rows_for("report revoke", makes_home=True) as (rows, caller):
        revoked = acts.revoke_card(rows, caller, evidence_id)
    print_answer(as_json, _evidence_json(revoked), [f"Revoked: {_in_words(revoked)}."])


def _in_words(one: Evidence) -> str:
    return (
        f"{one.model} has at least {one.least_true_positives.normalize():f}% true positives by"
        f" {one.test}, until {minute(one.expires_at)}, accepted by {one.accepted_by}"
    )


def _standing(one: ListedEvidence) -> str:
    if not one.as_signed:
        return "; THE ROW IS NOT AS IT WAS SIGNED: revoke it"
    return "; expired" if one.expired else ""


def _evidence_json(one: Evidence) -> Json:
    return {
        "id": str(one.id),
        "model": one.model,
        "test": one.test,
        "true_positives": f"{one.least_true_positives.normalize():f}",
        "card": one.card_digest,
        "expires_at": one.expires_at.isoformat(),
        "accepted_at": one.accepted_at.isoformat(),
        "accepted_by": one.accepted_by,
    }


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequest(f"Not a day: {text!r}. Give one such as 2027-06-30.") from error
