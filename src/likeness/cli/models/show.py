"""`likeness models list` and `show`: which models are known here, on what terms."""

import textwrap
from typing import Annotated

import typer

from likeness.app import Installation
from likeness.cli.answers import Json, print_json
from likeness.cli.models.measured import measured_in_words, measured_json
from likeness.cli.opened import installation
from likeness.cli.options import AsJson
from likeness.cli.plain_text import plain
from likeness.errors import ModelTampered
from likeness.vision.cards import ModelCard


def list_models(as_json: AsJson = False) -> None:
    """List the models that are known here: those built in and those added."""
    settled = installation()
    cards = settled.models.cards()
    if as_json:
        print_json({"models": [_summary_json(settled, card) for card in cards]})
        return
    width = max(len(card.name) for card in cards)
    for card in cards:
        words = [card.task.value, f"weights {card.licences.weights_class}"]
        if card.needs_acceptance:
            words.append("accepted" if settled.models.acceptance(card.name) else "not accepted")
        words.append(_weights_state(settled, card))
        if _in_use(settled, card):
            words.append("in use")
        print(f"{card.name:{width}}  {', '.join(words)}")


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model.")],
    as_json: AsJson = False,
) -> None:
    """Show all there is to know about a model: its terms, its limits, its error rates."""
    settled = installation()
    card = settled.models.card(name)
    if as_json:
        print_json({**_summary_json(settled, card), **_details_json(settled, card)})
        return
    paragraphs = [
        f"{card.name}: {card.description}.",
        f"By {card.credits}.",
        f"A {card.task} of the form {card.form}; weights {card.source.name},"
        f" {card.source.size:,} bytes, {_weights_state(settled, card)}.",
        *terms_in_words(card),
        *(f"Limit: {limit}." for limit in card.known_limits),
        *measured_in_words(settled, card),
    ]
    for paragraph in paragraphs:
        print(textwrap.fill(plain(paragraph), 79, subsequent_indent="    "))


def terms_in_words(card: ModelCard) -> list[str]:
    """Say on what terms a model comes; those of its training data are never hidden."""
    licences = card.licences
    return [
        f"Licence of the weights: {plain(licences.weights)} ({licences.weights_class}).",
        f"Licence of the code: {plain(licences.code)}.",
        f"Training data: {plain(licences.training_data)}.",
    ]


def _summary_json(settled: Installation, card: ModelCard) -> Json:
    acceptance = settled.models.acceptance(card.name)
    return {
        "name": card.name,
        "task": card.task,
        "weights_licence": card.licences.weights,
        "weights_licence_class": card.licences.weights_class,
        "needs_acceptance": card.needs_acceptance,
        "accepted_by": acceptance.by if acceptance else None,
        "accepted_at": acceptance.at.isoformat() if acceptance else None,
        "weights": _weights_state(settled, card),
        "in_use": _in_use(settled, card),
    }


def _details_json(settled: Installation, card: ModelCard) -> Json:
    return {
        "description": card.description,
        "credits": card.credits,
        "form": card.form,
        "dimensions": card.dimensions,
        "source": {
            "file": card.source.name,
            "bytes": card.source.size,
            "sha256": card.source.sha256,
        },
        "code_licence": card.licences.code,
        "training_data": card.licences.training_data,
        "known_limits": list(card.known_limits),
        "calibration": measured_json(settled, card),
    }


def _in_use(settled: Installation, card: ModelCard) -> bool:
    return card.name in (settled.detector.name, settled.recogniser.name)


def _weights_state(settled: Installation, card: ModelCard) -> str:
    try:
        return "fetched" if settled.models.has_weights(card.name) else "not fetched"
    except ModelTampered:
        return "damaged"
