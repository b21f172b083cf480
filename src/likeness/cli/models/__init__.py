"""`likeness models`: which models are here, on what terms, and how good they are."""

import typer

from likeness.cli.models.calibrate import calibrate
from likeness.cli.models.cohort import cohort
from likeness.cli.models.manage import accept, add, bundle, pull
from likeness.cli.models.show import list_models, show

models = typer.Typer(help="List, fetch, add and measure models.", add_completion=False)
models.command("list")(list_models)
for _verb in (show, pull, bundle, add, accept, cohort, calibrate):
    models.command()(_verb)
