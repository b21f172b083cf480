"""Who accepted which licence, when, for exactly which weights.

One small JSON file for each digest. An acceptance covers these bytes under this licence: other
bytes, or other words, have to be accepted anew.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from likeness.artifacts import disk_faults_of, write_whole
from likeness.errors import InvalidRequest, LicenceNotAccepted
from likeness.vision.models.cards import ModelCard


@dataclass(frozen=True, slots=True)
class Acceptance:
    """That somebody accepted the licence of a model's weights; `at` knows its time zone."""

    model: str
    sha256: str
    licence: str
    by: str
    at: datetime


def record_acceptance(folder: Path, card: ModelCard, by: str, at: datetime) -> Acceptance:
    """Write down that `by` accepted the licence of a card's weights."""
    acceptance = Acceptance(card.name, card.digest, card.licences.weights, by, at)
    value = {
        "model": acceptance.model,
        "sha256": acceptance.sha256,
        "licence": acceptance.licence,
        "by": acceptance.by,
        "at": acceptance.at.isoformat(),
    }
    write_whole(_path(folder, card), json.dumps(value, indent=2, ensure_ascii=False).encode())
    return acceptance


def acceptance_of(folder: Path, card: ModelCard) -> Acceptance | None:
    """Say who accepted the licence that a card states, for the bytes that it names.

    Raises:
        InvalidRequest: the record is damaged.
    """
    path = _path(folder, card)
    with disk_faults_of(folder):
        if not path.exists():
            return None
        content = path.read_bytes()
    try:
        value = json.loads(content)
        acceptance = Acceptance(**{**value, "at": datetime.fromisoformat(value["at"])})
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidRequest(
            f"Damaged: {path} records no acceptance. Delete it and run `likeness models accept"
            f" {card.name}` again."
        ) from error
    covers = (acceptance.sha256, acceptance.licence) == (
        card.digest,
        card.licences.weights,
    )
    return acceptance if covers else None


def require_acceptance(folder: Path, card: ModelCard) -> None:
    """Refuse weights whose licence has to be accepted and is not.

    Raises:
        LicenceNotAccepted: nobody accepted it.
        InvalidRequest: the record of it is damaged.
    """
    if card.needs_acceptance and acceptance_of(folder, card) is None:
        raise LicenceNotAccepted(
            f"The licence of the weights of {card.name} is not accepted: {card.licences.weights}"
            f" ({card.licences.weights_class}). Read it, then run `likeness models accept"
            f" {card.name}`."
        )


def _path(folder: Path, card: ModelCard) -> Path:
    return folder / f"{card.digest}.json"
