"""`likeness policy`: which rules are in force, what they say, and the stop switch."""

import typer

from likeness.cli.policy.explain import explain
from likeness.cli.policy.packs import check, disable, enable, list_packs, show
from likeness.cli.policy.simulate import simulate
from likeness.cli.policy.stop import resume, suspend

policy = typer.Typer(help="Rules: who may do what, for which purpose, and what is stopped.")
policy.command("list")(list_packs)
for _verb in (show, enable, disable, check, explain, simulate, suspend, resume):
    policy.command()(_verb)
