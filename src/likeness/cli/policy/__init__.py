"""`likeness policy`: which rules are in force, what they say, and the stop switch."""

import typer

from likeness.cli.policy.decisions import explain, simulate
from likeness.cli.policy.rules import check, disable, enable, list_packs, resume, show, suspend

policy = typer.Typer(help="Show and change the rules, and stop uses at once.", add_completion=False)
policy.command("list")(list_packs)
for _verb in (show, enable, disable, check, explain, simulate, suspend, resume):
    policy.command()(_verb)
