"""`likeness models pull`: fetch weights and make them ready."""

from typing import Annotated

import typer

from likeness.artifacts import Publisher
from likeness.cli.opened import fetch_better, installation
from likeness.cli.terminal.options import Artifacts
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import fetching


def pull(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Models; those in use without.")
    ] = None,
    artifacts: Artifacts = None,
) -> None:
    """Fetch the weights of models, verify them, and convert them for the engine.

    Without names the better recogniser is fetched from its publisher, where it would be used.
    """
    settled = installation(Publisher.ALWAYS, artifacts=artifacts)
    if not names:
        settled = fetch_better(settled)
    with fetching() as progress:
        for name in names or [settled.detector.name, settled.recogniser.name]:
            settled.models.require(name, progress)
            print(f"{name} is ready.")
    if not names and settled.choice.drawback:
        print(plain(settled.choice.drawback))
