"""`likeness models bundle`: one folder with all that a machine without a network needs."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from likeness.app import Installation
from likeness.app.recogniser_choice import BETTER, FALLBACK
from likeness.artifacts import PinnedFile, catalogue, fetch_all
from likeness.cli.opened import prepare
from likeness.cli.terminal.exit_codes import warn
from likeness.cli.terminal.options import Artifacts
from likeness.cli.terminal.output_file import write_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import fetching
from likeness.cli.terminal.words import several
from likeness.errors import InvalidRequest, ModelTampered
from likeness.vision.models.cards import ModelCard

_README, _SUMS = "README.md", "SHA256SUMS"


def bundle(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A folder: new, empty or a bundle.")],
    artifacts: Artifacts = None,
) -> None:
    """Write the weights in use and the sample photographs into one folder, with their terms.

    A machine where LIKENESS_ARTIFACTS names that folder needs no network.
    """
    settled = prepare(artifacts=artifacts)
    cards = _cards(settled)
    for card in cards:
        if card.files[0] not in _pinned(card):
            warn(f"{card.name} was added here and is not in the bundle: add it there, too")
    files = [file for card in cards for file in _pinned(card)] + list(catalogue.SAMPLES)
    _check_folder(out, {file.name for file in files})
    with fetching() as progress:
        for card in cards:  # what is not accepted is not passed on
            settled.models.files(card.name, progress)
        paths = fetch_all(files, settled.sources, progress)
    for file, path in zip(files, paths, strict=True):
        write_output(out / file.name, _content(file, path))
    sums = "".join(f"{file.sha256}  {file.name}\n" for file in files)
    write_output(out / _SUMS, sums.encode())
    # Last, so that a folder with it is whole.
    write_output(out / _README, _readme(files).encode())
    if BETTER not in cards:
        warn(
            f"{BETTER.name}, the better recogniser, is not here and not in the bundle: fetch it"
            " (`likeness models pull`), and make another"
        )
    size = sum(file.size for file in files) / 1e6
    print(
        f"{several(len(files), 'file')}, {size:.0f} MB, in {plain(out)}. Copy it to the other"
        " machine and set LIKENESS_ARTIFACTS to it there."
    )


def _cards(settled: Installation) -> list[ModelCard]:
    """Give the models in use, and the other of the two recognisers where it is here."""
    cards = [settled.detector, settled.recogniser]
    here = [card for card in (BETTER, FALLBACK) if not settled.models.missing(card)]
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
            f"'{out}' cannot be a bundle's folder ({error.strerror}): name another"
        ) from error
    if others:
        raise InvalidRequest(
            f"'{out}' holds something else, such as '{others[0]}': name a new or an empty folder"
        )


def _content(file: PinnedFile, path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"'{path}' cannot be read ({error.strerror}): try again") from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise ModelTampered(f"{path} has changed while it was read: try again")
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
