"""`likeness subjects`: put right who the people of a collection are."""

import typer

from likeness.cli.terminal.verbs import Verb, group_of

_HERE = "likeness.cli.subjects"

VERBS = {
    "rename": Verb(f"{_HERE}.change:rename", "Give a subject another name."),
    "merge": Verb(
        f"{_HERE}.change:merge",
        "Make all references of a subject another's, where two names are one person.",
    ),
    "split": Verb(
        f"{_HERE}.change:split",
        "Make some references of a subject those of a new one, where they are two people.",
    ),
    "move": Verb(
        f"{_HERE}.change:move",
        "Make some references of a subject another's, who is there already.",
    ),
    "name": Verb(
        f"{_HERE}.change:name",
        "Make references that are nobody's a subject's, who is made where there is none.",
    ),
    "undo": Verb(f"{_HERE}.change:undo", "Undo the last change of a subject."),
    "check": Verb(
        f"{_HERE}.check:check",
        "List pictures that look like none of a person's others, people with two names, and who may"
        " be missed.",
    ),
}
subjects = typer.Typer(
    cls=group_of(VERBS),
    help="Rename, merge, split and check the people of a collection, and say whose faces are.",
    add_completion=False,
    rich_markup_mode=None,
)


@subjects.callback()
def _nothing_first() -> None:
    """Do nothing: Typer wants a group to have a command or this, and its commands come later."""
