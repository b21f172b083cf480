"""`likeness report`: report cards, signed and checked, and what they count for."""

import typer

from likeness.cli.report.cards import nist, show, sign, verify
from likeness.cli.report.compare import compare
from likeness.cli.report.evidence import accept, list_cards, revoke

report = typer.Typer(
    help="Sign, verify and compare reports of evaluations, and accept their cards.",
    add_completion=False,
)
for _verb in (sign, nist, verify, show, compare, accept):
    report.command()(_verb)
report.command("list")(list_cards)
report.command()(revoke)
