"""`likeness sources`: cameras, streams and files to look for people in as it happens."""

import typer

from likeness.cli.terminal.verbs import Verb, group_of

_HERE = "likeness.cli.sources"

VERBS = {
    "add": Verb(f"{_HERE}.manage:add", "Register a camera, a stream or a file under a name."),
    "list": Verb(f"{_HERE}.manage:list_sources", "List the sources; no password is shown."),
    "show": Verb(f"{_HERE}.manage:show", "Show a source; no password is shown."),
    "watch": Verb(
        f"{_HERE}.watch:watch", "Look for the people of a collection in a source as it happens."
    ),
    "check": Verb(
        f"{_HERE}.manage:check", "Connect to a source, and show what it sends: size and rate."
    ),
    "remove": Verb(
        f"{_HERE}.manage:remove",
        "Remove a source with its password; searches of it end within a second.",
    ),
}
sources = typer.Typer(
    cls=group_of(VERBS),
    help="Register cameras and streams, and look for people in them as it happens.",
    add_completion=False,
    rich_markup_mode=None,
)


@sources.callback()
def _nothing_first() -> None:
    """Do nothing: Typer wants a group to have a command or this, and its commands come later."""
