"""`likeness policy`: which rules are in force, what they say, and the stop switch."""

import typer

from likeness.cli.policy.decisions import explain, simulate
from likeness.cli.policy.rules import check, disable, enable, list_packs, resume, show, suspend

policy = typer.Typer(help="Rules: who may do what, for which purpose, and what is stopped.")
policy.command("list")(list_packs)
for _verb in (show, enable, disable, check, explain, simulate, suspend, resume):
    policy.command()(_verb)
