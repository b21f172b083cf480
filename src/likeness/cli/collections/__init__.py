"""`likeness collections`: which there are, what they hold, and how long."""

import typer

from likeness.cli.collections.cohort import cohort
from likeness.cli.collections.create import create
from likeness.cli.collections.delete import delete
from likeness.cli.collections.held import references, subjects
from likeness.cli.collections.re_embed import re_embed
from likeness.cli.collections.retention import retention
from likeness.cli.collections.show import list_collections, show
from likeness.cli.collections.sweep import sweep
from likeness.cli.collections.verify import verify

collections = typer.Typer(help="Collections: who is known, by which model, for how long.")
collections.command("list")(list_collections)
for _verb in (
    create,
    show,
    subjects,
    references,
    retention,
    delete,
    sweep,
    verify,
    cohort,
    re_embed,
):
    collections.command()(_verb)
