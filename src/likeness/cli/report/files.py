"""Report cards and reports as files: how they are read, and worded."""

from dataclasses import dataclass
from pathlib import Path

from likeness.cli.terminal.answers import Json
from likeness.cli.terminal.input_file import read_bytes, read_text
from likeness.cli.terminal.words import several
from likeness.evaluation import Estimate
from likeness.secrets import VerifyingKey
from likeness.service.evaluate.cards.card import Card, Figure, SystemOnCard, card_of_report
from likeness.service.evaluate.cards.signed_card import LARGEST_CARD, is_card, read_signed_card
from likeness.service.evaluate.findings import from_json

LARGEST_REPORT = 100_000_000

OWN_KEY = "Checked with the key of this home: without --key it vouches for itself."
UNCHECKED = "What the card claims: `likeness report verify` checks who signed it."


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What a card or a report says; `signed` is whether it is a card, whose key is not checked."""

    card: Card
    signed: bool


def read_key(path: Path | None) -> VerifyingKey | None:
    """Read the public key that was named.

    Raises:
        InvalidRequest: there is none in the file.
    """
    if path is None:
        return None
    return VerifyingKey.from_pem(read_text(path, "Name the signer's public key in PEM."))


def read_card_or_report(path: Path) -> ReadFile:
    """Read a card, or make one of a report that is not signed.

    Raises:
        InvalidRequest: the file is neither.
    """
    content = read_bytes(path, LARGEST_REPORT, "Name a report card, or the JSON of a report.")
    where = f"'{path}'"
    if len(content) <= LARGEST_CARD and is_card(content):
        return ReadFile(read_signed_card(content, where).unchecked(), signed=True)
    return ReadFile(card_of_report(from_json(content, where), content), signed=False)


def card_json(card: Card) -> Json:
    """What a card says."""
    return {
        "kind": card.kind.value,
        "title": card.title,
        "made_at": card.made_at.isoformat(),
        "made_by": card.made_by,
        "report": card.report,
        "systems": [_system_json(one) for one in card.systems],
        "true_positives": None if card.nist is None else str(card.nist.least_true_positives),
    }


def card_in_words(card: Card, *, brief: bool = False) -> list[str]:
    """Say what a card says, a line for each fact and figure; `brief`: groups' are only counted."""
    lines = [f"{card.title}, {card.made_at:%Y-%m-%d %H:%M} UTC, by {card.made_by}."]
    for system in card.systems:
        lines.append(f"{system.name}:")
        lines += [f"  WARNING: {warning}" for warning in system.warnings]
        lines += [f"  {name}: {text}" for name, text in system.facts if text]
        lines.append(f"  provenance: {system.provenance}")
        told = [one for one in system.figures if not brief or _is_of_everybody(one)]
        lines += [f"  {one.name}: {in_words(one.estimate)}" for one in told]
        if brief:
            left_out = several(len(system.figures) - len(told), "more figure")
            lines.append(f"  {left_out} and {several(len(system.limits), 'limit')}")
        else:
            lines += [f"  limit: {limit}" for limit in system.limits]
    if card.nist is not None:
        lines.append(
            f"Least true positives: {card.nist.least_true_positives}%"
            f" ({card.nist.worst_group}), {card.nist.test}, published {card.nist.published}."
        )
    return lines


def _is_of_everybody(figure: Figure) -> bool:
    """Say whether a figure has a value and is of no group, whose name is before a colon."""
    return figure.estimate.value is not None and ": " not in figure.name


def in_words(found: Estimate, *, noted: bool = True) -> str:
    """Say a figure with its interval, and what bounds it if that is to be `noted`."""
    said = "no value" if found.value is None else f"{found.value:.4g}"
    if found.low is not None and found.high is not None:
        said += f" ({found.low:.4g} to {found.high:.4g})"
    elif found.value is not None and found.low is not None:
        said += f" (at least {found.low:.4g})"
    return f"{said}; {found.note}" if noted and found.note else said


def estimate_json(found: Estimate | None) -> Json | None:
    """A figure with its interval."""
    if found is None:
        return None
    return {"value": found.value, "low": found.low, "high": found.high, "note": found.note}


def _system_json(system: SystemOnCard) -> Json:
    return {
        "name": system.name,
        "digest": system.digest,
        "facts": dict(system.facts),
        "data_digest": system.data_digest,
        "provenance": system.provenance,
        "figures": {one.name: estimate_json(one.estimate) for one in system.figures},
        "warnings": list(system.warnings),
        "limits": list(system.limits),
    }
