"""`likeness models pull`, `bundle`, `add` and `accept`: what models are here, and on what terms."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from likeness.app import Installation
from likeness.app.home import user_here
from likeness.app.installation import BETTER, FALLBACK
from likeness.artifacts import PinnedFile, Publisher, catalogue, fetch_all
from likeness.cli.installation import fetch_better, installation_here, prepare, tell
from likeness.cli.models.show import Model, summary_json, terms_in_words
from likeness.cli.terminal.answers import print_answer
from likeness.cli.terminal.exit_codes import ExitCode, warn
from likeness.cli.terminal.options import Artifacts, AsJson
from likeness.cli.terminal.output_file import write_output
from likeness.cli.terminal.progress import fetching
from likeness.cli.terminal.words import several
from likeness.errors import InvalidRequest, ModelTampered
from likeness.vision.models.card_file import read_card
from likeness.vision.models.cards import LicenceClass, Licences, LocalFile, ModelCard
from likeness.vision.models.model_store import describe
from likeness.vision.networks.forms import Form

_README, _SUMS = "README.md", "SHA256SUMS"


def pull(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Models. Default: those in use.")
    ] = None,
    as_json: AsJson = False,
    artifacts: Artifacts = None,
) -> None:
    """Fetch the weights of models, verify them, and convert them for the engine.

    Without names the better recogniser is fetched from its publisher, where it would be used.
    """
    installation = installation_here(Publisher.ALWAYS, artifacts=artifacts)
    if not names:
        installation = fetch_better(installation)
    wanted = names or [installation.detector.name, installation.recogniser.name]
    with fetching() as progress:
        for name in wanted:
            installation.models.require(name, progress)
            if not as_json:
                print(f"{name} is ready.")
    drawback = None if names else installation.choice.drawback
    print_answer(as_json, {"ready": wanted, "drawback": drawback}, [drawback] if drawback else [])


def bundle(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A folder: new, empty or a bundle.")],
    as_json: AsJson = False,
    artifacts: Artifacts = None,
) -> None:
    """Write the weights in use and the sample photographs into one folder, with their terms.

    A machine where LIKENESS_ARTIFACTS names that folder needs no network.
    """
    installation = prepare(artifacts=artifacts)
    cards = _cards(installation)
    for card in cards:
        if card.files[0] not in _pinned(card):
            warn(f"{card.name} was added here and is not in the bundle. Add it there, too.")
    files = [file for card in cards for file in _pinned(card)] + list(catalogue.SAMPLES)
    _check_folder(out, {file.name for file in files})
    with fetching() as progress:
        for card in cards:  # what is not accepted is not passed on
            installation.models.files(card.name, progress)
        paths = fetch_all(files, installation.sources, progress)
    for file, path in zip(files, paths, strict=True):
        write_output(out / file.name, _content(file, path))
    sums = "".join(f"{file.sha256}  {file.name}\n" for file in files)
    write_output(out / _SUMS, sums.encode())
    # Last, so that a folder with it is whole.
    write_output(out / _README, _readme(files).encode())
    if BETTER not in cards:
        warn(
            f"{BETTER.name}, the better recogniser, is not here and not in the bundle. Fetch it"
            " (`likeness models pull`), and make another."
        )
    size = sum(file.size for file in files)
    document = {"folder": str(out), "files": [file.name for file in files], "bytes": size}
    said = (
        f"{several(len(files), 'file')}, {size / 1e6:.0f} MB, in {out}. Copy it to the other"
        " machine and set LIKENESS_ARTIFACTS to it there."
    )
    print_answer(as_json, document, [said])


def _cards(installation: Installation) -> list[ModelCard]:
    """Give the models in use, and the other of the two recognisers where it is here."""
    cards = [installation.detector, installation.recogniser]
    here = [card for card in (BETTER, FALLBACK) if not installation.models.missing(card)]
    return cards + [card for card in here if card not in cards]


def _pinned(card: ModelCard) -> list[PinnedFile]:
    return [file for file in card.files if isinstance(file, PinnedFile)]


def _check_folder(out: Path, names: set[str]) -> None:
    """Make the folder; refuse one in which something else lies.

    Raises:
        InvalidRequest: it is no folder, cannot be made, or holds other files.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        others = sorted({path.name for path in out.iterdir()} - names - {_README, _SUMS})
    except OSError as error:
        raise InvalidRequest(
            f"'{out}' cannot be a bundle's folder ({error.strerror}). Name another."
        ) from error
    if others:
        raise InvalidRequest(
            f"'{out}' holds something else, such as '{others[0]}'. Name a new or an empty folder."
        )


def _content(file: PinnedFile, path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"'{path}' cannot be read ({error.strerror}). Try again.") from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise ModelTampered(f"{path} has changed while it was read. Try again.")
    return content


def _readme(files: list[PinnedFile]) -> str:
    rows = "".join(
        f"| {file.name} | {file.size} | {file.licence} | {file.attribution} |\n" for file in files
    )
    return (
        "# Weights and samples for Likeness\n\n"
        "Set LIKENESS_ARTIFACTS to this folder, and Likeness needs no network. Every file is"
        " compared with\nthe SHA-256 that Likeness pins, whenever it is used; `sha256sum --check"
        f" {_SUMS}` compares them with this list.\n\n"
        "Each file has a licence and makers of its own. Whoever passes the folder on passes on"
        " their terms:\n\n"
        f"| file | bytes | licence | made by |\n|---|---|---|---|\n{rows}\n"
        "Texts of the licences: https://www.apache.org/licenses/LICENSE-2.0 (Apache-2.0),"
        " https://opensource.org/license/mit (MIT),\n"
        "https://creativecommons.org/publicdomain/zero/1.0/ (CC0-1.0).\n"
    )


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
    as_json: AsJson = False,
) -> None:
    """Add a model of your own: its card, or an ONNX file and the terms it comes on.

    The weights are copied. Choose it with LIKENESS_DETECTOR or LIKENESS_RECOGNISER afterwards.
    """
    if file.suffix == ".json":
        card = _read_card(file)
        weights = file.parent / card.source.name if isinstance(card.source, LocalFile) else None
    elif name is None or form is None:
        raise InvalidRequest(
            "An ONNX file needs a --name and a --form. Give them, or name a model card (.json)."
        )
    else:
        licences = Licences(code_licence, licence, licence_class, training_data)
        card, weights = describe(file, name, form, licences, credits), file
    installation = installation_here()
    installation.models.add(card, weights)
    lines = [f"{card.name}, a {card.task}, is added.", *terms_in_words(card)]
    if card.needs_acceptance:
        lines.append(
            f"Before it is used, its licence has to be accepted: likeness models accept {card.name}"
        )
    print_answer(as_json, summary_json(installation, card), lines)


def _read_card(file: Path) -> ModelCard:
    try:
        return read_card(file.read_bytes(), str(file))
    except OSError as error:
        raise InvalidRequest(f"'{file}' cannot be read ({error.strerror}). Check it.") from error


def accept(
    name: Model,
    yes: Annotated[bool, typer.Option("--yes", help="Accept without being asked.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the terms of a model and record that you accept them, for exactly these weights."""
    installation = installation_here()
    card = installation.models.card(name)
    # Whoever is asked has to see them, wherever the answer goes.
    say = tell if as_json else print
    for line in terms_in_words(card):
        say(line)
    said = f"{name} may be used without acceptance."
    if card.needs_acceptance:
        if not yes and not typer.confirm(
            "Do you accept the licence of these weights?", err=as_json
        ):
            warn(f"{name} stays unused.")
            raise typer.Exit(ExitCode.NO)
        by, at = f"local:{user_here()}", datetime.now(UTC)
        said = f"{name} is accepted by {installation.models.accept(name, by=by, at=at).by}."
    print_answer(as_json, summary_json(installation, card), [said])
