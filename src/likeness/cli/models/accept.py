"""`likeness models accept`: an operator accepts the licence of a model's weights."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from likeness.app.access import user_here
from likeness.cli.models.show import terms_in_words
from likeness.cli.opened import installation
from likeness.cli.terminal.exit_codes import ExitCode


def accept(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model.")],
    yes: Annotated[bool, typer.Option("--yes", help="Accept without being asked.")] = False,
) -> None:
    """Show the terms of a model and record that you accept them, for exactly these weights."""
    store = installation().models
    card = store.card(name)
    for line in terms_in_words(card):
        print(line)
    if not card.needs_acceptance:
        print(f"{name} may be used without acceptance.")
        return
    if not yes and not typer.confirm("Do you accept the licence of these weights?"):
        print(f"{name} stays unused.")
        raise typer.Exit(ExitCode.NO)
    acceptance = store.accept(name, by=f"local:{user_here()}", at=datetime.now(UTC))
    print(f"{name} is accepted by {acceptance.by}.")
