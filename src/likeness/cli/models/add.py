"""`likeness models add`: a model that a user brings."""

from pathlib import Path
from typing import Annotated

import typer

from likeness.cli.models.show import terms_in_words
from likeness.cli.opened import installation
from likeness.errors import InvalidRequest
from likeness.vision.models.card_file import read_card
from likeness.vision.models.cards import LicenceClass, Licences, LocalFile, ModelCard
from likeness.vision.models.model_store import describe
from likeness.vision.networks.forms import Form


def add(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A model card (.json), its weights beside it; or an ONNX file."
        ),
    ],
    name: Annotated[str | None, typer.Option(help="What to call an ONNX file.")] = None,
    form: Annotated[Form | None, typer.Option(help="How an ONNX file is laid out.")] = None,
    licence: Annotated[str, typer.Option(help="Licence of its weights.")] = "not stated",
    licence_class: Annotated[
        LicenceClass, typer.Option(help="What that licence amounts to.")
    ] = LicenceClass.UNKNOWN,
    code_licence: Annotated[str, typer.Option(help="Licence of its code.")] = "not stated",
    training_data: Annotated[
        str, typer.Option(help="What it was trained on, and on what terms.")
    ] = "not stated",
    credits: Annotated[str, typer.Option(help="Who made it.")] = "not stated",
) -> None:
    """Add a model of your own: its card, or an ONNX file and the terms it comes on.

    The weights are copied. Choose it with LIKENESS_DETECTOR or LIKENESS_RECOGNISER afterwards.
    """
    if file.suffix == ".json":
        card = _read(file)
        weights = file.parent / card.source.name if isinstance(card.source, LocalFile) else None
    elif name is None or form is None:
        raise InvalidRequest(
            "an ONNX file needs a --name and a --form, or a model card (.json) beside it: give them"
        )
    else:
        licences = Licences(code_licence, licence, licence_class, training_data)
        card, weights = describe(file, name, form, licences, credits), file
    installation().models.add(card, weights)
    print(f"{card.name}, a {card.task}, is added.")
    for line in terms_in_words(card):
        print(line)
    if card.needs_acceptance:
        print(
            f"Before it is used, its licence has to be accepted: likeness models accept {card.name}"
        )


def _read(file: Path) -> ModelCard:
    try:
        return read_card(file.read_bytes(), str(file))
    except OSError as error:
        raise InvalidRequest(f"'{file}' cannot be read ({error.strerror}). Check it.") from error
