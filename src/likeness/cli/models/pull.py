"""`likeness models pull`: fetch weights and make them ready."""

from typing import Annotated

import typer

from likeness.cli.opened import installation
from likeness.cli.progress import fetching


def pull(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Models; those in use without.")
    ] = None,
) -> None:
    """Fetch the weights of models, verify them, and convert them for the engine."""
    settled = installation()
    with fetching() as progress:
        for name in names or [settled.detector.name, settled.recogniser.name]:
            settled.models.require(name, progress)
            print(f"{name} is ready.")
