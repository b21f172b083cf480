"""`likeness models`: which models are here, on what terms, and how good they are."""

import typer

from likeness.cli.models.accept import accept
from likeness.cli.models.add import add
from likeness.cli.models.bundle import bundle
from likeness.cli.models.calibrate import calibrate
from likeness.cli.models.cohort import cohort
from likeness.cli.models.pull import pull
from likeness.cli.models.show import list_models, show

models = typer.Typer(help="Models: what they are, their terms, their error rates.")
models.command("list")(list_models)
for _verb in (show, pull, bundle, add, accept, cohort, calibrate):
    models.command()(_verb)
