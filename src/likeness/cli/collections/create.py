"""`likeness collections create`: an empty collection, whose model is chosen for good."""

from typing import Annotated

import typer

from likeness.app.access import Rows
from likeness.app.collections import create_collection
from likeness.cli.collections.described import collection_json
from likeness.cli.opened import prepare
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.plain_text import plain


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    retention_days: Annotated[
        int | None,
        typer.Option(metavar="N", help="Days to keep references; for good without."),
    ] = None,
    recogniser: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Model that makes its templates. Default: LIKENESS_RECOGNISER."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make an empty collection. It keeps its model, whatever the settings say later."""
    with Rows(prepare()) as rows:
        collection = create_collection(rows, name, retention_days, recogniser)
        if as_json:
            print_json(collection_json(collection))
        else:
            print(
                f"{plain(name)} is made for templates of {collection.model}:"
                " `likeness enrol` fills it."
            )
