"""`likeness collections retention`: how long a collection keeps its references."""

from typing import Annotated

import typer

from likeness.app.access import Rows
from likeness.app.on_record import on_record
from likeness.cli.collections.described import collection_json, held_in_words
from likeness.cli.opened import installation
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.plain_text import plain
from likeness.errors import InvalidRequest
from likeness.service.erase.set_retention import set_retention
from likeness.terms import Action


def retention(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A collection.")],
    days: Annotated[
        str, typer.Argument(metavar="DAYS|never", help="Days after their enrolment, or never.")
    ],
    as_json: AsJson = False,
) -> None:
    """Choose when references are erased; those that are past it go with the next sweep."""
    chosen = _days(days)
    with Rows(installation()) as rows:
        collection = rows.collections.collection(name)
        with on_record(rows, Action.ARRANGE, "collections retention", collection) as record:
            collection = set_retention(record, rows.collections, name, chosen)
        if as_json:
            print_json(collection_json(collection))
        else:
            print(
                f"{plain(name)}: {held_in_words(collection)}. The next sweep goes by that: a"
                " running server's, within the hour, or `likeness collections sweep`."
            )


def _days(said: str) -> int | None:
    if said == "never":
        return None
    try:
        return int(said)
    except ValueError as error:
        raise InvalidRequest(
            f"a number of days or `never` was expected and {said!r} came: correct it"
        ) from error
