"""`likeness collections`: which there are, what they hold, and how long."""

import typer

from likeness.cli.terminal.verbs import Verb, group_of

_HERE = "likeness.cli.collections"

VERBS = {
    "list": Verb(f"{_HERE}.show:list_collections", "List the collections of this home."),
    "create": Verb(
        f"{_HERE}.manage:create",
        "Make an empty collection. It keeps its model, whatever the settings say later.",
    ),
    "show": Verb(
        f"{_HERE}.show:show",
        "Show all there is to know about a collection: its model, its size, what a match needs.",
    ),
    "subjects": Verb(
        f"{_HERE}.show:subjects",
        "List the subjects of a collection, and how many references each has.",
    ),
    "references": Verb(
        f"{_HERE}.show:references", "List the references of a collection, and whose they are."
    ),
    "retention": Verb(
        f"{_HERE}.manage:retention",
        "Choose when references are erased; those that are past it go with the next sweep.",
    ),
    "delete": Verb(
        f"{_HERE}.manage:delete",
        "Erase a collection with all that it holds, down to the disk, and certify that.",
    ),
    "sweep": Verb(
        f"{_HERE}.manage:sweep",
        "Erase references past their date or their collection's days, with subjects left without"
        " any.",
    ),
    "verify": Verb(
        f"{_HERE}.manage:verify",
        "Look whether anything is left of what a certificate says is gone; exit code 1 if so.",
    ),
    "certificates": Verb(
        f"{_HERE}.certificates:certificates",
        "List the certificates of erasures, newest first, or give one again as it was issued.",
    ),
    "cohort": Verb(
        f"{_HERE}.re_embed:cohort",
        "Measure how alike the people of a collection look to each other, and what that means.",
    ),
    "re-embed": Verb(
        f"{_HERE}.re_embed:re_embed",
        "Move a collection to another model: its templates are made anew from the same pictures.",
    ),
}
collections = typer.Typer(
    cls=group_of(VERBS),
    help="Make, list, change and check collections of enrolled people.",
    add_completion=False,
    rich_markup_mode=None,
)


@collections.callback()
def _nothing_first() -> None:
    """Do nothing: Typer wants a group to have a command or this, and its commands come later."""
