"""`likeness collections list` and `show`: which there are, and what searching one is worth."""

from typing import Annotated

import typer

from likeness.app.access import Rows
from likeness.app.collections import (
    calibration_of,
    own_strangers_of,
    require_comparable,
)
from likeness.app.finders import model_of, require_complete
from likeness.app.on_record import on_record
from likeness.cli.collections.described import collection_json, held_in_words
from likeness.cli.collections.finder import tell_of_better_model
from likeness.cli.opened import installation
from likeness.cli.search_in_words import search_in_words, search_json
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import folded
from likeness.errors import NotFound, StateError
from likeness.gallery import Collection
from likeness.service.search.naming import Naming
from likeness.service.uses.record import Outcome
from likeness.terms import Action
from likeness.vision.models.template_model import recogniser_of


def list_collections(as_json: AsJson = False) -> None:
    """List the collections of this home."""
    with Rows(installation()) as rows, on_record(rows, Action.READ, "collections list") as record:
        every = rows.collections.collections()
        record.answered(Outcome())
        if as_json:
            print_json({"collections": [collection_json(one) for one in every]})
            return
        names = [plain(one.name) for one in every]
        recognisers = [plain(recogniser_of(one.model)) for one in every]
        widths = [max(map(len, words), default=0) for words in (names, recognisers)]
        for one, name, recogniser in zip(every, names, recognisers, strict=True):
            print(f"{name:{widths[0]}}  {recogniser:{widths[1]}}  {held_in_words(one)}")
        if not every:
            print("There is no collection yet: `likeness collections create NAME` makes one.")


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A collection.")],
    as_json: AsJson = False,
) -> None:
    """Show all there is to know about a collection: its model, its size, what a match needs."""
    with Rows(installation()) as rows:
        collection = rows.collections.collection(name)
        with on_record(rows, Action.READ, "collections show", collection) as record:
            hindrance = _hindrance(rows, collection)
            naming = _naming(rows, collection)
            record.answered(Outcome())
        tell_of_better_model(rows, collection)
        if as_json:
            print_json(
                {
                    **collection_json(collection),
                    "hindrance": hindrance,
                    "calibrated_on": naming.calibration.measured_on if naming else None,
                    "operating_point": search_json(naming) if naming else None,
                }
            )
            return
        paragraphs = [
            f"{name}: {held_in_words(collection)}, made {collection.created_at:%Y-%m-%d}.",
            f"Recogniser {recogniser_of(collection.model)}: templates of {collection.model},"
            f" {collection.dimensions} numbers each, evened out by {collection.cohort_version}.",
        ]
        if naming is None:
            paragraphs.append("Not calibrated: nobody has measured what its scores mean.")
        else:
            paragraphs.append(f"Calibrated on {naming.calibration.measured_on}.")
        if hindrance is not None:
            paragraphs.append(f"Not to be searched now: {hindrance}.")
        for paragraph in paragraphs:
            print(folded(plain(paragraph)))
        if naming is not None:
            print(*search_in_words(naming), sep="\n")


def _hindrance(rows: Rows, collection: Collection) -> str | None:
    """Say why this machine cannot search a collection; None where it can."""
    try:
        require_comparable(rows, collection)
        require_complete(rows.installation, collection, model_of(rows.installation, collection))
    except StateError as error:
        return str(error)
    return None


def _naming(rows: Rows, collection: Collection) -> Naming | None:
    """Say what a search by best or reference is worth; None where nobody has measured that."""
    settings = rows.installation.settings
    try:
        calibration = calibration_of(rows, collection)
    except NotFound:
        return None
    own = own_strangers_of(collection)
    compared = collection.size.references
    return Naming.of(calibration, own, compared, fmr=settings.fmr, fpir=settings.fpir)
